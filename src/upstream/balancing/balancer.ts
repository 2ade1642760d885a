/** Load balancer: chooses the address of each attempt by power of two choices. */
import type { Clock } from '../../clock.ts';
import type { EjectionConfig } from '../../dsl/service-policies.ts';
import type { Choose } from '../attempt.ts';
import type { Dispatch, Ending } from '../call.ts';
import type { Address } from '../exchange/address.ts';
import { isErrorAnswer, isUnreadable, verdictOf } from '../resilience/failure.ts';
import type { Verdict } from '../resilience/failure.ts';
import { createAddressHealth } from './address-health.ts';
import type { AddressEnding, AddressHealth } from './address-health.ts';
import { createComparison } from './comparison.ts';

export interface Balancer {
  readonly choose: Choose;
  readonly health: readonly AddressHealth[];
  /** Whether the next attempt would go to an address that is not in `tried`. */
  hasUntried(tried: readonly Address[]): boolean;
}

/** Called when an attempt at an address has ended. */
export type OnAddressEnd = (address: Address, dispatch: Dispatch, ending: Ending) => void;

/**
 * Chooses the cheaper of two random addresses, where cost is latency times calls in flight. It does
 * not use addresses that are ejected or unwell, unless that leaves less than half of them: then it
 * uses all, since most of them are probably not broken. A further attempt of a call goes to an
 * address that the call has not tried, if there is one.
 *
 * An address is ejected after `ejection.failures` consecutive failures, or as many unreadable
 * answers while others gave readable ones; at most half of them at a time (outlier detection).
 */
export function createBalancer(
  addresses: readonly Address[],
  ejection: Required<EjectionConfig>,
  clock: Clock,
  onEnd: OnAddressEnd = ignore,
): Balancer {
  const health = addresses.map((address) => createAddressHealth(address, ejection, clock));
  const comparison = createComparison(ejection.failures);
  const [first] = health;

  function choose(tried: readonly Address[]): AddressHealth {
    if (first === undefined) throw new Error('a service has no address');
    if (health.length === 1) return first;
    const candidates = candidatesNow();
    const untried = candidates.filter(({ address }) => !tried.includes(address));
    return cheaperOfTwo(untried.length > 0 ? untried : candidates, clock) ?? first;
  }

  function candidatesNow(): readonly AddressHealth[] {
    const usable = health.filter(({ isEjected, isWell }) => isWell && !isEjected);
    return usable.length * 2 < health.length ? health : usable;
  }

  function ejectIfNeeded(candidate: AddressHealth, verdict: Verdict): void {
    const isTooMuch = verdict === 'failed' && candidate.mustBeEjected && !candidate.isEjected;
    if (isTooMuch && mayEject()) candidate.eject();
  }

  function ejectOutlier(candidate: AddressHealth, { operation }: Dispatch, failure: unknown): void {
    const isUnusable = isUnreadable(failure);
    if (failure !== undefined && !isUnusable) return;
    const siblings = health.filter((other) => other !== candidate && !other.isEjected);
    const answer = { operation, from: candidate, isReadable: !isUnusable };
    if (comparison.isOutlier(answer, siblings) && !candidate.isEjected && mayEject())
      candidate.eject();
  }

  function mayEject(): boolean {
    const ejected = health.filter(({ isEjected }) => isEjected).length;
    return (ejected + 1) * 2 <= health.length;
  }

  return {
    health,
    hasUntried: (tried) => candidatesNow().some(({ address }) => !tried.includes(address)),
    choose: function chooseAddress(dispatch) {
      const chosen = choose(dispatch.tried);
      const { address } = chosen;
      dispatch.tried.push(address);
      const end = chosen.begin();
      return {
        address,
        onEnd(ending) {
          onEnd(address, dispatch, ending);
          const ended = endingAt(dispatch, ending);
          end(ended);
          ejectIfNeeded(chosen, ended.verdict);
          if (health.length > 1) ejectOutlier(chosen, dispatch, ending.failure);
        },
      };
    },
  };
}

function ignore(): void {}

function endingAt(dispatch: Dispatch, ending: Ending): AddressEnding {
  const { failure, tookMs } = ending;
  const verdict = verdictOf(ending);
  return {
    verdict,
    tookMs,
    countsAsSlow: verdict === 'failed' || isErrorAnswer(failure) || isUnreadable(failure),
    timeoutMs: dispatch.operation.policies.timeoutMs,
  };
}

function cheaperOfTwo(
  candidates: readonly AddressHealth[],
  { random }: Pick<Clock, 'random'>,
): AddressHealth | undefined {
  const count = candidates.length;
  const one = Math.floor(random() * count);
  // Any of the others, with equal probability.
  const other = (one + 1 + Math.floor(random() * (count - 1))) % count;
  const [left, right] = [candidates[one], candidates[other]];
  if (left === undefined || right === undefined) return left;
  return left.cost() <= right.cost() ? left : right;
}
