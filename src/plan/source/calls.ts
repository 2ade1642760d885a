/** Calls: of the words of the DSL, of helpers, and of what JavaScript offers. */
import type { AnyNode, CallExpression, MemberExpression, NewExpression } from 'acorn';
import type { At } from './at.ts';
import { fieldAt, holderOf } from './members.ts';
import { propertyName } from './parse.ts';
import { looksAtReference } from './questions.ts';
import { either, reference, unknown } from './value.ts';
import type { Value } from './value.ts';
import { isVolatile } from './volatile.ts';
import { givesBack, wordOf } from './words.ts';
import type { Word } from './words.ts';

export function called(node: CallExpression, at: At): Value {
  const method = node.callee.type === 'MemberExpression' ? node.callee : undefined;
  const receiver = method && holderOf(method, at);
  const callee =
    method && receiver ? fieldAt(method, receiver, at) : at.evaluator.evaluate(node.callee, at);
  if (at.phase === 'map' && callee.kind === 'reference')
    at.reading.report('captures', node.callee, at);
  const args = listed(node.arguments, at);
  const word = wordOf(callee, node.arguments.length);
  if (word !== undefined) return useWord(word, args, { callee, node, at });
  if (givesBack(callee)) return args[0] ?? unknown;
  if (at.phase !== 'map' && looksAtReference(node, { callee, receiver, args }))
    at.reading.report('looks', node, at);
  reportVolatile(callee, node, at);
  if (callee.kind === 'function') {
    return at.evaluator.follow(callee, args, { ...at, maker: makerOf(node, at), isHelper: true });
  }
  if (isUnread(callee, receiver)) at.reading.meetsUnread(callee);
  callBack(method, args, { at, receiver });
  return partsOf(callee, args);
}

/** Values after a spread have no known positions. */
export function listed(nodes: readonly (AnyNode | null)[], at: At): Value[] {
  const values = nodes.map((node) => (node ? at.evaluator.evaluate(node, at) : unknown));
  const spread = nodes.findIndex((node) => node?.type === 'SpreadElement');
  return spread === -1 ? values : values.map((value, index) => (index < spread ? value : unknown));
}

/** Whether its effect is unknown. Functions and methods of JavaScript itself are known. */
function isUnread(callee: Value, receiver: Value | undefined): boolean {
  if (callee.kind === 'named') return callee.from !== 'global';
  return callee.kind === 'unknown' && receiver?.kind !== 'list' && receiver?.kind !== 'collection';
}

function makerOf({ callee }: CallExpression, { maker }: At): string {
  if (callee.type === 'Identifier') return `${callee.name}()`;
  const name = callee.type === 'MemberExpression' && propertyName(callee.property, callee.computed);
  return name ? `${name}()` : maker;
}

/** The words whose second argument runs while `compose` does. */
const runsBody: ReadonlySet<Word> = new Set(['given', 'each', 'after']);

interface Use {
  readonly callee: Value;
  readonly node: CallExpression;
  readonly at: At;
}

function useWord(word: Word, args: readonly Value[], use: Use): Value {
  const { node } = use;
  const at = { ...use.at, isHelper: false };
  if (at.phase === 'map') return refuseInMap(use);
  if (at.isTried && at.phase === 'compose') at.reading.report('catches', node, at);
  const [, body = unknown] = args;
  if (mayRun(word, body) && isUnread(body, undefined)) at.reading.meetsUnread(body);
  if (body.kind !== 'function') return word === 'after' ? unknown : reference;
  switch (word) {
    case 'map':
      at.evaluator.follow(body, [], { ...at, phase: 'map' });
      return reference;
    case 'fallback':
    case 'given':
    case 'each':
      at.evaluator.follow(body, [reference], at);
      return reference;
    case 'after':
      return at.evaluator.follow(body, [], at);
    default:
      return reference;
  }
}

/** A word in a function of `map`. Only imports show that it is ours: others have a `pick`, too. */
function refuseInMap({ callee, node, at }: Use): Value {
  if (callee.kind === 'named' && callee.from === 'elsewhere') at.reading.meetsUnread(callee);
  else at.reading.report('describes', node, at);
  return unknown;
}

/** Whether `compose` may run the second argument. That of `fallback` is plain data most often. */
function mayRun(word: Word, { kind }: Value): boolean {
  return runsBody.has(word) || (word === 'fallback' && kind === 'named');
}

/** The methods of lists that call a function at once with an item, and those of them that ask it. */
const asking = new Set(['filter', 'find', 'findIndex', 'findLast', 'some', 'every']);
const iterating = new Set([...asking, 'map', 'flatMap', 'forEach']);
const folding = new Set(['reduce', 'reduceRight', 'sort', 'toSorted', 'from']);

function callBack(
  method: MemberExpression | undefined,
  args: readonly Value[],
  { at, receiver }: { readonly at: At; readonly receiver: Value | undefined },
): void {
  const name = (method && propertyName(method.property, method.computed)) ?? '';
  if (!iterating.has(name) && !folding.has(name)) return;
  const item = receiver?.kind === 'list' && iterating.has(name) ? either(receiver.items) : unknown;
  for (const arg of args) {
    if (arg.kind !== 'function') continue;
    const result = at.evaluator.follow(arg, [item, unknown, unknown], at);
    if (result.kind === 'reference' && asking.has(name) && at.phase !== 'map')
      at.reading.report('branches', arg.node.body, { ...at, scope: arg.scope });
  }
}

export function constructed(node: NewExpression, at: At): Value {
  const made = at.evaluator.evaluate(node.callee, at);
  const [content] = listed(node.arguments, at);
  if (node.arguments.length === 0) reportVolatile(made, node, at);
  if (!['Map', 'Set'].includes(globalName(made))) return unknown;
  return { kind: 'collection', items: content?.kind === 'list' ? content.items : [] };
}

function globalName(value: Value): string {
  return value.kind === 'named' && value.from === 'global' ? value.path.join('.') : '';
}

/** The parts of an object whose fields are known. */
function partsOf(callee: Value, [holder]: readonly Value[]): Value {
  if (holder?.kind !== 'object') return unknown;
  const fields = [...holder.fields.values()];
  if (globalName(callee) === 'Object.values') return { kind: 'list', items: fields };
  if (globalName(callee) !== 'Object.entries') return unknown;
  return {
    kind: 'list',
    items: fields.map((field) => ({ kind: 'list', items: [unknown, field] })),
  };
}

function reportVolatile(callee: Value, node: AnyNode, at: At): void {
  if (at.phase === 'compose' && isVolatile(callee)) at.reading.report('volatile', node, at);
}
