/** Cache entries: makes one of the outcome of a call, and a reply of an entry. */
import type { OperationCache } from '../../dsl/cache.ts';
import { foundIn, isKeptAsMissing, resultOf } from '../../dsl/lookup-result.ts';
import type { Operation } from '../../dsl/operation.ts';
import { UpstreamError } from '../../errors.ts';
import {
  ageSecondsOf,
  freshSeconds,
  isForOneClient,
  parseCacheControl,
  variesByAll,
} from './cache-control.ts';
import type { Call, Reply } from '../call.ts';
import { callError } from '../call.ts';
import { frozen } from '../../frozen.ts';
import { isPlainObject } from '../../plain-object.ts';
import { saysAbsent } from '../exchange/absent.ts';
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

/**
 * The headers that determine freshness (RFC 9111, 4.2), and the one that may have the address of a
 * list's next page. The others are not stored.
 */
export const storedHeaders = ['cache-control', 'expires', 'date', 'age', 'link'] as const;

/** The largest clock skew between machines that share a store. */
const mostSkewMs = 10_000;

/** The entry for `reply`; `undefined` if it may not be stored. */
export function entryOfReply(call: Call, reply: Reply, storedAt: number): Entry | undefined {
  const rules = call.operation.cache;
  if (rules === undefined || isForbidden(reply.headers)) return undefined;
  const { status, raw, value, target } = reply;
  // Links are relative to the target that has answered, which entries do not have.
  if (target !== undefined && reply.headers['link'] !== undefined) return undefined;
  const outcome: StoredOutcome = {
    kind: 'reply',
    status,
    headers: headersToStore(reply.headers),
    raw,
    parsed: { value: frozen(value) },
  };
  const lifetimes = isNegative(call.operation, outcome)
    ? negativeLifetimes(reply.headers, rules)
    : lifetimesOf(reply.headers, rules);
  return usable({ storedAt, ...lifetimes, outcome });
}

/** The entry for a failure that says "not found" (negative caching); otherwise `undefined`. */
export function entryOfFailure(call: Call, error: unknown, storedAt: number): Entry | undefined {
  const rules = call.operation.cache;
  if (rules === undefined || !(error instanceof UpstreamError)) return undefined;
  const { kind, status, cacheControl } = error;
  const headers = { 'cache-control': cacheControl };
  if (isForbidden(headers)) return undefined;
  const times = { storedAt, ...negativeLifetimes(headers, rules) };
  if (kind === 'missing') return usable({ ...times, outcome: { kind } });
  // A 404 to several keys may be about one of them only.
  const isAbsent = kind === 'status' && saysAbsent(status) && call.operation.lookup === undefined;
  return isAbsent ? usable({ ...times, outcome: { kind, status } }) : undefined;
}

/**
 * Whether this operation could have stored an entry: others can write to a shared store, and the
 * options of the operation may have changed since.
 */
export function isOwn({ operation }: Call, entry: Entry): boolean {
  const { cache: rules } = operation;
  const { outcome } = entry;
  if (rules === undefined || keepMsOf(entry) <= 0 || !hasOwnForm(operation, outcome)) return false;
  const headers = foreignHeaders(outcome);
  if (isForbidden(headers)) return false;
  const most = isNegative(operation, outcome)
    ? negativeLifetimes(headers, rules)
    : lifetimesOf(headers, rules);
  return (
    entry.freshForMs <= most.freshForMs &&
    entry.refreshForMs <= most.refreshForMs &&
    entry.fallbackForMs <= most.fallbackForMs
  );
}

/** Whether calls of an operation can have such an outcome. */
function hasOwnForm({ lookup, missing }: Operation, outcome: StoredOutcome): boolean {
  switch (outcome.kind) {
    case 'reply': {
      // The 404 to a request of a lookup says that there are no items.
      const isSuccess = outcome.status >= 200 && outcome.status <= 299;
      if (isSuccess) return true;
      if (lookup === undefined) return missing === 'null' && outcome.raw === null;
      return outcome.status === 404 && foundIn(lookup, outcome.raw)?.length === 0;
    }
    case 'status':
      return lookup === undefined && missing === 'error';
    case 'missing':
      return lookup?.missing === 'error';
    default:
      return outcome satisfies never;
  }
}

/** The headers of an answer from outside; those of one of this process were read when it came. */
function foreignHeaders(outcome: StoredOutcome): Reply['headers'] {
  return outcome.kind === 'reply' && outcome.parsed === undefined ? outcome.headers : {};
}

function isNegative({ lookup }: Operation, outcome: StoredOutcome): boolean {
  if (outcome.kind !== 'reply' || isMissing(lookup, outcome)) return true;
  return lookup !== undefined && isKeptAsMissing(lookup, outcome.raw);
}

/** Whether a reply is the 404 or 410 of an operation whose `missing` is `null`. */
function isMissing(lookup: Operation['lookup'], { status }: { readonly status: number }): boolean {
  return lookup === undefined && status > 299;
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
  const { lookup, response, parts, policies, responseKind } = call.operation;
  // Only the nesting of JSON is bounded here: the lists of a table or of XML are no levels of it.
  const isJson = responseKind.kind === 'json';
  // A body that is a part of the value is one level further down.
  if (isJson && isDeeperThan(raw, policies.maxDepth + (parts === undefined ? 0 : 1)))
    throw callError(call, 'invalid-body', 'was stored with a nesting that is not allowed');
  if (isMissing(lookup, { status })) return null;
  if (lookup === undefined) return parseValue(call, response, raw, status);
  const found = foundIn(lookup, raw);
  const value =
    found && resultOf(lookup, found, (item) => parseValue(call, response, item, status));
  if (value !== undefined) return value;
  throw callError(call, 'invalid-body', 'was stored when the lookup had other options');
}

/** Recursive: the depth of what is read from a store is limited. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (!Array.isArray(value) && !isPlainObject(value)) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(part, levels - 1));
}

function usable(entry: Entry): Entry | undefined {
  return keepMsOf(entry) > 0 ? entry : undefined;
}

/** Whether a response must not be stored, whatever the operation's settings (RFC 9111, 3). */
function isForbidden(headers: Reply['headers']): boolean {
  const { noStore } = parseCacheControl(headers['cache-control']);
  return noStore || isForOneClient(headers) || variesByAll(headers);
}

type Lifetimes = Pick<Entry, 'freshForMs' | 'refreshForMs' | 'fallbackForMs'>;

/** How long an answer with these headers may be used. */
function lifetimesOf(headers: Reply['headers'], rules: Rules): Lifetimes {
  const control = parseCacheControl(headers['cache-control']);
  const mayBeStale = rules.ignoreMaxAge || !(control.noCache || control.mustRevalidate);
  return {
    freshForMs: lifetimeMs(headers, rules.ttlMs, rules),
    refreshForMs: mayBeStale ? rules.staleWhileRevalidateMs : 0,
    fallbackForMs: mayBeStale ? rules.staleIfErrorMs : 0,
  };
}

function negativeLifetimes(headers: Reply['headers'], rules: Rules): Lifetimes {
  const freshForMs = lifetimeMs(headers, rules.negativeTtlMs, rules);
  return { freshForMs, refreshForMs: 0, fallbackForMs: 0 };
}

/** How long a reply is fresh: `mostMs`, or less if its headers say so. */
function lifetimeMs(headers: Reply['headers'], mostMs: number, rules: Rules): number {
  if (rules.ignoreMaxAge) return mostMs;
  const control = parseCacheControl(headers['cache-control']);
  if (control.noCache) return 0;
  const seconds = freshSeconds(headers, control);
  return seconds === undefined ? mostMs : Math.min(mostMs, seconds * 1000);
}

function headersToStore(headers: Reply['headers']): Reply['headers'] {
  const names = storedHeaders.filter((name) => headers[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, headers[name]]));
}
