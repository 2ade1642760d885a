/** Parsing by zod schemas, without surprises. */
import { z } from 'zod';
import { parseJson, parsePlainJson } from './json.ts';
import { isClosed, isGenerable } from './schema-traits.ts';

/** One thing that is wrong with a value. */
export interface ParseProblem {
  readonly path: readonly PropertyKey[];
  /** For whoever sent the value: may repeat parts of it. */
  readonly message: string;
  /** In words of the schema's kinds only, for traces and logs: repeats nothing of the value. */
  readonly words: string;
  /** zod's word for what kind of problem it is; `thrown` where the schema threw. */
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

/** Parses `value`; for many values by one schema, ask for its reader once. */
export function parseBy(schema: z.ZodType, value: unknown): Parsed {
  return readerOf(schema)(value);
}

/**
 * What parses by `schema`, made once for each. A schema that throws, or would have to be awaited, makes
 * a problem like any other.
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
  // One generated function for all of a schema takes half the time or less. What it does not accept is
  // parsed again by the schema itself, so the problems are the same.
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
 * Parses JSON text that nothing but `schema` reads. For a closed schema neither the nesting nor keys as
 * `__proto__` are looked for: they could only be where the schema never looks, in fields it drops.
 *
 * @throws SyntaxError as `parseJson` does, but of a closed schema not for nesting.
 */
export function parseJsonFor(schema: z.ZodType, text: string): unknown {
  let closed = closedSchemas.get(schema);
  if (closed === undefined) {
    closed = isClosed(schema);
    closedSchemas.set(schema, closed);
  }
  return closed ? parsePlainJson(text) : parseJson(text);
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

/** Kinds of problems of which zod's own words quote the value. */
const quoting = new Set(['unrecognized_keys', 'invalid_key', 'custom']);

const { localeError } = z.locales.en();

/** What zod says by itself. A schema may have words of its own, which may hold anything. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (quoting.has(issue.code)) return issue.code.replaceAll('_', ' ');
  const said = localeError({ ...issue, input: undefined } as z.core.$ZodRawIssue); // one that has been
  const words = (typeof said === 'string' ? said : said?.message) ?? issue.code;
  if (issue.code !== 'invalid_type') return words;
  // It says what was received, and the value is not here any more.
  const expected = words.replace(/, received \w+$/, '');
  const isOwn = issue.message.startsWith(expected) && /, received [\w ]+$/.test(issue.message);
  return isOwn ? issue.message : expected;
}
