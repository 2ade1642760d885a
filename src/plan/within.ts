/** `withinMs` of `optional` and `fallback`: how long the steps that they tolerate may take. */
import type { Node } from '../dsl/node.ts';
import { absorbs, takesTime } from '../dsl/node-traits.ts';
import { CompositionError } from '../errors.ts';
import { toleratedSteps } from './failures.ts';
import { nameSteps } from './names.ts';
import type { Composed } from './run-compose.ts';

/**
 * The steps that are bounded, by number, and how long they may take in milliseconds. A bound of a
 * step with a second source is one of both together, so that it bounds the first, too.
 */
export function boundedSteps({ nodes }: Pick<Composed, 'nodes'>): ReadonlyMap<number, number> {
  const bounds = new Map<number, number>();
  // A node reads earlier nodes only, so in reverse order the bounds around one come first.
  for (const [id, node] of [...nodes.entries()].toReversed()) {
    if (!absorbs(node)) continue;
    const own = boundBy(node, bounds.get(id));
    const guarded = nodes[node.guarded];
    if (own === Infinity || guarded === undefined || !takesTime(guarded)) continue;
    bounds.set(node.guarded, Math.min(own, bounds.get(node.guarded) ?? Infinity));
  }
  return bounds;
}

/** The bound that a node puts on its step; `around`: the one it has itself. */
function boundBy({ withinMs = Infinity }: Absorbing, around = Infinity): number {
  return Math.min(withinMs, around);
}

/** @throws CompositionError for a bound that never takes effect, or not on every reader. */
export function checkBounds(name: string, composed: Composed, deadlineMs: number): void {
  const bounded = boundedSteps(composed);
  if (bounded.size === 0) return;
  const tolerated = toleratedSteps(composed);
  for (const [id, node] of composed.nodes.entries()) {
    if (!absorbs(node)) continue;
    const { guarded, withinMs } = node;
    if (withinMs !== undefined && withinMs >= deadlineMs) {
      const mode = node.kind === 'guard' ? node.mode : 'fallback';
      throw new CompositionError(
        name,
        `${mode}(): withinMs is ${withinMs}, but the request ends after ${deadlineMs}. Use less.`,
      );
    }
    const bound = bounded.get(guarded);
    const isSame = bound === boundBy(node, bounded.get(id));
    if (bound === undefined || (isSame && tolerated.has(guarded))) continue;
    throw new CompositionError(
      name,
      `withinMs cannot end "${nameSteps(composed)[guarded]}" for one reader only: it is also ` +
        'used without it. Use the result of optional() or fallback() everywhere.',
    );
  }
}

type Absorbing = Extract<Node, { readonly guarded: number }>;
