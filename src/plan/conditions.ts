/**
 * Finds conditions on references in the source of `compose`. `if (order.paid)` runs at start-up, on
 * a stand-in that is always truthy; at run time this cannot be noticed, but the source shows it.
 */
import { parse } from 'acorn';
import type {
  AnyNode,
  ArrowFunctionExpression,
  CallExpression,
  FunctionDeclaration,
  FunctionExpression,
  Pattern,
} from 'acorn';
import type * as steps from '../dsl/steps.ts';
import { CompositionError } from '../errors.ts';

type FunctionNode = ArrowFunctionExpression | FunctionExpression | FunctionDeclaration;

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
} satisfies Record<keyof typeof steps, true>;

/** @throws CompositionError that quotes the first condition on a reference. */
export function refuseConditions(name: string, compose: (inputs: never) => unknown): void {
  const source = compose.toString();
  const root = parseFunction(source);
  if (root === undefined) return;
  visitBody(root, new Set(), (operand) => {
    const text = source.slice(operand.start - root.offset, operand.end - root.offset);
    throw new CompositionError(
      name,
      `compose() branches on \`${text}\`, which is a reference: it has no value until a request ` +
        'is served, and is always truthy here. Use given() for a value that may be absent, and ' +
        'map() to compute.',
    );
  });
}

/** The syntax tree of a function; `offset` is the length of the prefix it was parsed with. */
function parseFunction(source: string): (FunctionNode & { offset: number }) | undefined {
  for (const [before, after] of [
    ['(', ')'],
    ['({', '})'],
  ] as const) {
    try {
      const program = parse(before + source + after, {
        ecmaVersion: 'latest',
        sourceType: 'module',
      });
      const found = findFunction(program);
      return found && Object.assign(found, { offset: before.length });
    } catch (error) {
      // The source of a method is only valid inside an object, that of a function only outside.
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

function findFunction(node: AnyNode): FunctionNode | undefined {
  if (isFunction(node)) return node;
  return children(node)
    .map(findFunction)
    .find((found) => found !== undefined);
}

type Report = (operand: AnyNode) => void;

/** A function whose parameters are references: `compose`, and what `given` and `each` run. */
function visitBody(node: FunctionNode, around: ReadonlySet<string>, report: Report): void {
  const references = new Set(around);
  for (const param of node.params) taint(param, references);
  for (const child of children(node)) visit(child, references, report);
}

/** Any other function: its parameters hide references of the same name. */
function visitFunction(node: FunctionNode, around: ReadonlySet<string>, report: Report): void {
  const hidden = new Set<string>();
  for (const param of node.params) taint(param, hidden);
  const references = new Set([...around].filter((name) => !hidden.has(name)));
  for (const child of children(node)) visit(child, references, report);
}

function visit(node: AnyNode, references: Set<string>, report: Report): void {
  if (isFunction(node)) return visitFunction(node, references, report);
  if (node.type === 'CallExpression' && isWord(node)) return visitWord(node, references, report);
  if (node.type === 'VariableDeclarator' && node.init && isReference(node.init, references)) {
    taint(node.id, references);
  }
  for (const operand of decidingOperands(node))
    if (isReference(operand, references)) report(operand);
  for (const child of children(node)) visit(child, references, report);
}

function visitWord(node: CallExpression, references: Set<string>, report: Report): void {
  const word = wordOf(node.callee);
  for (const argument of node.arguments) {
    if (!isFunction(argument)) visit(argument, references, report);
    // The function given to map runs on values, so conditions are fine there.
    else if (word !== 'map') visitBody(argument, references, report);
  }
}

/** The operands that decide how the program goes on. */
function decidingOperands(node: AnyNode): readonly AnyNode[] {
  switch (node.type) {
    case 'IfStatement':
    case 'ConditionalExpression':
    case 'WhileStatement':
    case 'DoWhileStatement':
      return outcomes(node.test);
    case 'ForStatement':
      return node.test ? outcomes(node.test) : [];
    case 'SwitchStatement':
      return [node.discriminant];
    case 'LogicalExpression':
    // `({ query: { limit = 20 } })`: a reference is never undefined, so the default never applies.
    case 'AssignmentPattern':
      return [node.left];
    default:
      return askingOperands(node);
  }
}

/** The operands of operators that test a value. Arithmetic on a reference throws by itself. */
function askingOperands(node: AnyNode): readonly AnyNode[] {
  switch (node.type) {
    case 'UnaryExpression':
      return ['!', 'typeof'].includes(node.operator) ? [node.argument] : [];
    case 'BinaryExpression':
      return /^[!=]==?$/.test(node.operator) ? [node.left, node.right] : [];
    case 'AssignmentExpression':
      return ['&&=', '||=', '??='].includes(node.operator) ? [node.left] : [];
    default:
      return [];
  }
}

/** The operands that a condition may evaluate to: for `a && b` either of them. */
function outcomes(test: AnyNode): readonly AnyNode[] {
  return test.type === 'LogicalExpression'
    ? [...outcomes(test.left), ...outcomes(test.right)]
    : [test];
}

function isReference(node: AnyNode, references: ReadonlySet<string>): boolean {
  if (node.type === 'Identifier') return references.has(node.name);
  if (node.type === 'MemberExpression') return isReference(node.object, references);
  if (node.type === 'ChainExpression') return isReference(node.expression, references);
  return node.type === 'CallExpression' && isWord(node);
}

/** `list.map(fn)` is the array's; ours, as `plait.map(inputs, fn)`, has two arguments. */
function isWord({ callee, arguments: given }: CallExpression): boolean {
  const isMethod = callee.type === 'MemberExpression' && wordOf(callee) === 'map';
  return Object.hasOwn(words, wordOf(callee) ?? '') && !(isMethod && given.length < 2);
}

/** `call` of `call(…)`, `plait.call(…)` and `(0, plait.call)(…)`. */
function wordOf(callee: AnyNode): string | undefined {
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type === 'MemberExpression' && callee.property.type === 'Identifier')
    return callee.property.name;
  const last = callee.type === 'SequenceExpression' ? callee.expressions.at(-1) : undefined;
  return last && wordOf(last);
}

function isFunction(node: AnyNode): node is FunctionNode {
  return ['ArrowFunctionExpression', 'FunctionExpression', 'FunctionDeclaration'].includes(
    node.type,
  );
}

function taint(pattern: Pattern, references: Set<string>): void {
  switch (pattern.type) {
    case 'Identifier':
      references.add(pattern.name);
      return;
    case 'ObjectPattern':
      for (const part of pattern.properties)
        taint(part.type === 'RestElement' ? part.argument : part.value, references);
      return;
    case 'ArrayPattern':
      for (const part of pattern.elements) if (part) taint(part, references);
      return;
    case 'AssignmentPattern':
      return taint(pattern.left, references);
    default:
  }
}

function children(node: AnyNode): AnyNode[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is AnyNode {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  );
}
