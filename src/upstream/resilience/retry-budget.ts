/** Retry budget: bounds what a service is asked in addition, however many calls fail. */
import type { Clock } from '../../clock.ts';
import type { RetryBudgetConfig } from '../../dsl/policies.ts';
import { createWindow } from './rolling-window.ts';

export interface RetryBudget {
  /** A call was made. */
  deposit(): void;
  /** Takes one further attempt out of the budget, or says that there is none left. */
  withdraw(): boolean;
}

const windowMs = 10_000;

/** Of the calls of the last 10 s, `percent` may be followed by another attempt, and `floor` in any case. */
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
