/** The text of code: broken into lines at 100 columns, as oxfmt and Prettier do. */
import { property } from './code.ts';
import type { Call, Chain, Code, Field, Generic, List, Fields } from './code.ts';

export const columns = 100;

/** The text of code that begins behind `used` columns of a line that is indented by `indent`. */
export function print(code: Code, indent = 0, used = indent): string {
  const line = flat(code);
  // One column is for the comma or semicolon behind it.
  if (line !== undefined && used + line.length < columns) return line;
  if (typeof code === 'string') return code;
  switch (code.kind) {
    case 'fields':
      return broken(['{', '}'], code.fields, (field) => printField(field, indent + 2), indent);
    case 'list':
      return printList(code, indent);
    case 'generic':
      return printGeneric(code, indent);
    case 'chain':
      return printChain(code, indent, used);
    default:
      return code satisfies never;
  }
}

/** On one line; `undefined` for what is never written on one. */
function flat(code: Code): string | undefined {
  if (typeof code === 'string') return code;
  switch (code.kind) {
    case 'fields': {
      const parts = code.fields.map(({ name, value, type }) =>
        type === undefined ? joined(prefixOf(name), [value], '') : undefined,
      );
      if (parts.length === 0) return '{}';
      return parts.includes(undefined) ? undefined : `{ ${parts.join(', ')} }`;
    }
    case 'list':
      return joined(code.open, code.items, ']');
    case 'generic':
      return joined(`${code.name}<`, code.args, '>');
    case 'chain': {
      if (isCrowded(code)) return undefined;
      const calls = code.calls.map((call, index) =>
        joined(headOf(call, code, index), call.args, ')'),
      );
      return calls.includes(undefined) ? undefined : `${code.root}${calls.join('')}`;
    }
    default:
      return code satisfies never;
  }
}

function joined(open: string, items: readonly Code[], close: string): string | undefined {
  const texts = items.map(flat);
  return texts.includes(undefined) ? undefined : `${open}${texts.join(', ')}${close}`;
}

/** Formatters break a chain of three calls whose arguments are not simple. */
function isCrowded({ calls }: Chain): boolean {
  return calls.length > 2 && calls.some(({ args }) => args.some((arg) => isIntricate(arg)));
}

function isIntricate(code: Code, depth = 0): boolean {
  if (typeof code === 'string') return code.includes('=>') || /^\/.{6,}\/\w*$/.test(code);
  switch (code.kind) {
    case 'fields':
      return code.fields.some(({ value }) => isIntricate(value, depth + 1));
    case 'list':
      return code.items.some((item) => isIntricate(item, depth + 1));
    case 'chain':
      return (
        depth > 1 || code.calls.some(({ args }) => args.some((arg) => isIntricate(arg, depth + 1)))
      );
    case 'generic':
      return false;
    default:
      return code satisfies never;
  }
}

/** Items on lines of their own, each with a comma behind it. */
function broken<Item>(
  [open, close]: readonly [string, string],
  items: readonly Item[],
  write: (item: Item) => string,
  indent: number,
): string {
  const margin = ' '.repeat(indent + 2);
  const lines = items.map((item) => `${margin}${write(item)},\n`);
  return `${open}\n${lines.join('')}${' '.repeat(indent)}${close}`;
}

function printField({ name, value, type }: Field, indent: number): string {
  const key = property(name ?? '');
  const prefix = prefixOf(name);
  if (type === undefined) {
    const isLong = typeof value === 'string' && indent + prefix.length + value.length >= columns;
    if (isLong) return `${key}:\n${' '.repeat(indent + 2)}${value}`;
    return prefix + print(value, indent, indent + prefix.length);
  }
  const head = `get ${key}(): `;
  const margin = ' '.repeat(indent);
  const body = print(value, indent + 2, indent + 2 + 'return '.length);
  const returned = print(type, indent, indent + head.length + 1);
  return `${head}${returned} {\n${margin}  return ${body};\n${margin}}`;
}

/** `name: `; nothing before what is spread, which has no name. */
function prefixOf(name: string | undefined): string {
  return name === undefined ? '' : `${property(name)}: `;
}

function printList({ open, items }: List, indent: number): string {
  if (items.every((item) => typeof item === 'string' && /^-?[\d.]+$/.test(item)))
    return filled(items.map(String), indent);
  return broken([open, ']'], items, (item) => print(item, indent + 2), indent);
}

/** Numbers fill their lines. */
function filled(numbers: readonly string[], indent: number): string {
  const margin = ' '.repeat(indent + 2);
  const lines: string[] = [];
  for (const number of numbers) {
    const last = lines.at(-1);
    const longer = `${last} ${number},`;
    if (last === undefined || longer.length > columns) lines.push(`${margin}${number},`);
    else lines[lines.length - 1] = longer;
  }
  return `[\n${lines.join('\n')}\n${' '.repeat(indent)}]`;
}

function printGeneric({ name, args }: Generic, indent: number): string {
  if (args.length > 1)
    return broken([`${name}<`, '>'], args, (arg) => print(arg, indent + 2), indent).replace(
      /,(\n *>)$/,
      '$1',
    );
  const margin = ' '.repeat(indent);
  const [only = ''] = args;
  return `${name}<\n${margin}  ${print(only, indent + 2)}\n${margin}>`;
}

function printChain(chain: Chain, indent: number, used: number): string {
  const { root, calls } = chain;
  // A name in capitals stays with its call, and a function with a call on what it returns.
  if (calls.length === 1 || (/^(?:[A-Z]|$)/.test(root) && calls.length < 3))
    return printShortChain(chain, indent, used);
  const margin = ' '.repeat(indent + 2);
  const lines = calls.map((call, index) => {
    // Only the last call has a comma or semicolon behind it.
    const isLast = index === calls.length - 1;
    const place = { indent: indent + 2, used: indent + 2, after: isLast ? 1 : 0 };
    const text = printCall(call, headOf(call, chain, index), place);
    const isBehindName = index === 0 && (root === '' || /^[A-Z]/.test(root));
    return isBehindName ? text : `\n${margin}${text}`;
  });
  return `${root}${lines.join('')}`;
}

/** A chain whose calls begin where the one before them ends. */
function printShortChain(chain: Chain, indent: number, used: number): string {
  let text = chain.root;
  for (const [index, call] of chain.calls.entries()) {
    const rest = chain.root === '' && index === 0 ? chain.calls.slice(1) : [];
    const after = rest.reduce((sum, { name }) => sum + `.${name}()`.length, 1);
    const line = text.slice(text.lastIndexOf('\n') + 1);
    const place = { indent, used: line === text ? used + text.length : line.length, after };
    text += printCall(call, headOf(call, chain, index), place);
  }
  return text;
}

function headOf({ name }: Call, { root }: Chain, index: number): string {
  return `${root === '' && index === 0 ? '' : '.'}${name}(`;
}

interface Place {
  readonly indent: number;
  readonly used: number;
  readonly after?: number;
}

function printCall({ args }: Call, head: string, { indent, used, after = 1 }: Place): string {
  const line = joined(head, args, ')');
  if (line !== undefined && used + line.length + after <= columns) return line;
  const last = args.at(-1);
  const before = args.slice(0, -1);
  // An object or a list at the end begins on the line of the call, if that has room for it.
  const start = head + before.map((arg) => (typeof arg === 'string' ? `${arg}, ` : '')).join('');
  const isFlat = before.every((arg) => typeof arg === 'string');
  if (isBraced(last) && isFlat && used + start.length < columns)
    return `${start}${print(last, indent, used + start.length + 1)})`;
  return broken([head, ')'], args, (arg) => print(arg, indent + 2), indent);
}

function isBraced(code: Code | undefined): code is List | Fields {
  return typeof code === 'object' && (code.kind === 'list' || code.kind === 'fields');
}
