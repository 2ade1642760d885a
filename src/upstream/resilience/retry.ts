/** Retry: repeats idempotent calls that have failed, if the deadline and the retry budget allow. */
import type { Clock } from '../../clock.ts';
import type { RetryConfig } from '../../dsl/policies.ts';
import type { UpstreamError } from '../../errors.ts';
import { isShareable } from '../call.ts';
import type { Dispatch, OnRetry, Policy, Reply, Send } from '../call.ts';
import type { Address } from '../exchange/address.ts';
import { isHeldBack, isStale, isTransient } from './failure.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface RetryOptions {
  readonly clock: Clock;
  readonly budget: RetryBudget;
  /** Whether another attempt would go to an address that is not among those tried. */
  readonly hasUntried: (tried: readonly Address[]) => boolean;
  readonly onRetry?: OnRetry | undefined;
}

/**
 * Makes another attempt after a transient failure and a delay: a random one between `minDelayMs`
 * and `maxDelayMs`, or the service's `Retry-After` if that is longer. It gives up at once if the
 * next attempt could not begin before the deadline.
 */
export function retry(options: RetryOptions): Policy<Dispatch> {
  const { budget } = options;
  return (send) =>
    function sendWithRetries(dispatch) {
      budget.deposit();
      const { idempotent, policies } = dispatch.operation;
      const config = policies.retry;
      const mayRetry = config !== false && idempotent;
      const isRead = isShareable(dispatch.operation);
      if (!mayRetry && !isRead) return send(dispatch);
      const first = send(dispatch);
      return first.catch((error: unknown) => {
        const sent = isRead && isStale(error) ? onNewConnection(send, dispatch, error) : undefined;
        if (!mayRetry) return sent ?? first;
        if (sent === undefined) return again(send, dispatch, { error, config, options });
        return sent.catch((later: unknown) =>
          again(send, dispatch, { error: later, config, options }),
        );
      });
    };
}

/** Sends a read again if the service had closed its idle connection, which is not a failure. */
async function onNewConnection(
  send: Send<Dispatch>,
  dispatch: Dispatch,
  error: unknown,
): Promise<Reply> {
  if (dispatch.signal.aborted) throw error;
  try {
    return await send({ ...dispatch, isOnNewConnection: true });
  } catch (later) {
    throw isHeldBack(later) ? error : later;
  }
}

interface Failed {
  readonly error: unknown;
  readonly config: Required<RetryConfig>;
  readonly options: RetryOptions;
}

async function again(
  send: Send<Dispatch>,
  dispatch: Dispatch,
  { error, config, options }: Failed,
): Promise<Reply> {
  let failure = error;
  for (let left = config.times; ; left -= 1) {
    if (left === 0 || !isTransient(failure)) throw failure;
    const delayMs = pauseBefore(dispatch, { error: failure, config, options });
    if (delayMs === undefined) throw failure;
    options.onRetry?.(dispatch, delayMs);
    // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
    await pause(dispatch, delayMs, options.clock);
    try {
      // oxlint-disable-next-line no-await-in-loop -- see above
      return await send({ ...dispatch, further: 'retry' });
    } catch (later) {
      // The service's own failure says more than that breaker or bulkhead stopped the retry.
      if (isHeldBack(later)) throw failure;
      failure = later;
    }
  }
}

/** How long to wait before another attempt; `undefined` if there must not be one. */
function pauseBefore(
  dispatch: Dispatch,
  {
    error,
    config,
    options,
  }: { error: UpstreamError; config: Required<RetryConfig>; options: RetryOptions },
): number | undefined {
  const { clock, budget, hasUntried } = options;
  if (dispatch.signal.aborted) return undefined;
  const { minDelayMs, maxDelayMs } = config;
  const chosenMs = minDelayMs + clock.random() * (maxDelayMs - minDelayMs);
  const delayMs = Math.max(chosenMs, (error.retryAfterSeconds ?? 0) * 1_000);
  if (clock.now() + delayMs >= dispatch.deadlineAt) return undefined;
  // Without a connection the first address had no work, and the next one has only this attempt.
  const isFree = error.isStale || (error.kind === 'connect' && hasUntried(dispatch.tried));
  return isFree || budget.withdraw() ? delayMs : undefined;
}

/** Resolves after `delayMs`, or rejects with the signal's reason if that is aborted first. */
function pause({ signal }: Dispatch, delayMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      cancelTimer();
      reject(signal.reason);
    };
    const cancelTimer = clock.after(delayMs, () => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
    signal.addEventListener('abort', leave, { once: true });
  });
}
