/** Retry: repeats idempotent calls that failed, as far as deadline and budget allow. */
import type { Clock } from '../../clock.ts';
import type { RetryConfig } from '../../dsl/policies.ts';
import type { UpstreamError } from '../../errors.ts';
import type { Dispatch, Policy, Reply, Send } from '../call.ts';
import type { Address } from '../exchange/address.ts';
import { isHeldBack, isTransient } from './failure.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface RetryOptions {
  readonly clock: Clock;
  readonly budget: RetryBudget;
  /** Whether another attempt would go to an address that is not among those tried. */
  readonly hasUntried: (tried: readonly Address[]) => boolean;
}

/**
 * Follows a transient failure by another attempt, after a pause with full jitter between `minDelayMs`
 * and `maxDelayMs`, or after the service's own `Retry-After`. An attempt that could not begin before
 * the deadline is not waited for.
 */
export function retry(options: RetryOptions): Policy<Dispatch> {
  const { budget } = options;
  return (send) =>
    function sendWithRetries(dispatch) {
      budget.deposit();
      const { idempotent, policies } = dispatch.operation;
      const config = policies.retry;
      if (config === false || !idempotent) return send(dispatch);
      return send(dispatch).catch((error: unknown) =>
        again(send, dispatch, { error, config, options }),
      );
    };
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
    // oxlint-disable-next-line no-await-in-loop -- one attempt after the other is what this is about
    await pause(dispatch, delayMs, options.clock);
    try {
      // oxlint-disable-next-line no-await-in-loop -- see above
      return await send(dispatch);
    } catch (later) {
      // Report the service's failure, not that breaker or bulkhead stopped the retry.
      if (isHeldBack(later)) throw failure;
      failure = later;
    }
  }
}

/** How long to wait before another attempt; `undefined`: there is to be none. */
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
  // A call that never reached one address and goes to another costs neither of them anything.
  const isFree = error.kind === 'connect' && hasUntried(dispatch.tried);
  return isFree || budget.withdraw() ? delayMs : undefined;
}

/** Rejects with the signal's reason when the request ends first. */
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
