/** What is kept of a call's outcome, for how long, and what it is worth later. */
import type { OperationCache } from '../../dsl/cache.ts';
import { foundIn, isKeptAsMissing, resultOf } from '../../dsl/lookup.ts';
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

/** One outcome and its time. All of it is JSON, but for `parsed`. */
export interface Entry {
  /** In milliseconds since 1970: entries are shared between processes. */
  readonly storedAt: number;
  readonly freshForMs: number;
  /** How long after that it is used while somebody refreshes it. */
  readonly refreshForMs: number;
  /** How long after that it is used when a call fails. */
  readonly fallbackForMs: number;
  readonly outcome: Outcome;
}

export type Outcome =
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly headers: Reply['headers'];
      readonly raw: unknown;
      /** What the schema made of `raw`; only in this process. */
      readonly parsed?: { readonly value: unknown };
    }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'missing' };

/** What an entry is worth: `fallback` only when there is no other answer, `none` nothing. */
export type Worth = 'fresh' | 'refresh' | 'fallback' | 'none';

type Rules = Required<OperationCache>;

/** What a reply's freshness is computed from (RFC 9111, 4.2). Nothing else of its headers is kept. */
const keptHeaders = ['cache-control', 'expires', 'date', 'age'];

/** Clocks of machines that share a store differ; by more than this, an entry is not from the past. */
const mostSkewMs = 10_000;

/** The entry for `reply`, or nothing when it may not be kept. */
export function entryOfReply(call: Call, reply: Reply, storedAt: number): Entry | undefined {
  const rules = call.operation.cache;
  if (rules === undefined || isForbidden(reply.headers)) return undefined;
  const { status, raw, value } = reply;
  const outcome: Outcome = {
    kind: 'reply',
    status,
    headers: kept(reply.headers),
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

/** The entry for a failure that says: there is no such thing. */
export function entryOfFailure(call: Call, error: unknown, storedAt: number): Entry | undefined {
  const rules = call.operation.cache;
  if (rules === undefined || !(error instanceof UpstreamError)) return undefined;
  const { kind, status, cacheControl } = error;
  const headers = { 'cache-control': cacheControl };
  const forMs = isForbidden(headers) ? 0 : lifetimeMs(headers, rules.negativeTtlMs, rules);
  if (kind === 'missing') return negative({ kind }, storedAt, forMs);
  const isGone = kind === 'status' && (status === 404 || status === 410);
  return isGone ? negative({ kind, status }, storedAt, forMs) : undefined;
}

export function keepMsOf({ freshForMs, refreshForMs, fallbackForMs }: Entry): number {
  return freshForMs + Math.max(refreshForMs, fallbackForMs);
}

export function worthOf(entry: Entry, now: number): Worth {
  const elapsed = now - entry.storedAt;
  if (elapsed < -mostSkewMs) return 'none';
  const overdue = elapsed - entry.freshForMs;
  if (overdue < 0) return 'fresh';
  if (overdue < entry.refreshForMs) return 'refresh';
  return overdue < entry.fallbackForMs ? 'fallback' : 'none';
}

/**
 * The outcome again, as a reply of now.
 *
 * @throws UpstreamError the remembered one; of kind `invalid-body` when the reply no longer fits the schema.
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

function parsedAgain(call: Call, { raw, status }: Outcome & { kind: 'reply' }): unknown {
  const { lookup, response } = call.operation;
  if (lookup === undefined) return parseValue(call, response, raw, status);
  const found = foundIn(lookup, raw);
  const value =
    found && resultOf(lookup, found, (item) => parseValue(call, response, item, status));
  if (value !== undefined) return value;
  throw callError(call, 'invalid-body', 'was kept when the lookup had other options');
}

function negative(outcome: Outcome, storedAt: number, freshForMs: number): Entry | undefined {
  return usable({ storedAt, freshForMs, refreshForMs: 0, fallbackForMs: 0, outcome });
}

function usable(entry: Entry): Entry | undefined {
  return keepMsOf(entry) > 0 ? entry : undefined;
}

function isMissing(call: Call, { raw }: Reply): boolean {
  const { lookup } = call.operation;
  return lookup !== undefined && isKeptAsMissing(lookup, raw);
}

/** Said to be for one client, or for nobody to keep: no setting of ours changes that (RFC 9111, 3). */
function isForbidden(headers: Reply['headers']): boolean {
  const { noStore } = parseCacheControl(headers['cache-control']);
  return noStore || isForOneClient(headers) || variesByAll(headers);
}

/** `mostMs`, or less when the service says less. */
function lifetimeMs(headers: Reply['headers'], mostMs: number, rules: Rules): number {
  if (rules.ignoreMaxAge) return mostMs;
  const control = parseCacheControl(headers['cache-control']);
  if (control.noCache) return 0;
  const said = control.sMaxAgeSeconds ?? control.maxAgeSeconds ?? expirySeconds(headers);
  if (said === undefined) return mostMs;
  return Math.min(mostMs, Math.max(0, said - ageSecondsOf(headers['age'])) * 1000);
}

function kept(headers: Reply['headers']): Reply['headers'] {
  return Object.fromEntries(
    keptHeaders.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]]),
  );
}
