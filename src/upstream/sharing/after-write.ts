/**
 * No stale reads after a request's own write: from then on the request uses no answer from before,
 * neither one that is kept (`caching/entries`), nor one that is on its way (`flight`), nor one that it
 * got itself (`deduplicate`).
 */
import type { Call, Caller } from '../call.ts';

/** The request has written, or tried to: also a failed write may have changed something. */
export function noteWrite(caller: Caller): void {
  caller.hasWritten = true;
}

/** Whether an answer from before may be out of date for this call. */
export function needsFreshAnswer({ afterWrite }: Call): boolean {
  return afterWrite;
}
