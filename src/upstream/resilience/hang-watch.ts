/**
 * Hang watch: detects a service that hangs even if its attempts are always abandoned before they
 * time out: by callers that leave, or by a hedge whose second attempt wins. Neither says that the
 * service hangs, so a few abandoned reads run on.
 */
import type { Clock } from '../../clock.ts';
import { UpstreamError } from '../../errors.ts';
import { callError, isShareable } from '../call.ts';
import type { Attempt, Ending } from '../call.ts';
import type { Line, OnLineEnd } from '../exchange/transport.ts';
import { isAnswer, isGivenUp, isOutrun } from './failure.ts';

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
  note(ending: Pick<Ending, 'failure'>, attempt: Pick<Attempt, 'tried'>): void;
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
  /** The attempts in a row that callers have left. */
  let unanswered = 0;
  /** The attempts in a row that lost to another of their call. */
  let outrun = 0;

  function end(attempt: Attempt, failure: unknown, status?: number): void {
    const kept = watched.get(attempt);
    if (kept === undefined) return;
    watched.delete(attempt);
    kept.cancelTimer();
    note({ failure }, attempt);
    if (isAnswered(failure)) outrun = 0;
    const endedAt = clock.now();
    const tookMs = endedAt - attempt.beganAt;
    kept.listener?.({ failure, status, endedAt, tookMs, standsFor: kept.standsFor });
  }

  function note({ failure }: Pick<Ending, 'failure'>, { tried }: Pick<Attempt, 'tried'>): void {
    if (isAnswered(failure)) {
      unanswered = 0;
      // An answer to a second attempt does not say that first ones are answered, too.
      if (tried.length === 1) outrun = 0;
    } else if (isOutrun(failure)) outrun += 1;
    else if (isGivenUp(failure)) unanswered += 1;
  }

  function isSuspected({ signal }: Attempt): boolean {
    return (isOutrun(signal.reason) ? outrun : unanswered) >= suspicious;
  }

  return {
    note,
    keep(attempt, line) {
      if (!isSuspected(attempt) || !mayGoOn(attempt) || isCrowded()) return undefined;
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
        const message = `did not answer within ${timeoutMs} ms, after it was abandoned`;
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

function isAnswered(failure: unknown): boolean {
  return failure === undefined || isAnswer(failure);
}

/** Whether an attempt is an abandoned read that no caller waits for. */
function mayGoOn(attempt: Attempt): boolean {
  const { operation, signal, callers } = attempt;
  return (
    isShareable(operation) &&
    isGivenUp(signal.reason) &&
    // The callers of an attempt that lost get the answer of the other one.
    (isOutrun(signal.reason) || callers.waiting().every((call) => call.signal.aborted))
  );
}
