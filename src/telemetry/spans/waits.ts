/** Shows where the time of a span goes while nothing is asked: pauses, permits and batches. */
import type { HrTime } from '@opentelemetry/api';
import type { Attempt, Callers, OnRetry, OnVainWait } from '../../upstream/call.ts';
import { scopeOf } from '../scope.ts';
import type { Scope } from '../scope.ts';
import { now } from '../time.ts';
import type { EndTimes } from './end-times.ts';

/** In whole milliseconds, by the attribute that says what was waited for. */
export type Wait =
  | 'plait.retry.delay_ms'
  | 'plait.token.wait_ms'
  | 'plait.bulkhead.wait_ms'
  | 'plait.batch.wait_ms';

const events = {
  'plait.retry.delay_ms': 'retry',
  'plait.token.wait_ms': 'token',
  'plait.bulkhead.wait_ms': 'bulkhead',
  'plait.batch.wait_ms': 'batch',
} as const satisfies Record<Wait, string>;

/**
 * Adds an event to the span that waits: at the beginning of a pause, and at the end of others. The
 * step that began a dispatch may have ended: other requests wait for it still.
 */
export function addWait({ span }: Scope, wait: Wait, ms: number, at?: HrTime): void {
  if (ms >= 1 && span.isRecording()) span.addEvent(events[wait], { [wait]: ms }, at ?? now());
}

/** Without an attempt after it: as of the failure that has ended it, so within the step. */
export function showVainWaits(times: Pick<EndTimes, 'failure'>): OnVainWait {
  return function showVainWait({ trace }, waitedMs) {
    const scope = scopeOf(trace);
    if (scope === undefined) return;
    addWait(scope, 'plait.bulkhead.wait_ms', Math.round(waitedMs), times.failure());
  };
}

export interface Pauses {
  readonly onRetry: OnRetry;
  /** The pause before an attempt in whole milliseconds; `undefined` if it is no retry. */
  before(attempt: Attempt): number | undefined;
}

export function createPauses(): Pauses {
  const pauses = new WeakMap<Callers, number>();
  return {
    onRetry: function showPause({ trace, callers }, delayMs) {
      const scope = scopeOf(trace);
      if (scope === undefined) return;
      const ms = Math.round(delayMs);
      addWait(scope, 'plait.retry.delay_ms', ms);
      pauses.set(callers, ms);
    },
    before({ callers, tried }) {
      if (tried.length < 2) return undefined;
      const ms = pauses.get(callers);
      // Only the first of several attempts, as of a hedged pair, comes after the pause.
      pauses.delete(callers);
      return ms;
    },
  };
}
