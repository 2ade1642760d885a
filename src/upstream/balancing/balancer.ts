/** Balancer: which endpoint of a service gets the attempt. */
import type { Clock } from '../../clock.ts';
import type { EjectionConfig } from '../../dsl/policies.ts';
import type { Call, Turn } from '../call.ts';
import type { Endpoint } from '../exchange/endpoint.ts';
import { isRefusal, verdictOf } from '../resilience/failure.ts';
import type { Verdict } from '../resilience/failure.ts';
import { createStanding } from './standing.ts';
import type { Ending, Standing } from './standing.ts';

export interface Balancer {
  readonly turn: Turn;
  readonly standings: readonly Standing[];
  /** Whether the next attempt would go to an endpoint that is not among these. */
  hasUntried(tried: readonly Endpoint[]): boolean;
}

/**
 * Of two endpoints chosen by chance the one that costs less (power of two choices), where cost is
 * latency times calls in flight. Endpoints that failed `ejection.failures` times in a row, at most half of
 * them, and those that are not well are left out, unless fewer than half would remain: then all may be
 * chosen, since most of what looks broken is likely not to be. Another attempt of a call goes to another
 * endpoint if there is one.
 */
export function createBalancer(
  endpoints: readonly Endpoint[],
  ejection: Required<EjectionConfig>,
  clock: Clock,
): Balancer {
  const standings = endpoints.map((endpoint) => createStanding(endpoint, ejection, clock));
  const [first] = standings;

  function choose(tried: readonly Endpoint[]): Standing {
    if (first === undefined) throw new Error('a service has no endpoint');
    if (standings.length === 1) return first;
    const candidates = candidatesNow();
    const untried = candidates.filter(({ endpoint }) => !tried.includes(endpoint));
    return cheaperOfTwo(untried.length > 0 ? untried : candidates, clock) ?? first;
  }

  function candidatesNow(): readonly Standing[] {
    const usable = standings.filter(({ isEjected, isWell }) => isWell && !isEjected);
    return usable.length * 2 < standings.length ? standings : usable;
  }

  function ejectIfNeeded(standing: Standing, verdict: Verdict): void {
    const isTooMuch = verdict === 'failed' && standing.mustBeEjected && !standing.isEjected;
    if (isTooMuch && mayEject()) standing.eject();
  }

  function mayEject(): boolean {
    const ejected = standings.filter(({ isEjected }) => isEjected).length;
    return (ejected + 1) * 2 <= standings.length;
  }

  return {
    standings,
    hasUntried: (tried) => candidatesNow().some(({ endpoint }) => !tried.includes(endpoint)),
    turn(attempt) {
      const standing = choose(attempt.tried ?? []);
      attempt.endpoint = standing.endpoint;
      attempt.tried?.push(standing.endpoint);
      const end = standing.begin();
      const startedAt = clock.now();
      return (failure) => {
        const ending = endingOf(attempt, failure, clock.now() - startedAt);
        end(ending);
        ejectIfNeeded(standing, ending.verdict);
      };
    },
  };
}

function endingOf(call: Call, error: unknown, tookMs: number): Ending {
  const verdict = verdictOf(call, error, tookMs);
  return {
    verdict,
    tookMs,
    countsAsSlow: verdict === 'failed' || isRefusal(error),
    timeoutMs: call.operation.policies.timeoutMs,
  };
}

function cheaperOfTwo(
  candidates: readonly Standing[],
  { random }: Pick<Clock, 'random'>,
): Standing | undefined {
  const count = candidates.length;
  const one = Math.floor(random() * count);
  // Another one, each with the same chance.
  const other = (one + 1 + Math.floor(random() * (count - 1))) % count;
  const [left, right] = [candidates[one], candidates[other]];
  if (left === undefined || right === undefined) return left;
  return left.cost() <= right.cost() ? left : right;
}
