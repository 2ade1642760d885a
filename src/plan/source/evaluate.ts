/**
 * Follows a function through its source, as far as it shows, and reports what can only be a
 * mistake. A value counts as a reference only where it cannot be anything else.
 */
import type {
  AnyNode,
  AssignmentExpression,
  CallExpression,
  Class,
  ForOfStatement,
  MemberExpression,
  NewExpression,
  ObjectExpression,
  ObjectPattern,
  Pattern,
  TryStatement,
} from 'acorn';
import { optionalArguments } from './optional-arguments.ts';
import { children, propertyName } from './parse.ts';
import type { FunctionNode } from './parse.ts';
import { looksAtReference, testedOperands } from './questions.ts';
import type { MistakeKind } from './mistake.ts';
import {
  either,
  fieldOf,
  optionalReference,
  reassign,
  reference,
  scopeIn,
  unknown,
  valueOfName,
} from './value.ts';
import type { Closure, Scope, Value } from './value.ts';
import { isVolatile } from './volatile.ts';
import { isDefinition, wordOf } from './words.ts';
import type { Word } from './words.ts';

/** What is told while a function is followed. */
export interface Reading {
  report(kind: MistakeKind, node: AnyNode, at: At): void;
  /** A function of which the source is not at hand. */
  meetsUnread(callee: Value): void;
  /** A function that may never be called. */
  meetsFunction(closure: Closure, at: At): void;
  /** Whether to follow a function once more. */
  mayEnter(node: FunctionNode): boolean;
  leaves(node: FunctionNode): void;
}

/** Where the evaluation is. */
export interface At {
  readonly reading: Reading;
  readonly scope: Scope;
  /**
   * `compose`: it runs while `compose` does. `map`: it runs for each request. `perhaps`: nobody is
   * seen to call it.
   */
  readonly phase: 'compose' | 'map' | 'perhaps';
  /** Whether a `catch` is around it. */
  readonly isTried: boolean;
  /** The function, for messages. */
  readonly maker: string;
  /** Whether it is called by the composition, which need not give it all arguments. */
  readonly isHelper: boolean;
  readonly returns: Value[];
}

/** Follows a function that is called with `args`, and returns what it returns. */
export function follow({ node, scope }: Closure, args: readonly Value[], at: At): Value {
  if (!at.reading.mayEnter(node)) return unknown;
  const inside: At = { ...at, scope: scopeIn(scope), returns: [] };
  node.params.forEach((param, index) => bind(param, args[index], inside));
  if (at.isHelper) markOptional(node, inside.scope);
  const result = evaluate(node.body, inside);
  at.reading.leaves(node);
  if (node.async || node.generator) return unknown;
  return node.body.type === 'BlockStatement' ? returned(node.body.body.at(-1), inside) : result;
}

/** Whether these were given may be asked. */
function markOptional(node: FunctionNode, { names, source }: Scope): void {
  for (const name of optionalArguments(node, source))
    if (names.get(name)?.kind === 'reference') names.set(name, optionalReference);
}

/** A function that may reach its end returns `undefined`, too. */
function returned(last: AnyNode | undefined, { returns }: At): Value {
  const ends = last?.type === 'ReturnStatement' || last?.type === 'ThrowStatement';
  return ends ? either(returns) : unknown;
}

export function evaluate(node: AnyNode, at: At): Value {
  const value = valueOf(node, at);
  if (at.phase === 'map' && isNamed(node) && value.kind === 'reference')
    at.reading.report('captures', node, at);
  return value;
}

/** Evaluates what decides how the program goes on: of `a && b` either of them. */
function test(node: AnyNode, at: At): Value {
  if (node.type === 'LogicalExpression') return either([test(node.left, at), test(node.right, at)]);
  const value = evaluate(node, at);
  const isCertain = value.kind === 'reference' && !value.mayBeAbsent;
  if (isCertain && at.phase !== 'map') at.reading.report('branches', node, at);
  return value;
}

function valueOf(node: AnyNode, at: At): Value {
  switch (node.type) {
    case 'Identifier':
      return valueOfName(node.name, at.scope);
    case 'MemberExpression':
      return member(node, at);
    case 'ChainExpression':
      return valueOf(node.expression, at);
    case 'SequenceExpression':
      return node.expressions.map((part) => evaluate(part, at)).at(-1) ?? unknown;
    case 'CallExpression':
      return called(node, at);
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
      return closure(node, at);
    case 'ObjectExpression':
      return object(node, at);
    case 'ArrayExpression':
      return { kind: 'list', items: listed(node.elements, at) };
    case 'ConditionalExpression':
      test(node.test, at);
      return either([evaluate(node.consequent, at), evaluate(node.alternate, at)]);
    case 'LogicalExpression':
      return either([test(node.left, at), evaluate(node.right, at)]);
    case 'AssignmentExpression':
      return assigned(node, at);
    default:
      return run(node, at);
  }
}

/** Whatever gives no value that is followed. */
function run(node: AnyNode, at: At): Value {
  switch (node.type) {
    case 'NewExpression':
      return constructed(node, at);
    case 'AwaitExpression':
      return awaited(node.argument, at);
    case 'ClassExpression':
      return staticsOf(node, at);
    case 'VariableDeclarator':
      bind(node.id, node.init ? evaluate(node.init, at) : unknown, at);
      return unknown;
    case 'ReturnStatement':
      at.returns.push(node.argument ? evaluate(node.argument, at) : unknown);
      return unknown;
    case 'TryStatement':
      return runTry(node, at);
    case 'ForOfStatement':
      return runForOf(node, at);
    case 'FunctionDeclaration':
      return unknown; // its block has declared it
    default:
      return runParts(node, at);
  }
}

function awaited(node: AnyNode, at: At): Value {
  const isReference = evaluate(node, at).kind === 'reference';
  if (isReference && at.phase !== 'map') at.reading.report('awaits', node, at);
  return unknown;
}

function runTry({ block, handler, finalizer }: TryStatement, at: At): Value {
  evaluate(block, handler ? { ...at, isTried: true } : at);
  for (const part of [handler, finalizer]) if (part) evaluate(part, at);
  return unknown;
}

function runForOf({ left, right, body }: ForOfStatement, around: At): Value {
  const list = evaluate(right, around);
  const at = { ...around, scope: scopeIn(around.scope) };
  const item = list.kind === 'list' ? either(list.items) : unknown;
  const [declared] = left.type === 'VariableDeclaration' ? left.declarations : [];
  if (declared) bind(declared.id, item, at);
  else rebind(left, at);
  evaluate(body, at);
  return unknown;
}

const blocks = new Set(['BlockStatement', 'ForStatement', 'ForInStatement']);

function runParts(node: AnyNode, around: At): Value {
  const isBlock = blocks.has(node.type) || node.type === 'CatchClause';
  const at = isBlock ? { ...around, scope: scopeIn(around.scope) } : around;
  if (node.type === 'CatchClause' && node.param) bind(node.param, unknown, at);
  if (node.type === 'BlockStatement') for (const part of node.body) declare(part, at);
  const tested = testedOperands(node);
  for (const part of children(node)) {
    if (tested.includes(part)) test(part, at);
    else evaluate(part, at);
  }
  return unknown;
}

/** A name hides others of its kind in the whole block, also before its declaration. */
function declare(node: AnyNode, at: At): void {
  if (node.type === 'FunctionDeclaration') {
    if (node.id) at.scope.names.set(node.id.name, closure(node, at));
  } else if (node.type === 'ClassDeclaration') {
    if (node.id) at.scope.names.set(node.id.name, staticsOf(node, at));
  } else if (node.type === 'VariableDeclaration') {
    for (const { id } of node.declarations) bind(id, unknown, at);
  }
}

/** The functions of a class; its instances are not followed. */
export function staticsOf(node: Class, at: At): Value {
  const fields = new Map<string, Value>();
  for (const part of node.body.body) {
    if (part.type !== 'MethodDefinition' || !part.static || part.kind !== 'method') continue;
    const name = propertyName(part.key, part.computed);
    if (name !== undefined) fields.set(name, closure(part.value, at));
  }
  return { kind: 'object', fields };
}

function closure(node: FunctionNode, at: At): Closure {
  const made: Closure = { kind: 'function', node, scope: at.scope };
  // Whatever a function of `map` makes runs where it does.
  if (at.phase === 'map') follow(made, [], at);
  else at.reading.meetsFunction(made, at);
  return made;
}

function member(node: MemberExpression, at: At): Value {
  return fieldAt(node, holderOf(node, at), at);
}

function fieldAt(node: MemberExpression, holder: Value, at: At): Value {
  if (node.computed) evaluate(node.property, at);
  const name = propertyName(node.property, node.computed);
  if (name !== undefined) return fieldOf(holder, name);
  return holder.kind === 'reference' ? reference : unknown;
}

/** Of `payment.status`, the whole is reported, not `payment`. */
function holderOf({ object: holder }: MemberExpression, at: At): Value {
  return isNamed(holder) ? valueOf(holder, at) : evaluate(holder, at);
}

function isNamed({ type }: AnyNode): boolean {
  return ['Identifier', 'MemberExpression', 'ChainExpression'].includes(type);
}

function object(node: ObjectExpression, at: At): Value {
  const fields = new Map<string, Value>();
  for (const part of node.properties) {
    if (part.type === 'SpreadElement') {
      const spread = evaluate(part.argument, at);
      if (spread.kind === 'object') spread.fields.forEach((value, name) => fields.set(name, value));
      // It may replace any of the fields before it.
      else fields.clear();
      continue;
    }
    if (part.computed) evaluate(part.key, at);
    const value = evaluate(part.value, at);
    const name = propertyName(part.key, part.computed);
    if (name === undefined) fields.clear();
    else fields.set(name, part.kind === 'init' ? value : unknown);
  }
  return { kind: 'object', fields };
}

function assigned({ left, operator, right }: AssignmentExpression, at: At): Value {
  if (['&&=', '||=', '??='].includes(operator)) test(left, at);
  const value = evaluate(right, at);
  if (left.type === 'Identifier') {
    reassign(left.name, operator === '=' ? value : unknown, at.scope);
  } else if (left.type === 'MemberExpression') {
    const holder = holderOf(left, at);
    const name = propertyName(left.property, left.computed);
    if (holder.kind !== 'object') return value;
    if (name === undefined) holder.fields.clear();
    else holder.fields.set(name, either([holder.fields.get(name) ?? unknown, value]));
  } else {
    rebind(left, at);
  }
  return value;
}

/** `[a, b] = …`: the names may hold anything. */
function rebind(pattern: AnyNode, at: At): void {
  if (pattern.type === 'Identifier') reassign(pattern.name, unknown, at.scope);
  else for (const part of children(pattern)) rebind(part, at);
}

/** Gives the names in `pattern` their values; `undefined` is an argument that is absent. */
function bind(pattern: Pattern, value: Value | undefined, at: At): void {
  switch (pattern.type) {
    case 'Identifier':
      at.scope.names.set(pattern.name, value ?? unknown);
      return;
    case 'AssignmentPattern': {
      const instead = evaluate(pattern.right, at);
      const given = value?.kind === 'reference' ? optionalReference : value;
      return bind(pattern.left, given ?? instead, at);
    }
    case 'ObjectPattern':
      return bindFields(pattern, value ?? unknown, at);
    case 'ArrayPattern':
      pattern.elements.forEach((part, index) => {
        if (part) bindField(part, { holder: value ?? unknown, name: String(index) }, at);
      });
      return;
    case 'RestElement':
      return bind(pattern.argument, unknown, at);
    default:
      evaluate(pattern, at);
  }
}

function bindFields(pattern: ObjectPattern, holder: Value, at: At): void {
  for (const part of pattern.properties) {
    if (part.type === 'RestElement') {
      bind(part.argument, holder.kind === 'reference' ? reference : unknown, at);
      continue;
    }
    if (part.computed) evaluate(part.key, at);
    bindField(part.value, { holder, name: propertyName(part.key, part.computed) ?? '' }, at);
  }
}

function bindField(pattern: Pattern, { holder, name }: Field, at: At): void {
  // `({ query: { limit = 20 } })`: a reference is never undefined, so the default never applies.
  if (holder.kind === 'reference' && pattern.type === 'AssignmentPattern')
    at.reading.report('branches', pattern.left, at);
  bind(pattern, fieldOf(holder, name), at);
}

interface Field {
  readonly holder: Value;
  readonly name: string;
}

function called(node: CallExpression, at: At): Value {
  const method = node.callee.type === 'MemberExpression' ? node.callee : undefined;
  const receiver = method && holderOf(method, at);
  const callee = method && receiver ? fieldAt(method, receiver, at) : evaluate(node.callee, at);
  if (at.phase === 'map' && callee.kind === 'reference')
    at.reading.report('captures', node.callee, at);
  const args = listed(node.arguments, at);
  const word = wordOf(callee, node.arguments.length);
  if (word !== undefined) return useWord(word, args, { node, at });
  if (isDefinition(callee)) return args[0] ?? unknown;
  if (at.phase !== 'map' && looksAtReference(node, { callee, receiver, args }))
    at.reading.report('looks', node, at);
  reportVolatile(callee, node, at);
  if (callee.kind === 'function') {
    return follow(callee, args, { ...at, maker: makerOf(node, at), isHelper: true });
  }
  if (isUnread(callee, receiver)) at.reading.meetsUnread(callee);
  callBack(method, args, { at, receiver });
  return partsOf(callee, args);
}

/** Values after a spread have no known positions. */
function listed(nodes: readonly (AnyNode | null)[], at: At): Value[] {
  const values = nodes.map((node) => (node ? evaluate(node, at) : unknown));
  const spread = nodes.findIndex((node) => node?.type === 'SpreadElement');
  return spread === -1 ? values : values.map((value, index) => (index < spread ? value : unknown));
}

/** Whether what it does is unknown. What JavaScript itself has to offer is known. */
function isUnread(callee: Value, receiver: Value | undefined): boolean {
  if (callee.kind === 'named') return callee.from !== 'global';
  return callee.kind === 'unknown' && receiver?.kind !== 'list' && receiver?.kind !== 'collection';
}

function makerOf({ callee }: CallExpression, { maker }: At): string {
  if (callee.type === 'Identifier') return `${callee.name}()`;
  const name = callee.type === 'MemberExpression' && propertyName(callee.property, callee.computed);
  return name ? `${name}()` : maker;
}

interface Use {
  readonly node: CallExpression;
  readonly at: At;
}

function useWord(word: Word, args: readonly Value[], { node, at: around }: Use): Value {
  const at = { ...around, isHelper: false };
  if (at.phase === 'map') return unknown;
  if (at.isTried && at.phase === 'compose') at.reading.report('catches', node, at);
  const [, body = unknown] = args;
  if (body.kind === 'named' && body.from === 'elsewhere') at.reading.meetsUnread(body);
  if (body.kind !== 'function') return word === 'after' ? unknown : reference;
  switch (word) {
    case 'map':
      follow(body, [], { ...at, phase: 'map' });
      return reference;
    case 'given':
    case 'each':
      follow(body, [reference], at);
      return reference;
    case 'after':
      return follow(body, [], at);
    default:
      return reference;
  }
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
    const result = follow(arg, [item, unknown, unknown], at);
    if (result.kind === 'reference' && asking.has(name) && at.phase !== 'map')
      at.reading.report('branches', arg.node.body, { ...at, scope: arg.scope });
  }
}

function constructed(node: NewExpression, at: At): Value {
  const made = evaluate(node.callee, at);
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

/** For what is evaluated only for its value. */
export const silent: Reading = {
  report: () => undefined,
  meetsUnread: () => undefined,
  meetsFunction: () => undefined,
  mayEnter: () => false,
  leaves: () => undefined,
};
