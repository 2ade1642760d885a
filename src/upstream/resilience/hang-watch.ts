/**
 * Hang watch: detects a service that hangs even if callers always leave before an attempt times
 * out. That a caller has left says nothing about the service, so a few abandoned reads run on.
 */
import type { Clock } from '../../clock.ts';
import { UpstreamError } from '../../errors.ts';
import { callError, isShareable } from '../call.ts';
import type { Attempt, Ending } from '../call.ts';
import type { Line, OnLineEnd } from '../exchange/transport.ts';
import { isAnswer, isGivenUp } from './failure.ts';

export interface HangWatch {
  /**
   * Decides whether the exchange of an abandoned attempt runs on; if so, the returned function must
   * be called when it ends.
   */
  keep(attempt: Attempt, line: Line): OnLineEnd | undefined;
  /** Whether the exchange of an abandoned attempt runs on. */
  hasKept(attempt: Attempt): boolean;
  /** Registers a listener for the end of a kept attempt's exchange. */
  onEnd(attempt: Attempt, listener: OnLateEnd): void;
  /** Notes the end of an attempt that was not kept. */
  note(ending: Pick<Ending, 'failure'>): void;
  /** Cancels one exchange, so that its permit is free for a call that waits. */
  giveWay(): void;
}

export type OnLateEnd = (ending: Omit<Ending, 'announcedMs'>) => void;

export interface HangWatchOptions {
  readonly clock: Clock;
  /** The most exchanges that run on at the same time. */
  readonly most: number;
  /** Whether calls wait for a permit of the bulkhead. */
  readonly isCrowded: () => boolean;
}

interface KeptAttempt {
  readonly attempt: Attempt;
  readonly line: Line;
  readonly cancelTimer: () => void;
  listener: OnLateEnd | undefined;
  standsFor: number;
}

/** After this many abandoned attempts in a row, without an answer between, a hang is possible. */
const suspicious = 3;

/**
 * After `suspicious` abandoned attempts in a row, up to `most` reads run on to their own
 * `timeoutMs`. Each is a sample, which also counts for the attempts of its operation that are
 * abandoned meanwhile: so a few permits are enough to judge the whole traffic.
 */
export function createHangWatch({ clock, most, isCrowded }: HangWatchOptions): HangWatch {
  const watched = new Map<Attempt, KeptAttempt>();
  let unanswered = 0;

  function end(attempt: Attempt, failure: unknown, status?: number): void {
    const kept = watched.get(attempt);
    if (kept === undefined) return;
    watched.delete(attempt);
    kept.cancelTimer();
    note({ failure });
    const tookMs = clock.now() - attempt.beganAt;
    kept.listener?.({ failure, status, tookMs, standsFor: kept.standsFor });
  }

  function note({ failure }: Pick<Ending, 'failure'>): void {
    if (failure === undefined || isAnswer(failure)) unanswered = 0;
    else if (isGivenUp(failure)) unanswered += 1;
  }

  return {
    note,
    keep(attempt, line) {
      if (unanswered < suspicious || !mayGoOn(attempt) || isCrowded()) return undefined;
      if (watched.size >= most) {
        const like = [...watched.values()].find(
          (kept) => kept.attempt.operation === attempt.operation,
        );
        if (like !== undefined) like.standsFor += 1;
        return undefined;
      }
      const { timeoutMs } = attempt.operation.policies;
      const leftMs = Math.max(0, attempt.beganAt + timeoutMs - clock.now());
      const cancelTimer = clock.after(leftMs, () => {
        const message = `did not answer within ${timeoutMs} ms, after its callers had left`;
        end(attempt, callError(attempt, 'timeout', message));
        line.cut();
      });
      watched.set(attempt, { attempt, line, cancelTimer, listener: undefined, standsFor: 0 });
      return (failure, status) => end(attempt, failure, status);
    },
    hasKept: (attempt) => watched.has(attempt),
    onEnd(attempt, listener) {
      const kept = watched.get(attempt);
      if (kept !== undefined) kept.listener = listener;
    },
    giveWay() {
      const last = [...watched.values()].at(-1);
      if (last === undefined) return;
      end(
        last.attempt,
        new UpstreamError('aborted', 'was cancelled, since a call waits for its permit', {
          service: last.attempt.operation.service.name,
          operation: last.attempt.operation.name,
        }),
      );
      last.line.cut();
    },
  };
}

/** Whether an attempt is an abandoned read that no caller waits for. */
function mayGoOn(attempt: Attempt): boolean {
  const { operation, signal, callers } = attempt;
  return (
    isShareable(operation) &&
    isGivenUp(signal.reason) &&
    // A hedged attempt that lost still has callers, which got the answer of the other one.
    callers.waiting().every((call) => call.signal.aborted)
  );
}
