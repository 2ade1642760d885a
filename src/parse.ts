/**
 * Parsing by zod schemas: never throws, is fast, and reports problems without quoting the value.
 */
import { z } from 'zod';
import { parseJson, parsePlainJson } from './json.ts';
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

export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly problems: readonly [ParseProblem, ...ParseProblem[]];
      readonly cause?: unknown;
    };

/** Parses one value. */
export type Reader = (value: unknown) => Parsed;

/** Parses `value` by `schema`. For many values, get the schema's reader once. */
export function parseBy(schema: z.ZodType, value: unknown): Parsed {
  return readerOf(schema)(value);
}

/**
 * The reader of a schema, which is made once. If a function in the schema throws or is
 * asynchronous, that is a problem like any other.
 */
export function readerOf(schema: z.ZodType): Reader {
  let reader = readers.get(schema);
  if (reader === undefined) {
    reader = createReader(schema);
    readers.set(schema, reader);
  }
  return reader;
}

const readers = new WeakMap<z.ZodType, Reader>();

function createReader(schema: z.ZodType): Reader {
  // One generated function for a whole schema takes half the time or less. A value that it rejects
  // is parsed again by the schema itself, so problems are the same.
  const compiled = isGenerable(schema) ? z.compile(schema) : schema;
  return function read(value): Parsed {
    try {
      const result = compiled.safeParse(value);
      if (result.success) return { ok: true, value: result.data };
      const [first, ...rest] = result.error.issues.map(toProblem);
      return { ok: false, problems: [first ?? unknownProblem, ...rest] };
    } catch (cause) {
      return { ok: false, problems: [thrownProblem], cause };
    }
  };
}

/**
 * Parses JSON text that nothing but `schema` reads. For a closed schema, deep nesting and keys like
 * `__proto__` are not checked: they could only be in fields that the schema drops without looking.
 *
 * @throws SyntaxError when the text is not JSON or, unless the schema is closed, is nested too
 * deeply.
 */
export function parseJsonFor(schema: z.ZodType, text: string, maxDepth?: number): unknown {
  let closed = closedSchemas.get(schema);
  if (closed === undefined) {
    closed = isClosed(schema);
    closedSchemas.set(schema, closed);
  }
  return closed ? parsePlainJson(text) : parseJson(text, maxDepth);
}

const closedSchemas = new WeakMap<z.ZodType, boolean>();

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
