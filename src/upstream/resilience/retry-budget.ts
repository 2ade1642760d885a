/** Retry budget: limits the additional requests to a service, however many calls fail. */
import type { Clock } from '../../clock.ts';
import type { RetryBudgetConfig } from '../../dsl/service-policies.ts';
import { createWindow } from './rolling-window.ts';

export interface RetryBudget {
  /** Counts a call. */
  deposit(): void;
  /** Takes one additional attempt out of the budget; `false` if there is none left. */
  withdraw(): boolean;
}

const windowMs = 10_000;

/** Allows additional attempts for `percent` of the calls in the last 10 s, but at least `floor`. */
export function createRetryBudget(
  { percent, floor }: Required<RetryBudgetConfig>,
  clock: Clock,
): RetryBudget {
  const window = createWindow(['calls', 'extra'], windowMs, clock);
  return {
    deposit: () => window.add('calls'),
    withdraw() {
      const allowed = Math.max(floor, Math.floor((window.count('calls') * percent) / 100));
      if (window.count('extra') >= allowed) return false;
      window.add('extra');
      return true;
    },
  };
}
