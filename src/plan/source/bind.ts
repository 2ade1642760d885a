/** Names and the values that they are given: parameters, declarations and assignments. */
import type { AnyNode, AssignmentExpression, ObjectPattern, Pattern } from 'acorn';
import type { At } from './at.ts';
import { holderOf } from './members.ts';
import { children, propertyName } from './parse.ts';
import { condition } from './condition.ts';
import { either, fieldOf, optionalReference, reassign, reference, unknown } from './value.ts';
import type { Value } from './value.ts';

export function assigned({ left, operator, right }: AssignmentExpression, at: At): Value {
  if (['&&=', '||=', '??='].includes(operator)) condition(left, at);
  const value = at.evaluator.evaluate(right, at);
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
export function rebind(pattern: AnyNode, at: At): void {
  if (pattern.type === 'Identifier') reassign(pattern.name, unknown, at.scope);
  else for (const part of children(pattern)) rebind(part, at);
}

/** Gives the names in `pattern` their values; `undefined` is an argument that is absent. */
export function bind(pattern: Pattern, value: Value | undefined, at: At): void {
  switch (pattern.type) {
    case 'Identifier':
      at.scope.names.set(pattern.name, value ?? unknown);
      return;
    case 'AssignmentPattern': {
      const instead = at.evaluator.evaluate(pattern.right, at);
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
      at.evaluator.evaluate(pattern, at);
  }
}

function bindFields(pattern: ObjectPattern, holder: Value, at: At): void {
  for (const part of pattern.properties) {
    if (part.type === 'RestElement') {
      bind(part.argument, holder.kind === 'reference' ? reference : unknown, at);
      continue;
    }
    if (part.computed) at.evaluator.evaluate(part.key, at);
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
