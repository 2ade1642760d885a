/**
 * Read-your-writes: after a write, a client request uses no earlier answers, neither from a cache
 * (`caching/entries`), nor from calls under way (`flight`), nor its own (`deduplicate`).
 */
import type { Call, Caller } from '../call.ts';

/** Notes that the request has written. Failed writes count: they may have changed something. */
export function noteWrite(caller: Caller): void {
  caller.hasWritten = true;
}

/** Whether earlier answers may be out of date for this call. */
export function needsFreshAnswer({ afterWrite }: Call): boolean {
  return afterWrite;
}
