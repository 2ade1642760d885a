/** The answer to a batch: which items belong to which key, and the value that each key gets. */
import { isComplete, resultOf } from '../../dsl/lookup.ts';
import { shownBy } from '../../dsl/lookup-by.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import type { Call, Reply } from '../call.ts';
import { callError } from '../call.ts';
import { parseValue } from '../exchange/parse.ts';
import { cacheControlOf } from '../exchange/status-error.ts';

/** The answer to one key. */
export interface Answer {
  readonly found: readonly unknown[];
  /** Whether the batch was answered with items that have no readable key. */
  readonly strays: boolean;
  readonly reply: Reply;
  /** The reply for loads that have joined. */
  readonly shared: Reply | undefined;
}

/**
 * The value of a key.
 *
 * @throws UpstreamError when the answer does not tell it, or when a key without items is an error.
 */
export function valueFor(call: Call, lookup: Lookup, { found, strays, reply }: Answer): unknown {
  const { status, headers } = reply;
  if (strays && !isComplete(lookup, found)) {
    const message = `answered with an item that has no readable "${shownBy(lookup)}"`;
    throw callError(call, 'invalid-body', message);
  }
  const value = resultOf(lookup, found, (item) =>
    parseValue(call, call.operation.response, item, status),
  );
  if (value !== undefined) return value;
  throw callError(call, 'missing', 'answered without an item for the key', cacheControlOf(headers));
}
