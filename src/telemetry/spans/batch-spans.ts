/** Spans of batches, which serve several steps: children of the first one, linked to the others. */
import { SpanKind } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import type { Clock } from '../../clock.ts';
import { operationName } from '../../dsl/operation.ts';
import type { Call, Dispatch, Policy } from '../../upstream/call.ts';
import { toTrace } from '../carried.ts';
import { isOrdinaryAnswer } from '../error-type.ts';
import { openScope, scopeOf } from '../scope.ts';
import type { Scope } from '../scope.ts';
import type { EndTimes } from './end-times.ts';
import type { Servers } from './served-by.ts';
import { SpanEnd } from './span-end.ts';
import { addWait } from './waits.ts';

/** The most links of a batch, which may serve very many steps. */
const mostLinks = 32;

export interface BatchSpanOptions {
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly servers: Servers;
  readonly times: EndTimes;
}

export function traceBatches(options: BatchSpanOptions): Policy<Dispatch> {
  const { tracer, clock, servers, times } = options;
  return (next) =>
    function traceBatch(call) {
      if (call.keys === undefined) return next(call);
      const waiting = call.callers.waiting();
      // A batch of one is part of its step, whose list may have that key several times.
      if (call.keys.length === 1 && areOfOneStep(waiting)) {
        const step = scopeOf(waiting[0]?.trace);
        if (step !== undefined) addWait(step, 'plait.batch.wait_ms', waitOf(waiting, clock));
        return next(call);
      }
      const [first, ...others] = scopesOf(waiting);
      if (first === undefined) return next(call);
      const waitMs = waitOf(waiting, clock);
      for (const step of [first, ...others]) addWait(step, 'plait.batch.wait_ms', waitMs);
      const scope = openScope(tracer, `batch ${operationName(call.operation)}`, {
        kind: SpanKind.INTERNAL,
        parent: first.context,
        links: others.slice(0, mostLinks),
      });
      const ending = new SpanEnd(scope, call, times);
      const batch = {
        'plait.batch.size': call.keys.length,
        'plait.batch.loads': waiting.length,
        'plait.batch.wait_ms': waitMs,
      };
      scope.span.setAttributes(batch);
      servers.show(call.callers, { span: scope.span, holder: first, batch });
      for (const other of others) servers.join(other, call.callers);
      return inSpan(() => next({ ...call, trace: toTrace(scope) }), ending);
    };
}

/** Runs `work` and ends its span. */
async function inSpan<T>(work: () => Promise<T>, ending: SpanEnd): Promise<T> {
  try {
    const result = await work();
    ending.end();
    return result;
  } catch (error) {
    ending.end(error, !isOrdinaryAnswer(error));
    throw error;
  }
}

function areOfOneStep([first, ...others]: readonly Call[]): boolean {
  return others.every(({ trace }) => trace === first?.trace);
}

/** The spans of the waiting steps, each once, in order of arrival. */
function scopesOf(waiting: readonly Call[]): Scope[] {
  const scopes = waiting.map(({ trace }) => scopeOf(trace)).filter((scope) => scope !== undefined);
  return [...new Set(scopes)];
}

/** How long the first call of a batch waited for the others, in whole milliseconds. */
function waitOf(waiting: readonly Call[], clock: Clock): number {
  return Math.round(clock.now() - Math.min(...waiting.map(({ createdAt }) => createdAt)));
}
