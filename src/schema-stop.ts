/**
 * Bounds the work on large values, for parses with `abortEarly`. Parses without it, which are those
 * of everyone else, do not change.
 */
import type { z } from 'zod';
import { intersectFast, isCompared } from './schema-intersection.ts';
import { defOf, schemasIn } from './schema-parts.ts';
import type { Def } from './schema-parts.ts';
import { parseInChunks } from './schema-record.ts';

type Schema = z.core.$ZodType;
type Run = Schema['_zod']['run'];
type Payload = z.core.ParsePayload;

/**
 * Makes lists, records and refinements stop at their first misfits, of which zod describes all:
 * half a million take seconds. Makes intersections merge in linear time.
 */
export function stopAtMisfits(schema: Schema): void {
  const parts = [...schemasIn(schema)];
  for (const part of parts) {
    const def = defOf(part);
    if (def.type === 'record') replaceParse(part, parseInChunks(part, def));
    if (def.type === 'intersection') replaceParse(part, intersectFast(part, def));
    if (def.checks?.some(addsIssues)) boundIssues(part);
  }
  // Last, since they wrap what their items run by now.
  for (const part of parts) for (const item of repeatedIn(defOf(part))) stopAfter(item);
}

/** The parts of a schema that any number of parts of a value have to fit. */
function repeatedIn(def: Def): readonly Schema[] {
  if (def.type === 'array') return [def.element];
  if (def.type === 'tuple') return def.rest ? [def.rest] : [];
  if (def.type === 'set') return [def.valueType];
  if (def.type === 'map') return [def.keyType, def.valueType];
  return def.type === 'object' && def.catchall ? [def.catchall] : [];
}

const replaced = new WeakSet<object>();

function replaceParse(part: Schema, parse: Run): void {
  if (replaced.has(part)) return;
  replaced.add(part);
  const { _zod: internals } = part;
  // Without checks, `run` is another name of `parse`.
  if (internals.run === internals.parse) internals.run = parse;
  internals.parse = parse;
}

const stopping = new WeakSet<Run>();

/**
 * Makes loops over items stop after a misfit of a check, like a minimum, too, after which zod
 * itself goes on.
 */
function stopAfter({ _zod: internals }: Schema): void {
  const { run } = internals;
  if (stopping.has(run)) return;
  const runAndStop: Run = (payload, context) => {
    const result = run(payload, context);
    if (!(result instanceof Promise) && result.issues.length > 0 && context.abortEarly === true)
      abort(result);
    return result;
  };
  stopping.add(runAndStop);
  internals.run = runAndStop;
}

/** The loop breaks off, and no function sees what is there of its result. */
function abort(result: Payload): void {
  result.aborted = true;
  for (const issue of result.issues) Object.assign(issue, { continue: false });
}

/** The most issues of a schema with such a refinement; an error for a client lists 50. */
const mostIssues = 1_000;

/** Whether a check is a function that adds issues itself, as in `superRefine`. */
function addsIssues({ _zod: { def } }: z.core.$ZodCheck<never>): boolean {
  return def.check === 'custom' && !('fn' in def);
}

/** Makes `addIssue` throw after many issues: a refinement may add one for each item. */
function boundIssues(part: Schema): void {
  const { _zod: internals } = part;
  const { run } = internals;
  if (bounded.has(part)) return;
  bounded.add(part);
  internals.run = function runBounded(payload, context) {
    if (context.abortEarly !== true || isCompared(context)) return run(payload, context);
    const { issues } = payload;
    payload.issues = FewIssues.from(issues);
    try {
      return run(payload, context);
    } catch (error) {
      if (!(error instanceof EnoughIssuesError)) throw error;
      payload.aborted = true;
      return payload;
    }
  };
}

const bounded = new WeakSet<Schema>();

class EnoughIssuesError extends Error {
  override readonly name = 'EnoughIssuesError';
}

/** The issues of one run of a schema. */
class FewIssues extends Array<z.core.$ZodRawIssue> {
  override push(...issues: z.core.$ZodRawIssue[]): number {
    if (this.length >= mostIssues) throw new EnoughIssuesError('no more issues are needed');
    return super.push(...issues);
  }
}
