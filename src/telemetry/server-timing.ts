/** `Server-Timing` (W3C): what a browser's developer tools show of a request's trace and steps. */
import type { Clock } from '../clock.ts';
import type { EngineRequest } from '../engine/execution.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Observer } from './telemetry.ts';

/** More would make the header longer than some proxies take. */
const mostSteps = 50;

/** Adds the header to every response of a composition: the trace, the total, and each step in milliseconds. */
export function serverTiming(clock: Clock): Observer {
  /** By the counter that a request's exchange and its steps share. */
  const stepsOf = new WeakMap<EngineRequest['sent'], string[]>();
  return {
    aroundHandler: (next) => async (request, exchange) => {
      const steps: string[] = [];
      stepsOf.set(exchange.sent, steps);
      const response = await next(request, exchange);
      if (exchange.composition !== undefined) {
        const total = entry('total', clock.now() - exchange.startedAt);
        const all = [...traceOf(exchange), total, ...steps];
        response.headers.set('server-timing', all.join(', '));
      }
      return response;
    },
    watchStep: ({ step, request }) => {
      const startedAt = clock.now();
      return () => {
        const steps = stepsOf.get(request.sent);
        if (steps !== undefined && steps.length < mostSteps) {
          steps.push(entry(step.name, clock.now() - startedAt));
        }
      };
    },
  };
}

function traceOf({ traceId }: Exchange): string[] {
  return traceId === undefined ? [] : [`trace;desc="${traceId}"`];
}

/** Names of steps are tokens as the header wants them (RFC 9110, 5.6.2). */
function entry(name: string, ms: number): string {
  return `${name};dur=${ms.toFixed(1)}`;
}
