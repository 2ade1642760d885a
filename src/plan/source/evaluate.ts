/**
 * Follows a function through its source, as far as it shows, and reports what can only be a
 * mistake. A value counts as a reference only where it cannot be anything else.
 */
import type { AnyNode, Class, ForOfStatement, ObjectExpression, TryStatement } from 'acorn';
import type { At, Reading } from './at.ts';
import { assigned, bind, rebind } from './bind.ts';
import { called, constructed, listed } from './calls.ts';
import { isNamed, member } from './members.ts';
import { isOptionalField, optionalParameters } from './optional-arguments.ts';
import { children, propertyName } from './parse.ts';
import type { FunctionNode, SourceText } from './parse.ts';
import { testedOperands } from './questions.ts';
import { condition } from './condition.ts';
import { either, optionalReference, scopeIn, unknown, valueOfName } from './value.ts';
import type { Closure, Scope, Value } from './value.ts';

/** The beginning of an evaluation. */
export function startAt(reading: Reading, scope: Scope, phase: At['phase']): At {
  return {
    evaluator: { evaluate, peek, follow },
    reading,
    scope,
    phase,
    isTried: false,
    maker: 'compose()',
    isHelper: false,
    returns: [],
  };
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
  for (const name of optionalParameters(node, source))
    if (names.get(name)?.kind === 'reference') names.set(name, optionalReference);
  for (const [name, value] of names)
    if (value.kind === 'object') names.set(name, withOptionalFields(value.fields, source));
}

function withOptionalFields(fields: ReadonlyMap<string, Value>, source: SourceText): Value {
  const marked = [...fields].map(([name, value]): [string, Value] =>
    value.kind === 'reference' && isOptionalField(name, source)
      ? [name, optionalReference]
      : [name, value],
  );
  return { kind: 'object', fields: new Map(marked) };
}

/** A function that may reach its end returns `undefined`, too. */
function returned(last: AnyNode | undefined, { returns }: At): Value {
  const ends = last?.type === 'ReturnStatement' || last?.type === 'ThrowStatement';
  return ends ? either(returns) : unknown;
}

export function evaluate(node: AnyNode, at: At): Value {
  const value = peek(node, at);
  if (at.phase === 'map' && isNamed(node) && value.kind === 'reference')
    at.reading.report('captures', node, at);
  return value;
}

function peek(node: AnyNode, at: At): Value {
  switch (node.type) {
    case 'Identifier':
      return valueOfName(node.name, at.scope);
    case 'MemberExpression':
      return member(node, at);
    case 'ChainExpression':
      return peek(node.expression, at);
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
      condition(node.test, at);
      return either([evaluate(node.consequent, at), evaluate(node.alternate, at)]);
    case 'LogicalExpression':
      return either([condition(node.left, at), evaluate(node.right, at)]);
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
    if (tested.includes(part)) condition(part, at);
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
