/** The answer to a batch: which items belong to which key, and the value that each key gets. */
import { isComplete, resultOf } from '../../dsl/lookup-result.ts';
import { shownBy } from '../../dsl/lookup-by.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import type { Call, Reply } from '../call.ts';
import { callError } from '../call.ts';
import type { Match } from '../exchange/match.ts';
import { parseValue } from '../exchange/parse.ts';
import { cacheControlOf, envelopedError } from '../exchange/status-error.ts';

/** The answer to one key. */
export interface Answer {
  readonly found: readonly unknown[];
  /** The status with which the key has failed on its own. */
  readonly failedAs: number | undefined;
  /** The item or error in the answer that has no readable key, in words. */
  readonly stray: string | undefined;
  readonly reply: Reply;
  /** The reply for loads that have joined. */
  readonly shared: Reply | undefined;
}

/** The item or error that has no readable key, in words. */
export function strayIn(
  lookup: Lookup,
  found: Match['found'] | undefined,
  failed: Match['failed'],
): string | undefined {
  if (found?.has(undefined) === true) return `an item that has no readable "${shownBy(lookup)}"`;
  return failed.has(undefined) ? 'an error that has no readable key' : undefined;
}

/**
 * The value of a key.
 *
 * @throws UpstreamError when the answer does not tell it, or when a key without items is an error.
 */
export function valueFor(
  call: Call,
  lookup: Lookup,
  { found, failedAs, stray, reply }: Answer,
): unknown {
  const { status, headers } = reply;
  if (failedAs !== undefined)
    throw envelopedError(call, { status, headers: {}, said: failedAs, fields: undefined }, 0);
  if (stray !== undefined && !isComplete(lookup, found))
    throw callError(call, 'invalid-body', `answered with ${stray}`);
  const value = resultOf(lookup, found, (item) =>
    parseValue(call, call.operation.response, item, status),
  );
  if (value !== undefined) return value;
  throw callError(call, 'missing', 'answered without an item for the key', cacheControlOf(headers));
}
