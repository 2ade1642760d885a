/** The nodes of one composition while its `compose` runs. */
import { CompositionError } from '../errors.ts';
import type { Block, Node, Source, Template } from './node.ts';
import { createReference } from './reference.ts';
import type { Ref } from './reference.ts';

/** Collects nodes for one composition. */
export interface Draft {
  /** The composition's name, for messages. */
  readonly place: string;
  readonly nodes: readonly Node[];
  add<T>(node: Node): Ref<T>;
  /** Runs `body` with its own list of nodes and gives back what it produced. */
  block(body: () => Template): Block;
  /** Words for a source: `order.items`, `params.orderId`. */
  describe(source: Source): string;
}

export function createDraft(place: string): Draft {
  const nodes: Node[] = [];
  let open: number[] = [];

  const draft: Draft = {
    place,
    nodes,
    add(node) {
      nodes.push(node);
      open.push(nodes.length - 1);
      return createReference({ draft, source: { node: nodes.length - 1, path: [] } });
    },
    block(body) {
      const outer = open;
      open = [];
      try {
        const template = body();
        return { nodes: open, template };
      } finally {
        open = outer;
      }
    },
    describe: ({ node, path }) => [wordsFor(nodes[node]), ...path].join('.'),
  };
  return draft;
}

// `compose` is an ordinary synchronous function that calls ordinary imports, so which composition is
// being drafted is ambient for exactly as long as it runs.
let current: Draft | undefined;

/** Runs `compose` with `draft` as the composition being drafted. */
export function withDraft<T>(draft: Draft, compose: () => T): T {
  const outer = current;
  current = draft;
  try {
    return compose();
  } finally {
    current = outer;
  }
}

/** The composition being drafted; outside of `compose` there is none and `word` is refused. */
export function currentDraft(word: string): Draft {
  if (current !== undefined) return current;
  throw new CompositionError(
    word,
    `${word}() was used outside of compose(). Steps belong to one composition: move it inside.`,
  );
}

/** What a developer would call the value of a node. */
export function wordsFor(node: Node | undefined): string {
  if (node === undefined) return 'an unknown step';
  if (node.kind === 'input') return node.input;
  if (node.kind === 'call') return `the result of call(${node.operation.name})`;
  if (node.kind === 'item') return 'the item';
  return `the result of ${'mode' in node ? node.mode : node.kind}()`;
}
