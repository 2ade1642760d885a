/** Cache entries: makes one of the outcome of a call, and a reply of an entry. */
import type { OperationCache } from '../../dsl/cache.ts';
import { foundIn, isKeptAsMissing, resultOf } from '../../dsl/lookup.ts';
import type { Operation } from '../../dsl/operation.ts';
import { UpstreamError } from '../../errors.ts';
import {
  ageSecondsOf,
  expirySeconds,
  isForOneClient,
  parseCacheControl,
  variesByAll,
} from './cache-control.ts';
import type { Call, Reply } from '../call.ts';
import { callError } from '../call.ts';
import { frozen } from '../../frozen.ts';
import { parseValue } from '../exchange/parse.ts';

/** A stored outcome and its lifetimes. All of it is JSON, except `parsed`. */
export interface Entry {
  /** In milliseconds since 1970, since processes share entries. */
  readonly storedAt: number;
  readonly freshForMs: number;
  /** How long after that it may be served while it is refreshed (stale-while-revalidate). */
  readonly refreshForMs: number;
  /** How long after that it may be served if a call fails (stale-if-error). */
  readonly fallbackForMs: number;
  readonly outcome: StoredOutcome;
}

export type StoredOutcome =
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly headers: Reply['headers'];
      readonly raw: unknown;
      /** `raw` as the schema parsed it; only in this process. */
      readonly parsed?: { readonly value: unknown };
    }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'missing' };

/** How an entry may be used now. */
export type EntryState = 'fresh' | 'stale-while-revalidate' | 'stale-if-error' | 'expired';

type Rules = Required<OperationCache>;

/** The headers that determine freshness (RFC 9111, 4.2). The others are not stored. */
export const storedHeaders = ['cache-control', 'expires', 'date', 'age'] as const;

/** The largest clock skew between machines that share a store. */
const mostSkewMs = 10_000;

/** The entry for `reply`; `undefined` if it may not be stored. */
export function entryOfReply(call: Call, reply: Reply, storedAt: number): Entry | undefined {
  const rules = call.operation.cache;
  if (rules === undefined || isForbidden(reply.headers)) return undefined;
  const { status, raw, value } = reply;
  const outcome: StoredOutcome = {
    kind: 'reply',
    status,
    headers: freshnessHeaders(reply.headers),
    raw,
    parsed: { value: frozen(value) },
  };
  if (isMissing(call, reply)) {
    return negative(outcome, storedAt, lifetimeMs(reply.headers, rules.negativeTtlMs, rules));
  }
  const control = parseCacheControl(reply.headers['cache-control']);
  const mayBeStale = rules.ignoreMaxAge || !(control.noCache || control.mustRevalidate);
  return usable({
    storedAt,
    freshForMs: lifetimeMs(reply.headers, rules.ttlMs, rules),
    refreshForMs: mayBeStale ? rules.staleWhileRevalidateMs : 0,
    fallbackForMs: mayBeStale ? rules.staleIfErrorMs : 0,
    outcome,
  });
}

/** The entry for a failure that says "not found" (negative caching); otherwise `undefined`. */
export function entryOfFailure(call: Call, error: unknown, storedAt: number): Entry | undefined {
  const rules = call.operation.cache;
  if (rules === undefined || !(error instanceof UpstreamError)) return undefined;
  const { kind, status, cacheControl } = error;
  const headers = { 'cache-control': cacheControl };
  const forMs = isForbidden(headers) ? 0 : lifetimeMs(headers, rules.negativeTtlMs, rules);
  if (kind === 'missing') return negative({ kind }, storedAt, forMs);
  // A 404 to several keys may be about one of them only.
  const isGone =
    kind === 'status' && (status === 404 || status === 410) && call.operation.lookup === undefined;
  return isGone ? negative({ kind, status }, storedAt, forMs) : undefined;
}

/**
 * Whether this operation could have stored an entry: others can write to a shared store, and the
 * options of the operation may have changed since.
 */
export function isOwn({ operation }: Call, entry: Entry): boolean {
  const { cache: rules } = operation;
  if (rules === undefined) return false;
  const { freshForMs, refreshForMs, fallbackForMs, outcome } = entry;
  if (outcome.kind === 'reply' && isForbidden(outcome.headers)) return false;
  if (outcome.kind === 'status' && operation.lookup !== undefined) return false;
  if (isNegative(operation, outcome)) {
    return freshForMs <= rules.negativeTtlMs && refreshForMs === 0 && fallbackForMs === 0;
  }
  return (
    freshForMs <= rules.ttlMs &&
    refreshForMs <= rules.staleWhileRevalidateMs &&
    fallbackForMs <= rules.staleIfErrorMs
  );
}

function isNegative({ lookup }: Operation, outcome: StoredOutcome): boolean {
  if (outcome.kind !== 'reply') return true;
  return lookup !== undefined && isKeptAsMissing(lookup, outcome.raw);
}

export function keepMsOf({ freshForMs, refreshForMs, fallbackForMs }: Entry): number {
  return freshForMs + Math.max(refreshForMs, fallbackForMs);
}

export function stateOf(entry: Entry, now: number): EntryState {
  const elapsed = now - entry.storedAt;
  // Stored in the future, by a clock that is wrong.
  if (elapsed < -mostSkewMs) return 'expired';
  const overdue = elapsed - entry.freshForMs;
  if (overdue < 0) return 'fresh';
  if (overdue < entry.refreshForMs) return 'stale-while-revalidate';
  return overdue < entry.fallbackForMs ? 'stale-if-error' : 'expired';
}

/**
 * The stored outcome as a reply.
 *
 * @throws UpstreamError the stored failure, or one of kind `invalid-body` if the stored body does
 * not fit the schema.
 */
export function replay(call: Call, { outcome, storedAt }: Entry, now: number): Reply {
  switch (outcome.kind) {
    case 'reply': {
      const { status, raw, parsed } = outcome;
      const value = parsed === undefined ? frozen(parsedAgain(call, outcome)) : parsed.value;
      const elapsedSeconds = Math.max(0, Math.floor((now - storedAt) / 1000));
      const age = String(ageSecondsOf(outcome.headers['age']) + elapsedSeconds);
      return { status, headers: { ...outcome.headers, age }, raw, value };
    }
    case 'status':
      throw callError(call, 'status', `answered ${outcome.status}`, { status: outcome.status });
    case 'missing':
      throw callError(call, 'missing', 'answered without an item for the key');
    default:
      return outcome satisfies never;
  }
}

function parsedAgain(call: Call, { raw, status }: StoredOutcome & { kind: 'reply' }): unknown {
  const { lookup, response } = call.operation;
  if (lookup === undefined) return parseValue(call, response, raw, status);
  const found = foundIn(lookup, raw);
  const value =
    found && resultOf(lookup, found, (item) => parseValue(call, response, item, status));
  if (value !== undefined) return value;
  throw callError(call, 'invalid-body', 'was stored when the lookup had other options');
}

function negative(outcome: StoredOutcome, storedAt: number, freshForMs: number): Entry | undefined {
  return usable({ storedAt, freshForMs, refreshForMs: 0, fallbackForMs: 0, outcome });
}

function usable(entry: Entry): Entry | undefined {
  return keepMsOf(entry) > 0 ? entry : undefined;
}

function isMissing(call: Call, { raw }: Reply): boolean {
  const { lookup } = call.operation;
  return lookup !== undefined && isKeptAsMissing(lookup, raw);
}

/** Whether a response must not be stored, whatever the operation's settings (RFC 9111, 3). */
function isForbidden(headers: Reply['headers']): boolean {
  const { noStore } = parseCacheControl(headers['cache-control']);
  return noStore || isForOneClient(headers) || variesByAll(headers);
}

/** How long a reply is fresh: `mostMs`, or less if its headers say so. */
function lifetimeMs(headers: Reply['headers'], mostMs: number, rules: Rules): number {
  if (rules.ignoreMaxAge) return mostMs;
  const control = parseCacheControl(headers['cache-control']);
  if (control.noCache) return 0;
  const said = control.sMaxAgeSeconds ?? control.maxAgeSeconds ?? expirySeconds(headers);
  if (said === undefined) return mostMs;
  return Math.min(mostMs, Math.max(0, said - ageSecondsOf(headers['age'])) * 1000);
}

function freshnessHeaders(headers: Reply['headers']): Reply['headers'] {
  const names = storedHeaders.filter((name) => headers[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, headers[name]]));
}
