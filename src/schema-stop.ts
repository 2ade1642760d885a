/**
 * Lets lists stop at their first misfit. With `abortEarly`, zod itself goes on after a misfit of a
 * check, like a minimum: half a million of them take a second.
 */
import type { z } from 'zod';
import { defOf, schemasIn } from './schema-parts.ts';

type Run = z.core.$ZodType['_zod']['run'];
type Payload = z.core.ParsePayload;

/** Changes nothing for parses without `abortEarly`, which are those of everyone else. */
export function stopAtMisfits(schema: z.core.$ZodType): void {
  for (const part of schemasIn(schema)) {
    const def = defOf(part);
    if ('element' in def) stopAfter(def.element);
  }
}

const stopping = new WeakSet<Run>();

function stopAfter({ _zod: internals }: z.core.$ZodType): void {
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

/** The list breaks off, and no function sees what is there of it. */
function abort(result: Payload): void {
  result.aborted = true;
  for (const issue of result.issues) Object.assign(issue, { continue: false });
}
