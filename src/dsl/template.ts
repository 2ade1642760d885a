/** Values with references in them → templates, which are data. */
import { CompositionError } from '../errors.ts';
import { isPlainObject } from '../plain-object.ts';
import { isAnswer } from './answered.ts';
import type { Draft } from './draft.ts';
import type { Json, Source, Template } from './node.ts';
import { pointerOf } from './reference.ts';

/**
 * Turns a value with references anywhere inside into a template.
 *
 * @throws CompositionError that names the place of a promise, a function, a class instance, a
 * reference of another composition or an object that contains itself.
 */
export function toTemplate(draft: Draft, value: unknown, place: string): Template {
  return visit(draft, value, { place, inside: [] });
}

/** The source of a reference that must belong to `draft`. */
export function toSource(draft: Draft, value: unknown, place: string): Source {
  const pointer = pointerOf(value);
  if (pointer === undefined) {
    throw new CompositionError(
      draft.place,
      `${place} is not a reference but ${describeValue(value)}. Pass what call(), each(), map() ` +
        'or a field of params gave you.',
    );
  }
  if (pointer.draft !== draft) {
    throw new CompositionError(
      draft.place,
      `${place} is a step of another composition (${pointer.draft.place}). Call the operation ` +
        'again in this one.',
    );
  }
  return pointer.source;
}

interface Position {
  readonly place: string;
  /** The objects around this one, to detect circles. */
  readonly inside: readonly object[];
}

function visit(draft: Draft, value: unknown, position: Position): Template {
  if (pointerOf(value) !== undefined) {
    return { kind: 'reference', source: toSource(draft, value, position.place) };
  }
  if (isScalar(value)) return { kind: 'literal', value };
  if (Array.isArray(value) || isPlainObject(value)) return visitParts(draft, value, position);
  if (isAnswer(value))
    throw new CompositionError(
      draft.place,
      'answer() is what compose() returns, not a part of it. Return it at the end.',
    );
  // It may still reject, which would be an unhandled rejection.
  if (value instanceof Promise) value.catch(() => undefined);
  throw new CompositionError(
    draft.place,
    `${position.place} is ${describeValue(value)}. ${instead(value)}`,
  );
}

function visitParts(draft: Draft, value: object, { place, inside }: Position): Template {
  if (inside.includes(value)) {
    throw new CompositionError(
      draft.place,
      `${place} contains itself. A response is a tree: build it without the cycle.`,
    );
  }
  const inValue = (part: string): Position => ({ place: part, inside: [...inside, value] });
  if (Array.isArray(value)) {
    // `from` fills holes, which `map` would keep.
    const items = Array.from(value, (item, index) =>
      visitItem(draft, item, inValue(`${place}[${index}]`)),
    );
    return items.every(isLiteral)
      ? { kind: 'literal', value: items.map((item) => item.value ?? null) }
      : { kind: 'array', items };
  }
  if (Object.hasOwn(value, '__proto__')) {
    throw new CompositionError(
      draft.place,
      `${place} has a field "__proto__", which is not an ordinary field in JavaScript. Rename it.`,
    );
  }
  const entries = Object.entries(value).map(
    ([key, part]) => [key, visit(draft, part, inValue(`${place}.${key}`))] as const,
  );
  return entries.every(isLiteralEntry)
    ? { kind: 'literal', value: Object.fromEntries(definedEntries(entries)) }
    : { kind: 'object', entries };
}

/** A field may be `undefined`, which is absence; in a list, JSON would make it `null`. */
function visitItem(draft: Draft, item: unknown, position: Position): Template {
  if (item !== undefined) return visit(draft, item, position);
  throw new CompositionError(
    draft.place,
    `${position.place} is undefined, which a list cannot contain. Use null.`,
  );
}

type Literal = Extract<Template, { kind: 'literal' }>;

function isLiteral(template: Template): template is Literal {
  return template.kind === 'literal';
}

function isLiteralEntry(entry: readonly [string, Template]): entry is readonly [string, Literal] {
  return isLiteral(entry[1]);
}

function definedEntries(entries: readonly (readonly [string, Literal])[]): [string, Json][] {
  return entries.flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value]]));
}

function isScalar(value: unknown): value is string | number | boolean | null | undefined {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || ['string', 'boolean', 'undefined'].includes(typeof value);
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (value instanceof Promise) return 'a promise';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object')
    return isPlainObject(value) ? 'an object' : `an instance of ${value.constructor.name}`;
  if (typeof value === 'function') return 'a function';
  return `the ${typeof value} ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`;
}

function instead(value: unknown): string {
  if (value instanceof Promise)
    return 'compose() runs once, at start-up: return references, not promises.';
  if (typeof value === 'function') return 'To compute a value, wrap the function: map(inputs, fn).';
  return 'Use references, plain objects, arrays, strings, finite numbers, booleans or null.';
}
