/** As much as the source shows about values and the names that hold them. */
import type { FunctionNode, SourceText } from './parse.ts';

export type Value =
  /** Certainly a reference, or an optional argument, which may be absent instead. */
  | { readonly kind: 'reference'; readonly mayBeAbsent?: true }
  | Closure
  | { readonly kind: 'object'; readonly fields: Map<string, Value> }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  /** A `Map` or a `Set`. */
  | { readonly kind: 'collection'; readonly items: readonly Value[] }
  | Named
  | { readonly kind: 'unknown' };

/** A function of which the source is known. */
export interface Closure {
  readonly kind: 'function';
  readonly node: FunctionNode;
  readonly scope: Scope;
}

/** A name, or a field of it, that no source at hand declares. */
export interface Named {
  readonly kind: 'named';
  /**
   * The package that exports it; `global`; or `elsewhere`, where only the source of one function is
   * known, so that it may be anything that its file declares or imports.
   */
  readonly from: string;
  readonly path: readonly string[];
}

/** The names of a block, with those around it. */
export interface Scope {
  readonly around: Scope | undefined;
  readonly names: Map<string, Value>;
  readonly source: SourceText;
  /** The value of a name that no scope declares. */
  readonly outside: (name: string) => Value;
}

export const reference: Value = { kind: 'reference' };
export const optionalReference: Value = { kind: 'reference', mayBeAbsent: true };
export const unknown: Value = { kind: 'unknown' };

export function scopeIn(around: Scope): Scope {
  return { ...around, around, names: new Map() };
}

export function valueOfName(name: string, scope: Scope): Value {
  const holder = holderOf(name, scope);
  return holder?.names.get(name) ?? scope.outside(name);
}

/** After an assignment that may not have happened, the name holds either value. */
export function reassign(name: string, value: Value, scope: Scope): void {
  const holder = holderOf(name, scope);
  holder?.names.set(name, either([holder.names.get(name) ?? unknown, value]));
}

function holderOf(name: string, scope: Scope): Scope | undefined {
  for (let at: Scope | undefined = scope; at; at = at.around) if (at.names.has(name)) return at;
  return undefined;
}

export function fieldOf(value: Value, name: string): Value {
  switch (value.kind) {
    case 'reference':
      return reference;
    case 'object':
      return value.fields.get(name) ?? unknown;
    case 'list':
      return value.items[Number(name)] ?? unknown;
    case 'named':
      return { ...value, path: [...value.path, name] };
    default:
      return unknown;
  }
}

/** A value that is one of these: known only if they are the same. */
export function either(values: readonly Value[]): Value {
  const [first = unknown] = values;
  if (values.every((value) => value === first)) return first;
  const lists = values.flatMap((value) => (value.kind === 'list' ? [value.items] : []));
  const length = lists[0]?.length ?? 0;
  if (lists.length < values.length || lists.some((list) => list.length !== length)) return unknown;
  const items = Array.from({ length }, (_, at) => either(lists.map((list) => list[at] ?? unknown)));
  return { kind: 'list', items };
}

/** A name that no source declares. In a lone function it may be global, or from its file. */
export function outsideOfFunction(name: string): Value {
  return { kind: 'named', from: name in globalThis ? 'global' : 'elsewhere', path: [name] };
}
