/** Conditions: a reference is always truthy. */
import type { AnyNode } from 'acorn';
import type { At } from './at.ts';
import { either } from './value.ts';
import type { Value } from './value.ts';

/** Evaluates what decides how the program goes on: of `a && b` either of them. */
export function condition(node: AnyNode, at: At): Value {
  if (node.type === 'LogicalExpression')
    return either([condition(node.left, at), condition(node.right, at)]);
  const value = at.evaluator.evaluate(node, at);
  const isCertain = value.kind === 'reference' && !value.mayBeAbsent;
  if (isCertain && at.phase !== 'map') at.reading.report('branches', node, at);
  return value;
}
