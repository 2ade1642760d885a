/** References: typed stand-ins for values that exist only while a request is served. */
import { CompositionError } from '../errors.ts';
import type { Source } from './node.ts';

declare const carried: unique symbol;

/** A stand-in for a value that will be a `T` when the request is served. */
export interface Reference<out T> {
  readonly [carried]: T;
}

/** A reference whose fields are references too: `order.customer.id` is a `Ref<string>`. */
export type Ref<T> = Reference<T> & Fields<NonNullable<T>, Extract<T, null | undefined>>;

/** Values without fields to refer to: their contents are reached with `map` or `each`. */
export type Opaque = string | number | boolean | bigint | symbol | Date | readonly unknown[];

// `-?` is not needed: `T[K]` of an optional field already contains `undefined`. The mapped type is
// deliberately not homomorphic, so a union of objects has the fields that all its members have.
type Fields<T, Absent> = [T] extends [Opaque | ((...args: never) => unknown)]
  ? unknown
  : [T] extends [object]
    ? { readonly [K in FieldNames<T>]: Ref<T[K] | Absent> }
    : unknown;

type FieldNames<T> = Extract<keyof T, string>;

/** The type of a template once its references are values. */
export type Resolved<W> =
  W extends Reference<infer T>
    ? T
    : W extends Opaque & readonly unknown[]
      ? { -readonly [I in keyof W]: Resolved<W[I]> }
      : W extends Opaque | null | undefined
        ? W
        : W extends object
          ? { -readonly [K in keyof W]: Resolved<W[K]> }
          : W;

/** A value that is shared with others: deeply read-only. */
export type Shared<T> = T extends Opaque & readonly unknown[]
  ? { readonly [I in keyof T]: Shared<T[I]> }
  : T extends Opaque | ((...args: never) => unknown) | null | undefined
    ? T
    : T extends object
      ? { readonly [K in keyof T]: Shared<T[K]> }
      : T;

/** A `T`, a reference to one, or an object or list made of both. */
export type Wired<T> = T | Reference<T> | WiredParts<T>;

/**
 * A list or an object made of wired parts. The brand, which is absent, keeps a `Ref<T | null>` from
 * matching by its fields alone.
 */
export type WiredParts<T> = T extends Opaque & readonly (infer Item)[]
  ? readonly Wired<Item>[]
  : T extends Opaque
    ? never
    : T extends object
      ? { readonly [K in keyof T]: Wired<T[K]> } & { readonly [carried]?: never }
      : never;

/** The composition in whose `compose` a reference was made. */
export interface Owner {
  /** The composition's name, for messages. */
  readonly place: string;
  /** Whether `compose` still runs. Afterwards, no reference may be used any more. */
  readonly isOpen: boolean;
  /** Words for a source: `order.items`, `params.orderId`. */
  describe(source: Source): string;
}

/** Where a reference points. */
export interface Pointer {
  readonly draft: Owner;
  readonly source: Source;
}

const pointers = new WeakMap<object, Pointer>();

/**
 * Creates a reference. Anything but reading a field throws an error that says what to do instead,
 * and so does reading a field once `compose` has ended.
 */
export function createReference<T>(pointer: Pointer): Ref<T> {
  const fields = new Map<string, object>();
  const reference = new Proxy(createTarget(pointer), {
    get: (_, key) => readField(pointer, fields, key),
    apply: () => refuseCall(pointer),
    set: () => refuse(pointer, 'was assigned to. References are read-only; build a new object'),
    has: () => refuse(pointer, 'was tested with `in`. Use map() to look inside'),
    ownKeys: () => refuse(pointer, 'was spread or enumerated. Use pick(), omit(), or map()'),
    getOwnPropertyDescriptor: () => refuse(pointer, 'was enumerated. Use pick(), omit(), or map()'),
    getPrototypeOf: () =>
      refuse(pointer, 'was tested with `instanceof`. Use map() to look at its value'),
    ...refusingChanges(pointer),
  });
  pointers.set(reference, pointer);
  // The brand exists in types only; this is the one place where a value gets it.
  return reference as unknown as Ref<T>;
}

/**
 * An arrow function: it has no own properties that a proxy must report, and a call of the reference
 * (`order.items.map(…)`) reaches `apply`, which explains more than a TypeError would.
 */
function createTarget(pointer: Pointer): () => undefined {
  // `console.log` looks through a proxy at its target, and would print a function.
  const inspect = () => refuse(pointer, 'was printed. It has no value yet: print it in map()');
  return Object.defineProperty(() => undefined, inspectCustom, {
    value: inspect,
    configurable: true,
  });
}

/** The method that `util.inspect`, and so `console.log`, calls in place of its own. */
const inspectCustom = Symbol.for('nodejs.util.inspect.custom');

/** The rarer ways to change an object. */
function refusingChanges(pointer: Pointer) {
  const change = () => refuse(pointer, 'was changed. References are read-only; build a new object');
  return {
    deleteProperty: change,
    defineProperty: change,
    setPrototypeOf: change,
    isExtensible: change,
    preventExtensions: change,
  } satisfies ProxyHandler<object>;
}

/** The pointer of a reference, or `undefined` for anything else. */
export function pointerOf(value: unknown): Pointer | undefined {
  return typeof value === 'function' ? pointers.get(value) : undefined;
}

/** The methods by which JavaScript turns an object into text or a number. */
const conversions: ReadonlySet<string> = new Set(['toString', 'valueOf', 'toJSON']);

function readField(pointer: Pointer, fields: Map<string, object>, key: string | symbol): unknown {
  if (!pointer.draft.isOpen) return refuseLate(pointer, key);
  if (typeof key === 'symbol') return readSymbol(pointer, key);
  if (conversions.has(key)) {
    return refuse(
      pointer,
      `was turned into a value (${key}). It has none yet: use map() to compute with it`,
    );
  }
  const known = fields.get(key);
  if (known !== undefined) return known;
  const { node, path } = pointer.source;
  const field = createReference({ ...pointer, source: { node, path: [...path, key] } });
  fields.set(key, field);
  return field;
}

function readSymbol(pointer: Pointer, key: symbol): unknown {
  if (key === Symbol.toPrimitive) {
    return refuse(
      pointer,
      'was turned into a value (in a string, a comparison or arithmetic). It has none yet: use ' +
        'map() to compute with it',
    );
  }
  if (key === Symbol.iterator || key === Symbol.asyncIterator) {
    return refuse(pointer, 'was iterated. Use each() for what happens per item, or map()');
  }
  return undefined;
}

/** The methods of a promise, which a call does not return. */
const promiseMethods: ReadonlyMap<string, string> = new Map([
  [
    'then',
    'was awaited. Steps wait for each other by themselves: pass the reference on, and use map() ' +
      'to compute with its value',
  ],
  [
    'catch',
    'was called. A step fails while a request is served, not here: use optional() for null in ' +
      'its place, or fallback() for a value',
  ],
  [
    'finally',
    'was called. A step ends while a request is served, not here: use after() for calls that ' +
      'have to wait for it',
  ],
]);

function refuseCall(pointer: Pointer): never {
  const method = pointer.source.path.at(-1) ?? '';
  return refuse(
    pointer,
    promiseMethods.get(method) ??
      'was called like a function. Use map() or each() to compute with it',
  );
}

/** Reading a field is what a function of `map` does with a reference that it has captured. */
function refuseLate({ draft, source }: Pointer, key: string | symbol): never {
  const isField = typeof key === 'string' && !conversions.has(key);
  const path = isField ? [...source.path, key] : source.path;
  return refuse({ draft, source: { ...source, path } }, '');
}

function refuse({ draft, source }: Pointer, problem: string): never {
  const late =
    'was used after compose() had ended, as in a function given to map(). It has no value there: ' +
    'pass it as an input of map(), as in map({ order, payment }, ({ order, payment }) => …)';
  throw new CompositionError(
    draft.place,
    `${draft.describe(source)} ${draft.isOpen ? problem : late}.`,
  );
}
