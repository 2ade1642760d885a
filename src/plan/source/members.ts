/** Fields of values: `order.id`. */
import type { AnyNode, MemberExpression } from 'acorn';
import type { At } from './at.ts';
import { propertyName } from './parse.ts';
import { fieldOf, reference, unknown } from './value.ts';
import type { Value } from './value.ts';

export function member(node: MemberExpression, at: At): Value {
  return fieldAt(node, holderOf(node, at), at);
}

export function fieldAt(node: MemberExpression, holder: Value, at: At): Value {
  if (node.computed) at.evaluator.evaluate(node.property, at);
  const name = propertyName(node.property, node.computed);
  if (name !== undefined) return fieldOf(holder, name);
  return holder.kind === 'reference' ? reference : unknown;
}

/** Of `payment.status`, the whole is reported, not `payment`. */
export function holderOf({ object: holder }: MemberExpression, at: At): Value {
  return isNamed(holder) ? at.evaluator.peek(holder, at) : at.evaluator.evaluate(holder, at);
}

export function isNamed({ type }: AnyNode): boolean {
  return ['Identifier', 'MemberExpression', 'ChainExpression'].includes(type);
}
