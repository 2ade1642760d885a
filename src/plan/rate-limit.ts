/** The rate limit of a composition, and what a request takes of it. */
import type { RouteRateLimit } from '../dsl/rate-limit.ts';
import { CompositionError } from '../errors.ts';
import type { CallStep, PlanBlock, PlanRateLimit } from './plan.ts';

/**
 * @throws CompositionError where one request costs more than the limit, so that none would be
 *   served.
 */
export function rateLimitOf(
  name: string,
  config: RouteRateLimit | undefined,
  root: PlanBlock,
): PlanRateLimit | undefined {
  if (config === undefined) return undefined;
  const { limit, windowS, by = 'principal', cost: given = 1 } = config;
  const cost = given === 'calls' ? Math.max(1, mostCalls(root)) : given;
  if (cost <= limit) return { limit, windowS, by, cost };
  const why = given === 'calls' ? ', since it may make as many calls' : '';
  throw new CompositionError(
    name,
    `a request costs ${cost}${why}, but rateLimit.limit is ${limit}, so none would be served. ` +
      'Raise the limit, or lower the cost.',
  );
}

/**
 * The most calls that a block makes for one request: every list is as long as it may be, every
 * second source is asked, and only keys whose calls run together share one. Retries and hedges are
 * not counted, nor what is made again because a shared call has failed.
 */
export function mostCalls(root: PlanBlock): number {
  return callsIn(root, { items: 1, together: true });
}

interface Repetition {
  /** How many times the block runs. */
  readonly items: number;
  /** Whether each step of it runs for all of them at once. */
  readonly together: boolean;
}

function callsIn(block: PlanBlock, repetition: Repetition): number {
  return block.steps.reduce((sum, step) => {
    switch (step.kind) {
      case 'call':
        return sum + callsOf(step, repetition);
      case 'each': {
        const items = repetition.items * step.max;
        const together = repetition.together && step.block.together;
        return sum + callsIn(step.block, { items, together });
      }
      case 'given':
      case 'instead':
        return sum + callsIn(step.block, repetition);
      default:
        return sum;
    }
  }, 0);
}

function callsOf({ operation, pages }: CallStep, { items, together }: Repetition): number {
  const { lookup } = operation;
  const isBatched = lookup !== undefined && lookup.concurrency === undefined;
  if (isBatched && together) return Math.ceil(items / lookup.max);
  return items * (pages?.maxPages ?? 1);
}
