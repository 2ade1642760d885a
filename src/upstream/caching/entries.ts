/** Reads and writes the entries of a store for calls and their replies. */
import type { Clock } from '../../clock.ts';
import type { Operation } from '../../dsl/operation.ts';
import { UpstreamError } from '../../errors.ts';
import { AbortSource } from '../../signal.ts';
import type { Call, Reply } from '../call.ts';
import { callError, noFollowers } from '../call.ts';
import { needsFreshAnswer } from '../sharing/after-write.ts';
import { entryOfFailure, entryOfReply, isOwn, keepMsOf, replay, stateOf } from './cache-entry.ts';
import type { Entry, EntryState } from './cache-entry.ts';
import type { CacheStore, Found } from './cache-store.ts';

export interface CacheOptions {
  readonly store: CacheStore;
  readonly clock: Clock;
  /** The origin of an operation's answers: its route and the addresses of its service. */
  readonly originOf?: (operation: Operation) => string;
  /** Called if an answer could not be refreshed in the background, which fails no request. */
  readonly onRefreshError: (error: unknown, call: Call) => void;
}

/** The store's answer for a call, or for one key of a load. */
export interface CacheRead extends Found {
  readonly call: Call;
  readonly key: string;
}

/** An entry that is not expired, and the reply it contains. */
export interface Usable {
  readonly state: Exclude<EntryState, 'expired'>;
  readonly entry: Entry;
  readonly reply: Reply;
}

export type Entries = ReturnType<typeof entriesIn>;

export function entriesIn({
  store,
  clock,
  originOf = () => '',
}: Pick<CacheOptions, 'store' | 'clock' | 'originOf'>) {
  return { read, usableIn, claim, storeReply, storeFailure };

  /** `callKey`: see `keyOf`. */
  function read(call: Call, callKey: string): CacheRead | Promise<CacheRead> {
    const key = `${callKey} ${originOf(call.operation)}`;
    const found = store.get(key, call.operation.cache?.tags ?? []);
    return found instanceof Promise
      ? found.then((answer) => ({ ...answer, call, key }))
      : { ...found, call, key };
  }

  /** @throws UpstreamError the stored failure, if the entry contains one. */
  function usableIn({ entry, call }: CacheRead): Usable | undefined {
    // A write of the same request may have changed the value that the entry contains.
    if (entry === undefined || needsFreshAnswer(call)) return undefined;
    if (!isOwn(call, entry)) return undefined;
    const now = clock.epoch();
    const state = stateOf(entry, now);
    if (state === 'expired') return undefined;
    try {
      return { state, entry, reply: replay(call, entry, now) };
    } catch (error) {
      // Stored by another version of the gateway, in which the operation had another schema.
      if (error instanceof UpstreamError && error.kind === 'invalid-body') return undefined;
      throw error;
    }
  }

  /** Claims the refresh of this very entry, so that the claim need not be given back. */
  function claim({ call, key }: CacheRead, { storedAt }: Entry): boolean | Promise<boolean> {
    return store.claim(`${key} ${storedAt}`, call.operation.policies.timeoutMs);
  }

  function storeReply(found: CacheRead, reply: Reply): void {
    const entry = entryOfReply(found.call, reply, clock.epoch());
    if (entry === undefined) remove(found);
    else write(found, entry);
  }

  function storeFailure(found: CacheRead, error: unknown): void {
    const entry = entryOfFailure(found.call, error, clock.epoch());
    if (entry !== undefined) write(found, entry);
    else if (voidsEarlierAnswer(error)) remove(found);
  }

  /** No call waits until it is done. */
  function write({ key, versions }: CacheRead, entry: Entry): void {
    void store.set(key, entry, { versions, keepMs: keepMsOf(entry) });
  }

  function remove({ key, entry }: CacheRead): void {
    if (entry !== undefined) void store.delete(key);
  }
}

/** Whether a reply is that of the call that went upstream, which alone is stored. */
export function isToBeStored({ deduplicated, takesOver }: Reply): boolean {
  return deduplicated !== true || takesOver === true;
}

/** Whether the service could not answer, which says nothing about its earlier answers. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0 } = error;
  if (kind === 'status') return status < 400 || status > 499;
  if (isOfRefusedCaller(error)) return false;
  return kind !== 'invalid-argument' && kind !== 'aborted' && kind !== 'missing';
}

/** Whether the client has no token that can be exchanged: it may not see earlier answers. */
function isOfRefusedCaller({ kind, rejectedCredentials }: UpstreamError): boolean {
  return kind === 'credentials' && rejectedCredentials !== undefined;
}

/** Whether the service has answered that there is nothing, at least not for this client. */
function voidsEarlierAnswer(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0 } = error;
  const asksForPatience = status === 408 || status === 429;
  return (
    kind === 'missing' ||
    isOfRefusedCaller(error) ||
    (kind === 'status' && status >= 400 && status < 500 && !asksForPatience)
  );
}

/** The same call on behalf of no client request, with the time that one attempt may take. */
export function refreshOf(call: Call, clock: Clock): { call: Call; cancelTimer: () => void } {
  const { timeoutMs } = call.operation.policies;
  const signal = new AbortSource();
  const cancelTimer = clock.after(timeoutMs, () =>
    signal.abort(callError(call, 'timeout', `was not refreshed within ${timeoutMs} ms`)),
  );
  const createdAt = clock.now();
  const deadlineAt = createdAt + timeoutMs;
  return {
    call: { ...call, signal, createdAt, deadlineAt, followers: noFollowers() },
    cancelTimer,
  };
}

/** The key with its tags' versions: calls made after an invalidation do not join earlier ones. */
export function versioned(key: string, { versions }: Found): string {
  return versions.length === 0 ? key : `${key} ${versions.join(' ')}`;
}
