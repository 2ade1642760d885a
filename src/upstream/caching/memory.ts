/** The cache's store in terms of calls and replies. */
import type { Clock } from '../../clock.ts';
import type { Operation } from '../../dsl/operation.ts';
import { UpstreamError } from '../../errors.ts';
import { AbortSource } from '../../signal.ts';
import type { Call, Reply } from '../call.ts';
import { callError } from '../call.ts';
import { entryOfFailure, entryOfReply, keepMsOf, replay, worthOf } from './cache-entry.ts';
import type { Entry, Worth } from './cache-entry.ts';
import type { CacheStore, Found } from './cache-store.ts';

export interface CacheOptions {
  readonly store: CacheStore;
  readonly clock: Clock;
  /** Where an operation's answers come from: its route and its service's addresses. */
  readonly originOf?: (operation: Operation) => string;
  /** Told why an answer could not be refreshed in the background: no request fails of it. */
  readonly onRefreshError: (error: unknown, call: Call) => void;
}

/** A call, or one key of a load, and what the store had for it. */
export interface Kept extends Found {
  readonly call: Call;
  readonly key: string;
}

/** An entry that can be used, more or less. */
export interface Recalled {
  readonly worth: Exclude<Worth, 'none'>;
  readonly entry: Entry;
  readonly reply: Reply;
}

export type Memory = ReturnType<typeof memoryOf>;

export function memoryOf({
  store,
  clock,
  originOf = () => '',
}: Pick<CacheOptions, 'store' | 'clock' | 'originOf'>) {
  return { look, recall, claim, keepReply, keepFailure };

  /** `ofCall`: see `keyOf`. */
  function look(call: Call, ofCall: string): Kept | Promise<Kept> {
    const key = `${ofCall} ${originOf(call.operation)}`;
    const found = store.get(key, call.operation.cache?.tags ?? []);
    return found instanceof Promise
      ? found.then((known) => ({ ...known, call, key }))
      : { ...found, call, key };
  }

  /** @throws UpstreamError when it is a failure that is remembered. */
  function recall({ entry, call }: Kept): Recalled | undefined {
    // After a write of the same request, the entry may be what the write has changed.
    if (entry === undefined || call.afterWrite) return undefined;
    const now = clock.epoch();
    const worth = worthOf(entry, now);
    if (worth === 'none') return undefined;
    try {
      return { worth, entry, reply: replay(call, entry, now) };
    } catch (error) {
      // Kept by another version of the gateway, in which the operation had another schema.
      if (error instanceof UpstreamError && error.kind === 'invalid-body') return undefined;
      throw error;
    }
  }

  /** It names this entry: when that is replaced, nobody has to give the claim back. */
  function claim({ call, key }: Kept, { storedAt }: Entry): boolean | Promise<boolean> {
    return store.claim(`${key} ${storedAt}`, call.operation.policies.timeoutMs);
  }

  function keepReply(known: Kept, reply: Reply): void {
    const entry = entryOfReply(known.call, reply, clock.epoch());
    if (entry === undefined) forget(known);
    else keep(known, entry);
  }

  function keepFailure(known: Kept, error: unknown): void {
    const entry = entryOfFailure(known.call, error, clock.epoch());
    if (entry !== undefined) keep(known, entry);
    else if (isVerdict(error)) forget(known);
  }

  /** Nobody waits for it. */
  function keep({ key, versions }: Kept, entry: Entry): void {
    void store.set(key, entry, { versions, keepMs: keepMsOf(entry) });
  }

  function forget({ key, entry }: Kept): void {
    if (entry !== undefined) void store.delete(key);
  }
}

/** The service could not answer, which says nothing about its earlier answers. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0 } = error;
  if (kind === 'status') return status < 400 || status > 499;
  return kind !== 'invalid-argument' && kind !== 'aborted' && kind !== 'missing';
}

/** The service has answered that there is nothing, or nothing for this client: its earlier answer is void. */
function isVerdict(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0 } = error;
  const asksForPatience = status === 408 || status === 429;
  return (
    kind === 'missing' || (kind === 'status' && status >= 400 && status < 500 && !asksForPatience)
  );
}

/** The same call with a life of its own, as long as an attempt may take. */
export function refreshOf(call: Call, clock: Clock): { call: Call; cancelTimer: () => void } {
  const { timeoutMs } = call.operation.policies;
  const signal = new AbortSource();
  const cancelTimer = clock.after(timeoutMs, () =>
    signal.abort(callError(call, 'timeout', `was not refreshed within ${timeoutMs} ms`)),
  );
  const createdAt = clock.now();
  const deadlineAt = createdAt + timeoutMs;
  return { call: { ...call, signal, createdAt, deadlineAt, followers: [] }, cancelTimer };
}

/** A call that left before an invalidation is not joined by calls that come after it. */
export function versioned(key: string, { versions }: Found): string {
  return versions.length === 0 ? key : `${key} ${versions.join(' ')}`;
}
