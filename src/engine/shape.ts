/** Applies `pick` and `omit` to values. */
import type { ShapeNode } from '../dsl/node.ts';

/** Keeps or drops fields of an object, or of each object in a list. Other values do not change. */
export function shaped(value: unknown, node: ShapeNode): unknown {
  if (Array.isArray(value)) return value.map((item) => shaped(item, node));
  if (typeof value !== 'object' || value === null) return value;
  return node.mode === 'pick' ? picked(value, node.keys) : omitted(value, node.keys);
}

function picked(value: object, keys: readonly string[]): Record<string, unknown> {
  const fields = value as Record<string, unknown>; // any object can be read by name
  const result: Record<string, unknown> = {};
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] ?? '';
    if (Object.hasOwn(fields, key)) result[key] = fields[key];
  }
  return result;
}

function omitted(value: object, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
