/** The nodes of one composition, collected while its `compose` runs. */
import { CompositionError } from '../errors.ts';
import type { Block, Node, Template } from './node.ts';
import { takesTime, wordsFor } from './node-traits.ts';
import { createReference } from './reference.ts';
import type { Owner, Ref } from './reference.ts';

/** Collects nodes for one composition. */
export interface Draft extends Owner {
  readonly nodes: readonly Node[];
  add<T>(node: Node): Ref<T>;
  /** Runs `body` and returns its template with the nodes that were added meanwhile. */
  block(body: () => Template): Block;
  /** Runs `body`; what it adds that takes time begins only after the node of that number. */
  after<T>(node: number, body: () => T): T;
  /** Ends it: from now on, its references refuse to be used. */
  close(): void;
}

export function createDraft(place: string): Draft {
  const nodes: Node[] = [];
  let open: number[] = [];
  let earlier: readonly number[] = [];
  let isOpen = true;

  const draft: Draft = {
    place,
    nodes,
    get isOpen() {
      return isOpen;
    },
    add(node) {
      nodes.push(earlier.length > 0 ? ordered(node, earlier) : node);
      open.push(nodes.length - 1);
      return createReference({ draft, source: { node: nodes.length - 1, path: [] } });
    },
    block(body) {
      const outer = { open, earlier };
      // Steps inside a block begin after those around it anyway.
      [open, earlier] = [[], []];
      try {
        const template = body();
        return { nodes: open, template };
      } finally {
        ({ open, earlier } = outer);
      }
    },
    after(node, body) {
      const outer = earlier;
      earlier = [...earlier, node];
      try {
        return body();
      } finally {
        earlier = outer;
      }
    },
    close() {
      isOpen = false;
    },
    describe: ({ node, path }) => [wordsFor(nodes[node]), ...path].join('.'),
  };
  return draft;
}

/** Values that take no time are there with what they are computed from. */
function ordered(node: Node, after: readonly number[]): Node {
  return takesTime(node) ? { ...node, after } : node;
}

// The words of the DSL are plain imports, so the draft they add to is ambient. `compose` is
// synchronous, so that it is the right one for exactly as long as `compose` runs.
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

/** @throws CompositionError when `word` is used while no `compose` runs. */
export function currentDraft(word: string): Draft {
  if (current !== undefined) return current;
  throw new CompositionError(
    word,
    `${word}() was used outside compose(). Steps belong to one composition: move it inside, and ` +
      'not into a function given to map(), which runs while a request is served.',
  );
}
