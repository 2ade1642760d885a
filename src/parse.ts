/** Parsing by zod schemas, without surprises. */
import type { z } from 'zod';

/** One thing that is wrong with a value. */
export interface ParseProblem {
  readonly path: readonly PropertyKey[];
  /** May repeat parts of the value. */
  readonly message: string;
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
      problems: [{ path: [], message: 'its schema threw', code: 'thrown' }],
      cause,
    };
  }
}

const unknownProblem: ParseProblem = { path: [], message: 'is invalid', code: 'custom' };

function toProblem(issue: z.core.$ZodIssue): ParseProblem {
  const { path, message, code } = issue;
  return { path, message, code, ...(issue.code === 'unrecognized_keys' && { keys: issue.keys }) };
}
