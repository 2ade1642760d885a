/** The plans that `plait start` serves, and the compositions that it does not. */
import { LoadError } from '../errors.ts';
import { loadCompositions } from '../load-compositions.ts';
import type { Loaded } from '../load-compositions.ts';
import { servicesOf } from '../plan/visit.ts';
import type { Plan } from '../plan/plan.ts';
import { serviceProblem } from '../settings/sources.ts';
import { splitList } from '../url.ts';
import { runningVariable } from './child.ts';

export interface Served extends Omit<Loaded, 'errors'> {
  /** For the log: why compositions are not served, each reason once. */
  readonly reasons: readonly string[];
}

/**
 * All plans; with `tolerant`, those that can be served.
 *
 * @throws LoadError without `tolerant`, when any composition does not load.
 */
export async function loadPlans(folder: string, tolerant: boolean): Promise<Served> {
  const running = splitList(process.env[runningVariable] ?? '');
  const { errors, ...loaded } = await loadCompositions(folder, { running });
  if (!tolerant && errors.length > 0) throw new LoadError(errors);
  if (!tolerant) return { ...loaded, reasons: [] };
  const left = loaded.plans.flatMap((plan) => {
    const reason = problemOf([plan]);
    return reason === undefined ? [] : [{ plan, reason }];
  });
  const unaddressed = left.map(({ plan }) => plan);
  return {
    ...loaded,
    plans: loaded.plans.filter((plan) => !unaddressed.includes(plan)),
    notServed: [
      ...loaded.notServed,
      ...left.map(({ plan: { name, route }, reason }) => ({ name, route, reason })),
    ],
    reasons: [...errors.map(({ message }) => message), ...sumUp(unaddressed)],
  };
}

/** One text for all: the same variable is often missing for many. */
function sumUp(plans: readonly Plan[]): string[] {
  const problem = problemOf(plans);
  return problem === undefined ? [] : [`${plans.map(({ name }) => name).join(', ')}: ${problem}`];
}

/** The problem with the addresses and secrets that plans need, on one line. */
function problemOf(plans: readonly Plan[]): string | undefined {
  return serviceProblem(servicesOf(plans), process.env)?.replaceAll('\n', ' ');
}
