/** `concurrency` of `each`: how many calls of its body may be under way at a time. */
import { CompositionError } from '../errors.ts';
import type { Draft } from './draft.ts';
import { positive } from './knobs.ts';
import type { Block, EachNode } from './node.ts';
import { blockOf } from './node-traits.ts';
import type { Operation } from './operation.ts';

/** The options of `each`. */
export interface EachOptions {
  /** The most items; a longer list is an error. Default 100. */
  readonly max?: number;
  /**
   * The most calls of the body that are under way at a time, nested ones included. Lookups do not
   * count: held back, their batches would be smaller. Default: no bound.
   */
  readonly concurrency?: number;
}

/** @throws CompositionError for a bound that never takes effect. */
export function concurrencyOf(
  draft: Draft,
  block: Block,
  { concurrency }: EachOptions,
): Pick<EachNode, 'concurrency'> {
  if (concurrency === undefined) return {};
  const bound = positive(concurrency, 'each(): concurrency', draft.place);
  const operations = operationsIn(draft, block);
  if (operations.some(({ lookup }) => lookup === undefined)) return { concurrency: bound };
  const reason = operations.length === 0 ? 'calls nothing' : 'only asks lookups';
  throw new CompositionError(
    draft.place,
    `each(): concurrency bounds nothing, since the body ${reason}. Remove it.`,
  );
}

function operationsIn({ nodes }: Pick<Draft, 'nodes'>, block: Block): Operation[] {
  return block.nodes.flatMap((id) => {
    const node = nodes[id];
    if (node === undefined) return [];
    if (node.kind === 'call') return [node.operation];
    const inner = blockOf(node);
    return inner === undefined ? [] : operationsIn({ nodes }, inner);
  });
}
