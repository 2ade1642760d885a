/** Source code as data; `print` makes its text. */

export type Code = string | Chain | List | Fields | Generic;

/** `z.array(…).min(1)`: calls on a name, in their order; without a name, a function and calls. */
export interface Chain {
  readonly kind: 'chain';
  readonly root: string;
  readonly calls: readonly Call[];
}

/** One call of a chain; the name may have dots, as in `iso.datetime`. */
export interface Call {
  readonly name: string;
  readonly args: readonly Code[];
}

/** `[a, b]`; the type of a tuple begins with `readonly [`. */
export interface List {
  readonly kind: 'list';
  readonly open: string;
  readonly items: readonly Code[];
}

/** `{ a: b }` */
export interface Fields {
  readonly kind: 'fields';
  readonly fields: readonly Field[];
}

/** A field of an object; with a `type` it is a getter, which may name what is declared later. */
export interface Field {
  /** `undefined`: the value is spread, as `...Base.shape`. */
  readonly name: string | undefined;
  readonly value: Code;
  readonly type?: Code;
}

/** A type with arguments: `z.ZodArray<z.ZodString>`. */
export interface Generic {
  readonly kind: 'generic';
  readonly name: string;
  readonly args: readonly Code[];
}

/** `z.name(…)` */
export function zod(name: string, ...args: readonly Code[]): Chain {
  return { kind: 'chain', root: 'z', calls: [{ name, args }] };
}

/** `name(…)` */
export function invoke(name: string, ...args: readonly Code[]): Chain {
  return { kind: 'chain', root: '', calls: [{ name, args }] };
}

/** `code.name(…)` */
export function chained(code: Chain | string, name: string, ...args: readonly Code[]): Chain {
  const call = { name, args };
  if (typeof code === 'string') return { kind: 'chain', root: code, calls: [call] };
  return { ...code, calls: [...code.calls, call] };
}

export function list(items: readonly Code[], open = '['): List {
  return { kind: 'list', open, items };
}

export function fields(...all: readonly Field[]): Fields {
  return { kind: 'fields', fields: all };
}

export function generic(name: string, ...args: readonly Code[]): Generic {
  return { kind: 'generic', name, args };
}

/** A text as a literal in single quotes, on one line whatever it contains. */
export function quoted(text: string): string {
  const escaped = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff]/g, toEscape);
  return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : single(escaped);
}

function single(escaped: string): string {
  return `'${escaped.replaceAll("'", "\\'")}'`;
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A name of a property as source code. */
export function property(name: string): string {
  if (name === '__proto__') return "['__proto__']";
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}
