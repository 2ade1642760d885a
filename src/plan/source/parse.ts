/** Source text → syntax tree, with the few functions on trees that all checks share. */
import { parse } from 'acorn';
import type {
  AnonymousFunctionDeclaration,
  AnyNode,
  ArrowFunctionExpression,
  FunctionDeclaration,
  FunctionExpression,
  Program,
} from 'acorn';

export type FunctionNode =
  | ArrowFunctionExpression
  | FunctionExpression
  | FunctionDeclaration
  | AnonymousFunctionDeclaration;

/** A text that was parsed. */
export interface SourceText {
  readonly text: string;
  /** The length of what was put before it to parse it. */
  readonly offset: number;
  /** Its file, where that is known. */
  readonly path: string | undefined;
  /** The text before types were taken from it, character for character. */
  readonly typed?: string;
}

/** The text of a function, as `toString` gives it; `undefined` for one without a text. */
export function parseFunction(
  text: string,
): { readonly node: FunctionNode; readonly source: SourceText } | undefined {
  // The text of a method is only valid inside an object, that of a function only outside.
  for (const [before, after] of [
    ['(', ')'],
    ['({', '})'],
  ] as const) {
    const program = parseProgram(before + text + after);
    const node = program && findFunction(program);
    if (node) return { node, source: { text, offset: before.length, path: undefined } };
  }
  return undefined;
}

/** `undefined` for a text with a syntax error: importing the file gives a better message. */
export function parseProgram(text: string): Program | undefined {
  try {
    return parse(text, { ecmaVersion: 'latest', sourceType: 'module' });
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function findFunction(node: AnyNode): FunctionNode | undefined {
  if (isFunction(node)) return node;
  return children(node)
    .map(findFunction)
    .find((found) => found !== undefined);
}

export function isFunction(node: AnyNode): node is FunctionNode {
  return ['ArrowFunctionExpression', 'FunctionExpression', 'FunctionDeclaration'].includes(
    node.type,
  );
}

/** The parts of a node that are code, in their order; keys and labels are none. */
export function children(node: AnyNode): AnyNode[] {
  const names: readonly unknown[] =
    'key' in node && 'computed' in node && !node.computed
      ? [node.key]
      : 'label' in node
        ? [node.label]
        : [];
  return Object.values(node)
    .flat()
    .filter((part) => isNode(part) && !names.includes(part));
}

/** The name of a property where the source shows it: `a.name`, `a['name']`, `{ name: … }`. */
export function propertyName(key: AnyNode, computed: boolean): string | undefined {
  if (key.type === 'Identifier' && !computed) return key.name;
  return key.type === 'Literal' ? String(key.value) : undefined;
}

/** The text of a node on one line, shortened. */
export function textOf(node: AnyNode, { text, offset }: SourceText): string {
  const whole = text.slice(node.start - offset, node.end - offset).replaceAll(/\s+/g, ' ');
  return whole.length > 80 ? `${whole.slice(0, 79)}…` : whole;
}

/** ` (compositions/order.ts:12)`, or nothing where the file is unknown. */
export function placeOf(node: AnyNode, { text, offset, path }: SourceText): string {
  if (path === undefined) return '';
  return ` (${path}:${text.slice(0, node.start - offset).split('\n').length})`;
}

function isNode(value: unknown): value is AnyNode {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  );
}
