/**
 * Hang watch: finds out whether a service hangs although its callers leave before an attempt's
 * time is over. Giving up says nothing of the service, so a few reads go on that nobody waits for.
 */
import type { Clock } from '../../clock.ts';
import { UpstreamError } from '../../errors.ts';
import { callError, isShareable } from '../call.ts';
import type { Attempt, Ending } from '../call.ts';
import type { Line, OnLineEnd } from '../exchange/transport.ts';
import { isAnswer, isGivenUp } from './failure.ts';

export interface HangWatch {
  /**
   * Asked when an attempt is given up: whether its exchange goes on. The returned function is to be
   * told how it ended.
   */
  keep(attempt: Attempt, line: Line): OnLineEnd | undefined;
  /** Whether the exchange of a given-up attempt goes on, or has until its end. */
  hasKept(attempt: Attempt): boolean;
  /** Registers what to do when it is known how the exchange of a kept attempt ended. */
  onEnd(attempt: Attempt, listener: OnLateEnd): void;
  /** Is told of every attempt that was not kept. */
  note(ending: Pick<Ending, 'failure'>): void;
  /** Calls one exchange off: a call waits for its place. */
  giveWay(): void;
}

export type OnLateEnd = (ending: Omit<Ending, 'toldMs'>) => void;

export interface HangWatchOptions {
  readonly clock: Clock;
  /** The most exchanges that go on at once. */
  readonly most: number;
  /** Whether calls wait for a place of the service. */
  readonly isCrowded: () => boolean;
}

interface Kept {
  readonly attempt: Attempt;
  readonly line: Line;
  readonly cancelTimer: () => void;
  listener: OnLateEnd | undefined;
  standsFor: number;
}

/** So many attempts given up in a row, without an answer in between, make a hang conceivable. */
const suspicious = 3;

/**
 * After `suspicious` attempts in a row that were given up, up to `most` reads run to their own
 * `timeoutMs`. Each stands for the attempts of its operation that are given up meanwhile: it is a
 * sample of them, so that a few places tell as much as the whole traffic.
 */
export function createHangWatch({ clock, most, isCrowded }: HangWatchOptions): HangWatch {
  const watched = new Map<Attempt, Kept>();
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
        const message = `did not answer within ${timeoutMs} ms, nor did anybody wait`;
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
        new UpstreamError('aborted', 'gave way to a call that waits', {
          service: last.attempt.operation.service.name,
          operation: last.attempt.operation.name,
        }),
      );
      last.line.cut();
    },
  };
}

/** Whether it is a read that was given up and that nobody waits for. */
function mayGoOn(attempt: Attempt): boolean {
  const { operation, signal, callers } = attempt;
  return (
    isShareable(operation) &&
    isGivenUp(signal.reason) &&
    // A hedged attempt that lost has callers still: they have their answer.
    callers.waiting().every((call) => call.signal.aborted)
  );
}
