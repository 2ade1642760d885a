/**
 * Parsing by zod schemas: never throws, is fast, and reports problems without quoting the value.
 */
import { z } from 'zod';
import { UnheldNumberError, isExactNumber } from './exact-number.ts';
import { parseJson, parsePlainJson, pathOf, valueAt } from './json.ts';
import { oncePerSchema } from './once-per-schema.ts';
import { lifterOf } from './schema-numbers.ts';
import { stopAtMisfits } from './schema-stop.ts';
import { isClosed, isGenerable } from './schema-traits.ts';

/** One thing that is wrong with a value. */
export interface ParseProblem {
  readonly path: readonly PropertyKey[];
  /** The message for the sender of the value: may quote parts of it. */
  readonly message: string;
  /** The problem in words for traces and logs: quotes nothing of the value. */
  readonly words: string;
  /** zod's code for the problem; `thrown` if the schema threw. */
  readonly code: string;
  /** The fields that an object should not have. */
  readonly keys?: readonly string[];
}

export type Parsed = { readonly ok: true; readonly value: unknown } | Failed;

export interface Failed {
  readonly ok: false;
  readonly problems: readonly [ParseProblem, ...ParseProblem[]];
  readonly cause?: unknown;
}

/** Parses one value. */
export type Reader = (value: unknown) => Parsed;

/** Parses `value` by `schema`. For many values, get the schema's reader once. */
export function parseBy(schema: z.ZodType, value: unknown): Parsed {
  return readerOf(schema)(value);
}

/** Whether numbers that JavaScript would change are kept exactly or rounded. */
export type Numbers = 'exact' | 'rounded';

/**
 * Parses a value from JSON text by `schema`. Integers become `bigint` where the schema asks for
 * that. Numbers that a `number` would change do not fit `z.number()` unless `numbers` is
 * `rounded`.
 */
export function parseJsonBy(schema: z.ZodType, value: unknown, numbers: Numbers = 'exact'): Parsed {
  return jsonReaderOf[numbers](schema)(value);
}

const jsonReaderOf = {
  exact: oncePerSchema((schema) => createJsonReader(schema, 'exact')),
  rounded: oncePerSchema((schema) => createJsonReader(schema, 'rounded')),
};

function createJsonReader(schema: z.ZodType, numbers: Numbers): Reader {
  const read = readerOf(schema);
  const lift = lifterOf(schema, { rounded: numbers === 'rounded' }) ?? unchanged;
  return function readJson(value) {
    const lifted = lift(value);
    const parsed = read(lifted);
    return parsed.ok ? parsed : withNumbers(parsed, lifted);
  };
}

function unchanged(value: unknown): unknown {
  return value;
}

/** Describes numbers that were kept exactly as numbers, as they are in JSON. */
function withNumbers(failed: Failed, value: unknown): Failed {
  if (failed.cause instanceof UnheldNumberError) {
    return { ok: false, problems: [inexactAt(pathOf(value, failed.cause.number) ?? [])] };
  }
  const [first, ...rest] = failed.problems;
  return {
    ...failed,
    problems: [ofNumber(first, value), ...rest.map((one) => ofNumber(one, value))],
  };
}

function ofNumber(problem: ParseProblem, value: unknown): ParseProblem {
  if (!isExactNumber(valueAt(value, problem.path))) return problem;
  const expectsNumber =
    problem.code === 'invalid_union' || /expected (?:number|int)\b/.test(problem.words);
  if (expectsNumber) return inexactAt(problem.path);
  return { ...problem, message: asNumber(problem.message), words: asNumber(problem.words) };
}

function asNumber(text: string): string {
  return text.replace(/received (?:bigint|function)$/, 'received number');
}

function inexactAt(path: readonly PropertyKey[]): ParseProblem {
  return {
    path,
    message: 'is a number that cannot be held exactly',
    words:
      'a number that JavaScript cannot hold exactly (use z.bigint() for an integer, or numbers: ' +
      "'rounded')",
    code: 'inexact_number',
  };
}

/**
 * The reader of a schema, which is made once. If a function in the schema throws or is
 * asynchronous, that is a problem like any other.
 */
export const readerOf = oncePerSchema(createReader);

function createReader(schema: z.ZodType): Reader {
  // One generated function for a whole schema takes half the time or less. A value that it rejects
  // is parsed again by the schema itself, so problems are the same.
  stopAtMisfits(schema);
  const { _zod: internals } = isKnownGenerable(schema) ? z.compile(schema) : schema;
  return function read(value): Parsed {
    try {
      const context = new BoundedContext(value);
      const result = internals.run({ value, issues: [] }, context);
      if (result instanceof Promise) return asynchronous(result);
      if (result.issues.length === 0) return { ok: true, value: result.value };
      const issues = context.abortEarly
        ? result.issues.slice(0, mostProblems).map(withFewKeys)
        : result.issues;
      const [first, ...rest] = issues.map((issue) =>
        toProblem(z.core.util.finalizeIssue(issue, context, z.config())),
      );
      return { ok: false, problems: [first ?? unknownProblem, ...rest] };
    } catch (cause) {
      return { ok: false, problems: [thrownProblem], cause };
    }
  };
}

/** More are not needed: an error for a client lists 50, and others name one. */
const mostProblems = 50;

/** An object may have any number of fields that it should not have; a message would list all. */
function withFewKeys(issue: z.core.$ZodRawIssue): z.core.$ZodRawIssue {
  if (issue.code !== 'unrecognized_keys') return issue;
  const keys = issue.keys as string[]; // raw issues are loosely typed
  return keys.length <= mostProblems ? issue : { ...issue, keys: keys.slice(0, mostProblems) };
}

/**
 * Makes zod stop at the first problems of a large value: to describe half a million takes seconds.
 * Only lists read it before there is a problem.
 */
class BoundedContext {
  readonly #value: unknown;
  #isLarge: boolean | undefined;

  constructor(value: unknown) {
    this.#value = value;
    this.#isLarge = undefined;
  }

  get abortEarly(): boolean {
    return (this.#isLarge ??= isLarge(this.#value));
  }
}

const largeParts = 2_000;

/** Whether a value has so many parts that describing a problem of each would take too long. */
function isLarge(value: unknown): boolean {
  let left = largeParts;
  const containers = [value];
  for (let part = containers.pop(); part !== undefined && left >= 0; part = containers.pop()) {
    if (typeof part !== 'object' || part === null) continue;
    if (Array.isArray(part)) left -= part.length;
    if (left < 0) break;
    for (const key in part) {
      const inner = (part as Record<string, unknown>)[key]; // all objects can be read by name
      if (typeof inner === 'object' && inner !== null) containers.push(inner);
      if ((left -= 1) < 0) break;
    }
  }
  return left < 0;
}

/** The problem of an asynchronous schema. Its promise is not awaited. */
function asynchronous(result: Promise<unknown>): Failed {
  result.catch(() => undefined);
  return { ok: false, problems: [thrownProblem], cause: new z.core.$ZodAsyncError() };
}

/** Whether functions of its author, which may return anything, take part in a schema's output. */
export function mayTransform(schema: z.ZodType): boolean {
  return !isKnownGenerable(schema);
}

const isKnownGenerable = oncePerSchema(isGenerable);

/**
 * Parses JSON text that nothing but `schema` reads. For a closed schema, deep nesting and keys like
 * `__proto__` are not checked: they could only be in fields that the schema drops without looking.
 *
 * @throws SyntaxError when the text is not JSON or, unless the schema is closed, is nested too
 * deeply.
 */
export function parseJsonFor(schema: z.ZodType, text: string, maxDepth?: number): unknown {
  return isKnownClosed(schema) ? parsePlainJson(text) : parseJson(text, maxDepth);
}

const isKnownClosed = oncePerSchema(isClosed);

const thrownProblem: ParseProblem = {
  path: [],
  message: 'its schema threw',
  words: 'thrown',
  code: 'thrown',
};

const unknownProblem: ParseProblem = {
  path: [],
  message: 'is invalid',
  words: 'custom',
  code: 'custom',
};

function toProblem(issue: z.core.$ZodIssue): ParseProblem {
  const { path, message, code } = issue;
  const keys = issue.code === 'unrecognized_keys' && { keys: issue.keys };
  return { path, message, words: wordsOf(issue), code, ...keys };
}

/** Codes of problems whose standard message quotes the value. */
const quoting = new Set(['unrecognized_keys', 'invalid_key', 'custom']);

const { localeError } = z.locales.en();

/** zod's standard message. That of the schema's author could contain anything. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (quoting.has(issue.code)) return issue.code.replaceAll('_', ' ');
  // A finished issue becomes a raw one again by getting back its input, which is not quoted.
  const said = localeError({ ...issue, input: undefined } as z.core.$ZodRawIssue);
  const words = (typeof said === 'string' ? said : said?.message) ?? issue.code;
  if (issue.code !== 'invalid_type') return words;
  // The message names the type that was received, which a finished issue does not contain.
  const expected = words.replace(/, received \w+$/, '');
  const isOwn = issue.message.startsWith(expected) && /, received [\w ]+$/.test(issue.message);
  return isOwn ? issue.message : expected;
}
