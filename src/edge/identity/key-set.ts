/** The keys of an issuer: fetched once for all requests, or read from a file. */
import { isoOf } from '../../clock.ts';
import type { Clock } from '../../clock.ts';
import { UnavailableError, UpstreamError, toError } from '../../errors.ts';
import type { IssuerStatus } from '../../http/admin.ts';
import type { Secret } from '../../upstream/credentials/secrets.ts';
import { wordsOf } from '../../upstream/state/last-error.ts';
import { readKeys } from './jose.ts';
import type { CryptoKey, Keys, TokenHeader } from './jose.ts';
import { recentText } from './recent-text.ts';

export interface KeySet {
  /** Counts changes of the keys: what an earlier one has verified may not be valid any more. */
  readonly version: number;
  /**
   * The key for a token, if there is one.
   *
   * @throws UnavailableError while no keys are known.
   */
  find(header: TokenHeader): Promise<CryptoKey | undefined>;
}

/** How often a file is looked at for a key that it does not have, at most. */
const lookEveryMs = 1_000;

/** Of a file: what it has when it changes to something unusable stays in use. */
export function createFileKeys(file: Secret, clock: Clock): KeySet {
  let text = '';
  let keys: Keys = noKeys;
  let version = 0;
  let lookedAt = -Infinity;
  const textNow = recentText(file, clock);

  function latest(now = file.text()): Keys {
    if (now !== text) {
      text = now;
      keys = readKeys(now);
      version += 1;
    }
    return keys;
  }

  return {
    get version() {
      latest();
      return version;
    },
    async find(header) {
      const found = await latest(await textNow()).find(header);
      if (found !== undefined || clock.now() - lookedAt < lookEveryMs) return found;
      lookedAt = clock.now();
      await file.lookAgain();
      return latest().find(header);
    },
  };
}

/** How it is with keys that are fetched. */
export type KeysStatus = Pick<IssuerStatus, 'state' | 'fetchedAt' | 'lastError'>;

export interface RemoteKeys extends KeySet {
  status(): KeysStatus;
}

const noKeys: Keys = { find: async () => undefined };

export interface RemoteKeysOptions {
  /** Fetches the text of the set. */
  readonly fetch: () => Promise<string>;
  readonly clock: Clock;
  /** Called when the keys cannot be fetched. */
  readonly onError: (error: Error) => void;
}

/** Keys of this age are fetched again, beside the requests that use them. */
const refreshMs = 300_000;
/** Older ones verify nothing until they were fetched again: a key may have been revoked since. */
const freshMs = 600_000;
/** While the address does not answer, older keys are used up to this age. */
const staleMs = 86_400_000;
/** How often the keys are fetched for a `kid` that is not among them, at most. */
const unknownEveryMs = 30_000;
/** The pause after the first failure, and the longest one. */
const minRestMs = 1_000;
const maxRestMs = 30_000;

/** Of an address. One fetch is under way at a time, for which requests that need its keys wait. */
export function createRemoteKeys({ fetch, clock, onError }: RemoteKeysOptions): RemoteKeys {
  let held: { readonly text: string; readonly keys: Keys; readonly at: number } | undefined;
  let version = 0;
  let flight: Promise<void> | undefined;
  let soughtAt = -Infinity;
  let failures = 0;
  let restsUntil = -Infinity;
  let fetchedAt: string | undefined;
  let lastError: KeysStatus['lastError'];

  async function fetchKeys(): Promise<void> {
    try {
      const text = await fetch();
      const isSame = held?.text === text;
      held = { text, keys: isSame && held ? held.keys : readKeys(text), at: clock.now() };
      if (!isSame) version += 1;
      fetchedAt = isoOf(clock.epoch());
      failures = 0;
    } catch (error) {
      restsUntil = clock.now() + Math.min(minRestMs * 2 ** failures, maxRestMs);
      failures += 1;
      lastError = lastErrorOf(error, clock);
      onError(toError(error));
    }
  }

  /** Joins a fetch, or begins one; `undefined` while the address rests after a failure. */
  function begin(): Promise<void> | undefined {
    if (flight !== undefined || clock.now() < restsUntil) return flight;
    flight = fetchKeys().finally(() => (flight = undefined));
    return flight;
  }

  function usable(): Keys | undefined {
    return held !== undefined && clock.now() - held.at < staleMs ? held.keys : undefined;
  }

  /** Begins a fetch if it is time for one; a promise if keys are needed from it. */
  function refresh(): Promise<void> | undefined {
    const age = held === undefined ? Infinity : clock.now() - held.at;
    if (age < refreshMs) return undefined;
    // A request does not wait again for an address that was found down lately.
    const isDown = failures > 0 && clock.now() < restsUntil + refreshMs;
    const fetched = begin();
    return age >= staleMs || (age >= freshMs && !isDown) ? fetched : undefined;
  }

  function keysOrError(): Keys {
    const keys = usable();
    if (keys !== undefined) return keys;
    const seconds = Math.max(1, Math.ceil((restsUntil - clock.now()) / 1_000));
    throw new UnavailableError('Credentials cannot be verified at the moment.', {
      retryAfterSeconds: seconds,
    });
  }

  /** For a key that is not among those held: it may be new. */
  function seek(): Promise<void> | undefined {
    if (flight !== undefined) return flight;
    if (clock.now() - soughtAt < unknownEveryMs || clock.now() < restsUntil) return undefined;
    soughtAt = clock.now();
    return begin();
  }

  function stateOf(): KeysStatus['state'] {
    if (usable() !== undefined) return 'known';
    return lastError === undefined ? 'not-asked' : 'unavailable';
  }

  return {
    get version() {
      return version;
    },
    status: () => ({
      state: stateOf(),
      ...(fetchedAt !== undefined && { fetchedAt }),
      ...(lastError !== undefined && { lastError }),
    }),
    async find(header) {
      await refresh();
      const keys = keysOrError();
      const found = await keys.find(header);
      if (found !== undefined) return found;
      await seek();
      const newer = keysOrError();
      return newer === keys ? undefined : newer.find(header);
    },
  };
}

/** Other errors are those of a parser: the answer is not a JWK set. */
function lastErrorOf(error: unknown, clock: Clock): NonNullable<KeysStatus['lastError']> {
  const words = error instanceof UpstreamError ? wordsOf(error) : { kind: 'invalid-body' as const };
  return { ...words, at: isoOf(clock.epoch()) };
}
