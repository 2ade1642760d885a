/** Recognises the words of the DSL in source text. */
import type * as guards from '../../dsl/guards.ts';
import type * as paged from '../../dsl/pages.ts';
import type * as steps from '../../dsl/steps.ts';
import type { Value } from './value.ts';

/** The words whose results are references. */
const words = {
  after: true,
  call: true,
  optional: true,
  fallback: true,
  given: true,
  each: true,
  map: true,
  pick: true,
  omit: true,
  pages: true,
} satisfies Record<keyof typeof guards | keyof typeof paged | keyof typeof steps, true>;

export type Word = keyof typeof words;

/** The package's name, also where it was published under another owner's. */
const own = /(?:^|\/)plait$/;

/** The word that a called value is. */
export function wordOf(callee: Value, argumentCount: number): Word | undefined {
  if (callee.kind !== 'named') return undefined;
  const last = callee.path.at(-1) ?? '';
  if (!isWord(last)) return undefined;
  if (own.test(callee.from)) return callee.path.length === 1 ? last : undefined;
  if (callee.from !== 'elsewhere') return undefined;
  // `list.map(fn)` is the array's; ours, as `plait.map(inputs, fn)`, has two arguments.
  return callee.path.length > 1 && last === 'map' && argumentCount < 2 ? undefined : last;
}

/** Whether a called value gives its first argument back: `defineComposition` and `answer`. */
export function givesBack(callee: Value): boolean {
  if (callee.kind !== 'named') return false;
  const name = callee.path.join('.');
  if (own.test(callee.from)) return name === 'defineComposition' || name === 'answer';
  // Where imports are not at hand, as in `plait.answer(…)` that a tool made of it.
  return callee.from === 'elsewhere' && callee.path.at(-1) === 'answer';
}

function isWord(name: string): name is Word {
  return Object.hasOwn(words, name);
}
