/** Verifies API keys by the hashes of their secrets. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { ApiKeyClaims } from '../../dsl/authenticators.ts';
import { ConfigurationError } from '../../errors.ts';
import { frozen } from '../../frozen.ts';
import type { Secret } from '../../upstream/credentials/secrets.ts';
import { digestOf, readApiKey } from './api-key.ts';
import type { ApiKey } from './api-key.ts';
import { mostPerId, readKeyList } from './api-key-list.ts';
import type { KeyEntry } from './api-key-list.ts';
import { recentText } from './recent-text.ts';
import { untold } from './verified.ts';
import type { Invalid, Verified } from './verified.ts';

interface KnownKey {
  readonly entry: KeyEntry;
  readonly verified: Verified;
}

type Known = ReadonlyMap<string, readonly KnownKey[]>;

/** `undefined` for a key that is not valid, when `invalid` was told why. */
export type VerifyApiKey = (
  key: string,
  invalid?: Invalid,
) => Verified | undefined | Promise<Verified | undefined>;

export interface ApiKeysOptions {
  /** The text of the list. */
  readonly source: Secret;
  /** Names the list: ids mean something within one list only. */
  readonly name: string;
  readonly clock: Clock;
}

export function createApiKeyVerifier({ source, name, clock }: ApiKeysOptions): VerifyApiKey {
  const textNow = recentText(source, clock);
  let text: string | undefined;
  let known: Known = new Map();

  function knownOf(now: string): Known {
    if (now === text) return known;
    known = toKnown(now, name);
    text = now;
    return known;
  }

  knownOf(source.text());

  return function verifyApiKey(given, invalid = untold) {
    const key = readApiKey(given);
    if (key === undefined) return invalid('API key: malformed');
    const now = textNow();
    return typeof now === 'string'
      ? find(knownOf(now), key, { clock, invalid })
      : now.then((latest) => find(knownOf(latest), key, { clock, invalid }));
  };
}

/** Takes as long for an id that is unknown, or has one key, as for one that has two. */
function find(
  known: Known,
  { id, secret }: ApiKey,
  { clock, invalid }: { readonly clock: Clock; readonly invalid: Invalid },
): Verified | undefined {
  const candidates = known.get(id) ?? [];
  const digest = digestOf(secret);
  let found: KnownKey | undefined;
  for (let index = 0; index < mostPerId; index += 1) {
    const candidate = candidates[index];
    const isSame = timingSafeEqual(digest, candidate?.entry.digest ?? nobodys);
    if (isSame) found = candidate;
  }
  if (found === undefined) return invalid('API key: unknown');
  return clock.epoch() < found.entry.endsAt ? found.verified : invalid('API key: expired');
}

/** The hash of no secret. */
const nobodys = randomBytes(32);

/** The text was checked when it was read. */
function toKnown(text: string, name: string): Known {
  const read = readKeyList(text);
  if (read.problem !== undefined) throw new ConfigurationError(`The list of keys ${read.problem}.`);
  return new Map(
    [...read.entries].map(([id, entries]) => [
      id,
      entries.map((entry) => ({ entry, verified: toVerified(entry, name) })),
    ]),
  );
}

function toVerified({ id, owner, scopes, roles }: KeyEntry, name: string): Verified {
  const claims: ApiKeyClaims = { sub: id, ...(owner !== undefined && { owner }) };
  return {
    // Both keys of an id are one principal.
    principal: hash('sha256', JSON.stringify(['key', name, id]), 'base64url'),
    value: frozen({ claims }),
    scopes,
    roles,
  };
}
