/** `Server-Timing` (W3C): what a browser's developer tools show of a request's trace and steps. */
import type { Clock } from '../clock.ts';
import type { EngineRequest, WatchStep } from '../engine/execution.ts';
import type { Layer, RequestRecord } from '../http/request-record.ts';
import type { Observer } from './telemetry.ts';

/** More would make the header longer than some proxies take. */
const mostSteps = 50;

/** Adds the header to every response of a composition: the trace, the total, and each step in milliseconds. */
export function serverTiming(clock: Clock): Observer {
  /** By the record of their request. */
  const stepsOf = new WeakMap<EngineRequest['owner'], string[]>();
  const timeRequest: Layer = async function timeRequest(c, next) {
    const record = c.get('record');
    const steps: string[] = [];
    stepsOf.set(record, steps);
    await next();
    if (record.composition === undefined) return;
    const total = entry('total', clock.now() - record.startedAt);
    // Beside what other middleware may have to say.
    c.res.headers.append('server-timing', [...traceOf(record), total, ...steps].join(', '));
  };

  return {
    layers: [timeRequest],
    watchSteps(request) {
      const steps = stepsOf.get(request.owner);
      return steps && timeSteps(steps, clock);
    },
  };
}

function timeSteps(steps: string[], clock: Clock): WatchStep {
  return function timeStep({ step }) {
    const startedAt = clock.now();
    return function endStep() {
      if (steps.length < mostSteps) steps.push(entry(step.name, clock.now() - startedAt));
    };
  };
}

function traceOf({ traceId }: RequestRecord): string[] {
  return traceId === undefined ? [] : [`trace;desc="${traceId}"`];
}

/** Names of steps are tokens as the header wants them (RFC 9110, 5.6.2). */
function entry(name: string, ms: number): string {
  return `${name};dur=${ms.toFixed(1)}`;
}
