/** Where JavaScript looks at a value, and finds of a reference only that it is an object. */
import type { AnyNode, CallExpression } from 'acorn';
import { propertyName } from './parse.ts';
import type { Value } from './value.ts';

/** The operands that are tested. Arithmetic on a reference throws by itself. */
export function testedOperands(node: AnyNode): readonly AnyNode[] {
  switch (node.type) {
    case 'IfStatement':
    case 'ConditionalExpression':
    case 'WhileStatement':
    case 'DoWhileStatement':
      return [node.test];
    case 'ForStatement':
      return node.test ? [node.test] : [];
    case 'SwitchCase':
      return node.test ? [node.test] : [];
    case 'SwitchStatement':
      return [node.discriminant];
    case 'UnaryExpression':
      return ['!', 'typeof'].includes(node.operator) ? [node.argument] : [];
    case 'BinaryExpression':
      return /^[!=]==?$/.test(node.operator) ? [node.left, node.right] : [];
    default:
      return [];
  }
}

/** Functions of the language that look at their arguments without turning them into values. */
const looking =
  /^(?:Boolean|structuredClone|Array\.isArray|Object\.is|Number\.is\w+|console\.\w+)$/;

/** Modules of Node whose functions look at their arguments, too. */
const lookingModules = /^(?:node:)?(?:assert|util)(?:\/.+)?$/;

/** Methods that compare their argument with what they are called on, or what that contains. */
const comparing: ReadonlySet<string> = new Set(['includes', 'indexOf', 'lastIndexOf']);

/** Methods of schemas, which would judge the reference. */
const judging: ReadonlySet<string> = new Set(['safeParse', 'safeParseAsync']);

/** Methods of `Map` and `Set` that find by identity. */
const finding: ReadonlySet<string> = new Set(['has', 'get']);

export interface KnownCall {
  readonly callee: Value;
  /** The value of which it is a method. */
  readonly receiver: Value | undefined;
  readonly args: readonly Value[];
}

/** Whether the call looks at a reference. */
export function looksAtReference({ callee: node }: CallExpression, call: KnownCall): boolean {
  const { callee, receiver, args } = call;
  const hasReference = args.some(isReference);
  if (callee.kind === 'named' && lookingModules.test(callee.from)) return hasReference;
  if (callee.kind === 'named' && callee.from === 'global')
    return hasReference && looking.test(callee.path.join('.'));
  if (node.type !== 'MemberExpression' || receiver === undefined) return false;
  const method = propertyName(node.property, node.computed) ?? '';
  return methodLooks(method, receiver, hasReference);
}

function methodLooks(method: string, receiver: Value, hasReference: boolean): boolean {
  const contains = 'items' in receiver && receiver.items.some(isReference);
  if (finding.has(method)) return receiver.kind === 'collection' && (hasReference || contains);
  if (comparing.has(method) && contains) return true;
  if (!comparing.has(method) && !judging.has(method)) return false;
  return hasReference && !['reference', 'object', 'function'].includes(receiver.kind);
}

function isReference({ kind }: Value): boolean {
  return kind === 'reference';
}
