/** Parsing by zod schemas, without surprises. */
import { z } from 'zod';

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

/** Parses `value`. A schema that throws, or would have to be awaited, makes a problem like any other. */
export function parseBy(schema: z.ZodType, value: unknown): Parsed {
  try {
    const result = schema.safeParse(value);
    if (result.success) return { ok: true, value: result.data };
    const [first, ...rest] = result.error.issues.map(toProblem);
    return { ok: false, problems: [first ?? unknownProblem, ...rest] };
  } catch (cause) {
    return {
      ok: false,
      problems: [{ path: [], message: 'its schema threw', words: 'thrown', code: 'thrown' }],
      cause,
    };
  }
}

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
