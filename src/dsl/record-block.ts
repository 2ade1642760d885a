/** Records what the function of a word such as `each` adds, as a block of its own. */
import type { Answered } from './answered.ts';
import type { Draft } from './draft.ts';
import type { Block } from './node.ts';
import type { Ref } from './reference.ts';
import { toTemplate } from './template.ts';

/** Whatever can be a part of a response: not the whole, which `answer` gives. */
export type Part<W> =
  W extends Answered<unknown> ? 'answer() is what compose() returns, not a part of it' : unknown;

/** Runs the body of a word once, on a reference to the value it will get. */
export function recordBlock<T>(
  draft: Draft,
  word: 'given' | 'each' | 'fallback',
  body: (item: Ref<T>) => unknown,
): { readonly item: number; readonly block: Block } {
  let item = -1;
  const block = draft.block(() => {
    const reference = draft.add<T>({ kind: 'item' });
    item = draft.nodes.length - 1;
    return toTemplate(draft, body(reference), `what the body of ${word}() returned`);
  });
  return { item, block };
}
