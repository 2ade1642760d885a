/** Retry: asks once more what may be asked twice, as far as deadline and budget allow. */
import type { Clock } from '../../clock.ts';
import type { RetryConfig } from '../../dsl/policies.ts';
import type { UpstreamError } from '../../errors.ts';
import type { Call, Policy, Reply, Send } from '../call.ts';
import type { Endpoint } from '../exchange/endpoint.ts';
import { isHeldBack, isTransient } from './failure.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface RetryOptions {
  readonly clock: Clock;
  readonly budget: RetryBudget;
  /** Whether another attempt would go to an endpoint that is not among those tried. */
  readonly hasUntried: (tried: readonly Endpoint[]) => boolean;
}

/**
 * Follows a failure that may pass by another attempt, after a pause that chance spreads between
 * `minDelayMs` and `maxDelayMs`, or after the service's own `Retry-After`. An attempt that could not
 * begin before the deadline is not waited for.
 */
export function retry(options: RetryOptions): Policy {
  const { budget } = options;
  return (send) => (given) => {
    budget.deposit();
    const call = { ...given, tried: [], queued: { ms: 0 } };
    const config = call.operation.policies.retry;
    if (config === false || !call.operation.idempotent) return send(call);
    return send(call).catch((error: unknown) => again(send, call, { error, config, options }));
  };
}

interface Failed {
  readonly error: unknown;
  readonly config: Required<RetryConfig>;
  readonly options: RetryOptions;
}

async function again(
  send: Send,
  call: Call & { readonly queued: { ms: number } },
  { error, config, options }: Failed,
): Promise<Reply> {
  let failure = error;
  for (let left = config.times; ; left -= 1) {
    if (left === 0 || !isTransient(failure)) throw failure;
    const delayMs = pauseBefore(call, { error: failure, config, options });
    if (delayMs === undefined) throw failure;
    // oxlint-disable-next-line no-await-in-loop -- one attempt after the other is what this is about
    await pause(call, delayMs, options.clock);
    call.queued.ms = 0;
    try {
      // oxlint-disable-next-line no-await-in-loop -- see above
      return await send(call);
    } catch (later) {
      // What the service said before says more than that it was not asked again.
      if (isHeldBack(later)) throw failure;
      failure = later;
    }
  }
}

/** How long to wait before another attempt; `undefined`: there is to be none. */
function pauseBefore(
  call: Call,
  {
    error,
    config,
    options,
  }: { error: UpstreamError; config: Required<RetryConfig>; options: RetryOptions },
): number | undefined {
  const { clock, budget, hasUntried } = options;
  if (call.signal.aborted) return undefined;
  const { minDelayMs, maxDelayMs } = config;
  const chosenMs = minDelayMs + clock.random() * (maxDelayMs - minDelayMs);
  const delayMs = Math.max(chosenMs, (error.retryAfterSeconds ?? 0) * 1_000);
  if (clock.now() + delayMs >= call.deadlineAt) return undefined;
  // What never reached one endpoint and goes to another costs neither of them anything.
  const isFree = error.kind === 'connect' && hasUntried(call.tried ?? []);
  return isFree || budget.withdraw() ? delayMs : undefined;
}

/** Rejects with the signal's reason when the request ends first. */
function pause({ signal }: Call, delayMs: number, clock: Clock): Promise<void> {
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
