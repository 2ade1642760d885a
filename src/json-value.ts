/** Checks that JSON can carry a value: nothing is dropped or changed silently. */
import { toPointer } from './json.ts';
import { isUnheld } from './exact-number.ts';
import { isPlainObject } from './plain-object.ts';

/** A value that JSON cannot carry. The message does not quote it. */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError';
  /** In words: `NaN`, `an instance of Set`. */
  readonly found: string;

  /** Only the cause gives `path`, since it may consist of keys that come from a service. */
  constructor(found: string, path: readonly PropertyKey[]) {
    super(`${found} cannot be carried by JSON`, {
      cause: path.length === 0 ? undefined : new Error(`at ${toPointer(path)}`),
    });
    this.found = found;
  }
}

/** More levels than any response needs, and less than recursion and `JSON.stringify` allow. */
const mostDepth = 200;

const none: ReadonlyMap<unknown, unknown> = new Map();

/**
 * The value itself if JSON can carry it, or a copy in which `toJSON` has replaced values that have
 * one, such as dates. A field that is `undefined` is absent.
 *
 * @param originals - Replacements for some values, which are not checked.
 * @throws NotJsonError for `NaN`, an invalid date, a function, a symbol, a promise, instances
 * without a `toJSON`, endless nesting, and `undefined` at the top or in a list.
 */
export function toJsonValue(value: unknown, originals = none): unknown {
  const path: PropertyKey[] = [];
  return carried(value);

  function carried(part: unknown): unknown {
    switch (typeof part) {
      case 'string':
      case 'boolean':
      case 'bigint':
        return part;
      case 'number':
        return Number.isFinite(part) ? part : refuse(String(part));
      case 'object':
        return part === null ? null : carriedObject(part);
      case 'function':
        return isUnheld(part) ? part : carriedFunction(part);
      case 'symbol':
        return refuse('a symbol');
      default:
        return refuse('undefined');
    }
  }

  /** `JSON.stringify` asks functions, too. A reference, which has no value, explains itself. */
  function carriedFunction(part: object): unknown {
    if ('toJSON' in part && typeof part.toJSON === 'function') return carried(part.toJSON(''));
    return refuse('a function');
  }

  function carriedObject(part: object): unknown {
    const original = originals.get(part);
    if (original !== undefined) return original;
    if (path.length >= mostDepth) return refuse(`a value nested deeper than ${mostDepth} levels`);
    if (part instanceof Date && Number.isNaN(part.getTime())) return refuse('an invalid date');
    if ('toJSON' in part && typeof part.toJSON === 'function') return carried(part.toJSON(''));
    if (Array.isArray(part)) return carriedList(part);
    return isPlainObject(part) ? carriedFields(part) : refuse(describeInstance(part));
  }

  function carriedList(list: readonly unknown[]): unknown {
    let copy: unknown[] | undefined;
    for (let index = 0; index < list.length; index += 1) {
      const own = carriedAt(index, list[index]);
      if (own !== list[index]) (copy ??= [...list])[index] = own;
    }
    return copy ?? list;
  }

  function carriedFields(fields: Readonly<Record<string, unknown>>): unknown {
    let copy: Record<string, unknown> | undefined;
    for (const key in fields) {
      const part = fields[key];
      const own = part === undefined ? undefined : carriedAt(key, part);
      if (own !== part) (copy ??= { ...fields })[key] = own;
    }
    return copy ?? fields;
  }

  function carriedAt(key: PropertyKey, part: unknown): unknown {
    // Most parts are texts and numbers, which need no path.
    if (typeof part === 'string') return part;
    path.push(key);
    const own = carried(part);
    path.pop();
    return own;
  }

  function refuse(found: string): never {
    throw new NotJsonError(found, path);
  }
}

function describeInstance(value: object): string {
  // Its rejection would be unhandled.
  if (value instanceof Promise) value.catch(() => undefined);
  const { constructor } = value as { readonly constructor?: { readonly name?: unknown } };
  const name = constructor?.name;
  return `an instance of ${typeof name === 'string' && name !== '' ? name : 'a class'}`;
}
