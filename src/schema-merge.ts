/** Merges the values that the two sides of an intersection make, as zod does, in linear time. */
import { z } from 'zod';

export interface Merged {
  readonly value: unknown;
}

/** Objects key by key, lists item by item; `undefined` if other values differ. */
export function mergeValues(left: unknown, right: unknown): Merged | undefined {
  if (left === right) return { value: left };
  if (isPlainObject(left) && isPlainObject(right)) return mergeObjects(left, right);
  if (Array.isArray(left) && Array.isArray(right)) return mergeLists(left, right);
  const merged = z.core.mergeValues(left, right);
  return merged.valid ? { value: merged.data } : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function mergeObjects(left: Fields, right: Fields): Merged | undefined {
  const whole: Record<string, unknown> = { ...left };
  if (Object.hasOwn(whole, '__proto__')) delete whole['__proto__'];
  for (const key of Object.keys(right)) {
    const part = right[key];
    if (key === '__proto__') continue;
    if (!Object.hasOwn(whole, key)) whole[key] = part;
    else if (whole[key] !== part) {
      const merged = mergeValues(whole[key], part);
      if (merged === undefined) return undefined;
      whole[key] = merged.value;
    }
  }
  return { value: whole };
}

function mergeLists(left: readonly unknown[], right: readonly unknown[]): Merged | undefined {
  if (left.length !== right.length) return undefined;
  const whole: unknown[] = [];
  for (const [index, item] of left.entries()) {
    const merged = mergeValues(item, right[index]);
    if (merged === undefined) return undefined;
    whole.push(merged.value);
  }
  return { value: whole };
}

function isPlainObject(value: unknown): value is Fields {
  return z.core.util.isPlainObject(value);
}
