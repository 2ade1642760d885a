/** Types of values that JSON can carry: the results of functions given to `map`. */

import type { Bytes } from '../bytes.ts';
import type { Json } from './node.ts';

/** A value that says itself how JSON writes it: a `Date` as its ISO 8601 text. */
interface Writable<J = unknown> {
  toJSON(key: never): J;
}

type Scalar = string | number | bigint | boolean | null;

type Callable = (...args: never) => unknown;

/** Instances that JSON would write as `{}`, whatever is in them. */
type Opaque =
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | RegExp
  | Error
  | ArrayBufferLike
  | ArrayBufferView
  | PromiseLike<unknown>;

/**
 * `T` if JSON can carry it; otherwise a sentence in the place of each part that it cannot. A field
 * may be `undefined`, which is absence.
 */
export type Carryable<T> = [unknown] extends [T]
  ? T
  : // Before the next line, since they have no fields that JSON could not carry.
    [T] extends [Bytes]
    ? [T] extends [never]
      ? T
      : 'JSON cannot carry bytes: return them as the whole response'
    : // At once, since `Json` itself is recursive without end.
      [T] extends [Json]
      ? T
      : T extends Scalar | Writable
        ? T
        : T extends undefined
          ? 'JSON has no undefined here: return null instead'
          : T extends Callable | symbol
            ? 'JSON cannot carry a function or a symbol: return data'
            : T extends Opaque
              ? 'JSON cannot carry this object: return a list, or an object of plain fields'
              : T extends readonly unknown[]
                ? { [I in keyof T]: Carryable<T[I]> }
                : { [K in keyof T]: CarryableField<T[K]> };

type CarryableField<T> = T extends undefined ? T : Carryable<T>;

/** The type of a value after JSON has carried it: a mutable copy, in which dates are texts. */
export type Carried<T> = [unknown] extends [T]
  ? T
  : [Json] extends [T]
    ? T
    : T extends Scalar | undefined
      ? T
      : T extends Writable<infer J>
        ? J
        : T extends readonly unknown[]
          ? { -readonly [I in keyof T]: Carried<T[I]> }
          : T extends object
            ? { -readonly [K in keyof T]: Carried<T[K]> }
            : T;
