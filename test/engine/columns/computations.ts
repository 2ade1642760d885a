/** Types of values, as far as programs know them, and the functions that they give to `map`. */
import { keys } from './world.ts';

/** The type of a value, as far as it is known at start-up. */
export type Type =
  | { readonly kind: 'text' }
  | { readonly kind: 'record'; readonly fields: Readonly<Record<string, Type>> }
  | { readonly kind: 'list'; readonly of: Type };

export const textType: Type = { kind: 'text' };
const leafFields = { id: textType, ref: textType, other: textType };
const leafType: Type = { kind: 'record', fields: leafFields };
const leavesType: Type = { kind: 'list', of: leafType };
export const thingType: Type = {
  kind: 'record',
  fields: { ...leafFields, part: leafType, list: leavesType },
};

interface Computation {
  readonly type: Type;
  of(hash: number): unknown;
}

export type How = 'text' | 'leaf' | 'list' | 'maybe' | 'throws' | 'promises';

/** The computations of `map`, chosen by a hash of its inputs. */
export const computations: Record<How, Computation> = {
  text: { type: textType, of: keyFor },
  leaf: { type: leafType, of: leafFor },
  list: {
    type: leavesType,
    of: (hash) => Array.from({ length: hash % 4 }, (_, index) => leafFor(hash + index)),
  },
  maybe: { type: leafType, of: (hash) => (hash % 2 === 0 ? null : leafFor(hash)) },
  throws: {
    type: textType,
    of(hash) {
      if (hash % 3 === 0) throw new Error('by the program');
      return keyFor(hash);
    },
  },
  promises: { type: textType, of: (hash) => Promise.resolve(hash) },
};

function keyFor(hash: number): string {
  return keys[hash % keys.length] ?? '';
}

function leafFor(hash: number) {
  return { id: keyFor(hash), ref: keyFor(hash >> 2), other: null };
}
