/** `Server-Timing` (W3C): shows a request's trace and steps in a browser's developer tools. */
import type { Clock } from '../clock.ts';
import type { EngineRequest, WatchStep } from '../engine/execution.ts';
import type { RequestRecord, WatchRequest } from '../http/request-record.ts';
import type { Observer } from './telemetry.ts';

/** The most steps listed: some proxies refuse longer headers. */
const mostSteps = 50;

/** Adds the trace, the total and each step, in milliseconds, to responses of compositions. */
export function serverTiming(clock: Clock): Observer {
  /** By the record of their request. */
  const stepsOf = new WeakMap<EngineRequest['owner'], string[]>();
  const timeRequest: WatchRequest = (c) => {
    const record = c.get('record');
    const steps: string[] = [];
    stepsOf.set(record, steps);
    return function endRequest() {
      if (record.composition === undefined) return;
      const total = entry('total', clock.now() - record.startedAt);
      // Appended, since other middleware may have added times of its own.
      c.res.headers.append('server-timing', [...traceOf(record), total, ...steps].join(', '));
    };
  };

  return {
    watchRequests: [timeRequest],
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

/** Names of steps are tokens (RFC 9110, 5.6.2), as the header requires. */
function entry(name: string, ms: number): string {
  return `${name};dur=${ms.toFixed(1)}`;
}
