/**
 * Refuses mistakes that only the source of `compose` shows. `if (order.paid)` runs at start-up, on a
 * stand-in that is always truthy, and nothing could notice it later.
 */
import { CompositionError } from '../../errors.ts';
import type { At, Reading } from './at.ts';
import { follow, startAt } from './evaluate.ts';
import { sayMistake } from './mistake.ts';
import type { Mistake } from './mistake.ts';
import type { Modules } from './modules.ts';
import { parseFunction, placeOf, textOf } from './parse.ts';
import type { FunctionNode } from './parse.ts';
import { outsideOfFunction, reference } from './value.ts';
import type { Closure } from './value.ts';

/** Where a composition comes from. */
export interface Origin {
  readonly path: string;
  readonly modules: Modules;
}

interface Found {
  readonly mistake: Mistake | undefined;
  /** Whether it calls functions of which the source was not at hand. */
  readonly isPartial: boolean;
  /** Whether it calls none of which the source is not at hand, or never will be. */
  readonly isRead: boolean;
}

/**
 * The source of `compose` alone decides for most compositions. Files are read only to follow its
 * helpers, and to be certain of a mistake: there, the imports show what a name is.
 *
 * @returns Whether the source of every function that it calls was read.
 * @throws CompositionError that quotes the first mistake.
 */
export function refuseMistakes(
  name: string,
  compose: (inputs: never) => unknown,
  origin?: Origin,
): { readonly isRead: boolean } {
  const alone = functionAlone(compose.toString());
  let found = alone && findMistake(alone);
  if (origin && (found === undefined || found.isPartial || found.mistake)) {
    const inFile = origin.modules.composeIn(origin.path);
    if (inFile) found = findMistake(inFile);
  }
  if (found?.mistake) throw new CompositionError(name, sayMistake(found.mistake));
  return { isRead: found?.isRead === true };
}

function functionAlone(text: string): Closure | undefined {
  const parsed = parseFunction(text);
  return (
    parsed && {
      kind: 'function',
      node: parsed.node,
      scope: {
        around: undefined,
        names: new Map(),
        source: parsed.source,
        outside: outsideOfFunction,
      },
    }
  );
}

/** More calls than any composition makes, and few enough for helpers that call each other. */
const mostCalls = 1_000;

function findMistake(compose: Closure): Found {
  const entered: FunctionNode[] = [];
  const followed = new Set<FunctionNode>();
  const waiting: { closure: Closure; at: At }[] = [];
  let calls = 0;
  let mistake: Mistake | undefined;
  let isPartial = false;
  let isRead = true;

  const reading: Reading = {
    report(kind, node, { scope: { source }, maker }) {
      mistake ??= { kind, maker, text: textOf(node, source), place: placeOf(node, source) };
    },
    meetsUnread(callee) {
      isRead = false;
      if (callee.kind === 'named' && callee.from === 'elsewhere') isPartial = true;
    },
    meetsFunction(closure, where) {
      waiting.push({ closure, at: { ...where, phase: 'perhaps' } });
    },
    mayEnter(node) {
      followed.add(node);
      calls += 1;
      if (calls > mostCalls || entered.includes(node)) return false;
      entered.push(node);
      return true;
    },
    leaves() {
      entered.pop();
    },
  };
  const at = startAt(reading, compose.scope, 'compose');
  follow(compose, [reference], at);
  // Functions without a visible call are followed last: a call says more about a mistake.
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
    if (!followed.has(next.closure.node)) follow(next.closure, [], next.at);
  return { mistake, isPartial, isRead };
}
