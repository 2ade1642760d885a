/** Lets intersections of large values merge in linear time; zod compares all keys with all. */
import { z } from 'zod';
import { mergeValues } from './schema-merge.ts';
import type { Def } from './schema-parts.ts';

type Schema = z.core.$ZodType;
type Run = Schema['_zod']['run'];
type Payload = z.core.ParsePayload;

/** The context of all sides: a key that only one of two sides refuses is no misfit. */
const comparedContext: z.core.ParseContextInternal = { abortEarly: true };

/** Whether a misfit may not count, since the sides of an intersection are being compared. */
export function isCompared(context: z.core.ParseContextInternal): boolean {
  return context === comparedContext;
}

/** Gives zod both sides as one merged value, and leaves it to zod which misfits count. */
export function intersectFast(
  { _zod: { parse } }: Schema,
  { left: { _zod: left }, right: { _zod: right } }: Extract<Def, { type: 'intersection' }>,
): Run {
  const done: { left?: Payload; right?: Payload } = {};
  const { _zod: judge } = new z.core.$ZodIntersection({
    type: 'intersection',
    left: resultOf(() => done.left),
    right: resultOf(() => done.right),
  });
  return function parseIntersection(payload, context) {
    if (context.abortEarly !== true) return parse(payload, context);
    const a = left.run({ value: payload.value, issues: [] }, comparedContext);
    const b = right.run({ value: payload.value, issues: [] }, comparedContext);
    if (a instanceof Promise || b instanceof Promise)
      return Promise.all([a, b]).then(() => payload);
    const merged = mergeValues(a.value, b.value);
    // Different symbols are values that zod cannot merge either.
    a.value = merged === undefined ? Symbol() : merged.value;
    b.value = merged === undefined ? Symbol() : merged.value;
    keepFewKeys(a, b);
    Object.assign(done, { left: a, right: b });
    try {
      return judge.run(payload, comparedContext);
    } finally {
      Object.assign(done, { left: undefined, right: undefined });
    }
  };
}

/** A schema that has parsed already. */
function resultOf(result: () => Payload | undefined): Schema {
  const schema = new z.core.$ZodUnknown({ type: 'unknown' });
  const { _zod: internals } = schema;
  internals.run = (payload) => result() ?? payload;
  return schema;
}

/** The most keys that zod compares; an error for a client lists 50. */
const mostKeys = 50;

/** Keeps only keys that both sides refuse, and few of them. */
function keepFewKeys(left: Payload, right: Payload): void {
  if (left.issues.length === 0 || right.issues.length === 0) return;
  const ofRight = new Set(right.issues.flatMap(refusedKeys));
  const both = left.issues.flatMap(refusedKeys).filter((key) => ofRight.has(key));
  const kept = new Set([...new Set(both)].slice(0, mostKeys));
  left.issues = left.issues.flatMap((issue) => withKeys(issue, kept));
  right.issues = right.issues.flatMap((issue) => withKeys(issue, kept));
}

function refusedKeys(issue: z.core.$ZodRawIssue): readonly string[] {
  const depth = issue.path?.length ?? 0;
  if (issue.code === 'unrecognized_keys' && depth === 0) return issue.keys as string[];
  const isKey = issue.code === 'invalid_key' && issue.origin === 'record' && depth === 1;
  return isKey ? [String(issue.path?.[0])] : [];
}

function withKeys(
  issue: z.core.$ZodRawIssue,
  kept: ReadonlySet<string>,
): readonly z.core.$ZodRawIssue[] {
  const refused = refusedKeys(issue);
  if (refused.length === 0) return [issue];
  const keys = refused.filter((key) => kept.has(key));
  if (keys.length === 0) return [];
  return [issue.code === 'unrecognized_keys' ? { ...issue, keys } : issue];
}
