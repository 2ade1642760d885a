/** `withinMs` of `optional` and `fallback`: how long the steps that they tolerate may take. */
import type { GuardNode } from '../dsl/node.ts';
import { CompositionError } from '../errors.ts';
import { toleratedSteps } from './failures.ts';
import { nameSteps } from './names.ts';
import type { Composed } from './run-compose.ts';

/** The steps that a guard bounds, by number, and how long they may take in milliseconds. */
export function boundedSteps({ nodes }: Pick<Composed, 'nodes'>): ReadonlyMap<number, number> {
  return new Map(guardsOf(nodes).flatMap(({ guarded, withinMs }) => boundOf(guarded, withinMs)));
}

function boundOf(guarded: number, withinMs: number | undefined): [number, number][] {
  return withinMs === undefined ? [] : [[guarded, withinMs]];
}

/** @throws CompositionError for a bound that never takes effect, or not on every reader. */
export function checkBounds(name: string, composed: Composed, deadlineMs: number): void {
  const bounded = boundedSteps(composed);
  if (bounded.size === 0) return;
  const tolerated = toleratedSteps(composed);
  for (const guard of guardsOf(composed.nodes)) {
    const { guarded, mode, withinMs } = guard;
    if (withinMs !== undefined && withinMs >= deadlineMs) {
      throw new CompositionError(
        name,
        `${mode}(): withinMs is ${withinMs}, but the request ends after ${deadlineMs}. Use less.`,
      );
    }
    const bound = bounded.get(guarded);
    if (bound === undefined || (bound === withinMs && tolerated.has(guarded))) continue;
    throw new CompositionError(
      name,
      `withinMs cannot end "${nameSteps(composed)[guarded]}" for one reader only: it is also ` +
        'used without it. Use the result of optional() or fallback() everywhere.',
    );
  }
}

function guardsOf(nodes: Composed['nodes']): readonly GuardNode[] {
  return nodes.filter((node) => node.kind === 'guard');
}
