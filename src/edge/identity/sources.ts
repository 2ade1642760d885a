/** The texts that authenticators take from variables and files, and what is wrong with one. */
import type { Authenticator } from '../../dsl/authenticators.ts';
import { parsePlainJson } from '../../json.ts';
import { isPlainObject } from '../../plain-object.ts';
import type { NeededSource } from '../../upstream/credentials/secrets.ts';
import { parseTokenUrl, tokenUrlRule } from '../../url.ts';
import { readKeyList } from './api-key-list.ts';
import { readKeys } from './jose.ts';

export function sourcesOfAuthenticators(
  authenticators: readonly Authenticator[],
): readonly NeededSource[] {
  return authenticators.flatMap((one): NeededSource[] => {
    if (one.kind === 'apiKeys')
      return [{ source: one.list, carriedBy: keyListProblem, usedFor: listUse }];
    const { keys, issuers } = one;
    const usedFor = `verifyJwt() finds the keys of ${issuers.join(', ')} there.`;
    if ('file' in keys) return [{ source: keys, carriedBy: keySetProblem, usedFor }];
    if (typeof keys.url === 'string') return [];
    return [{ source: keys.url, carriedBy: keysUrlProblem, usedFor: `${urlUse} ${usedFor}` }];
  });
}

const listUse = 'verifyApiKeys() reads the list of API keys from it.';
const urlUse = `It holds the URL of a JWK set, as "https://id.example.com/jwks".`;

function keysUrlProblem(text: string): string | undefined {
  return parseTokenUrl(text) ? undefined : `is not the URL of a JWK set. Use ${tokenUrlRule}`;
}

function keySetProblem(text: string): string | undefined {
  try {
    readKeys(text);
  } catch {
    return 'is not a JWK set (RFC 7517, 5)';
  }
  const { keys } = parsePlainJson(text) as { keys: readonly unknown[] }; // it was read as one
  const isPrivate = keys.some((key) => isPlainObject(key) && ('d' in key || key['kty'] === 'oct'));
  return isPrivate ? 'has a key that is not public, which only the issuer should have' : undefined;
}

function keyListProblem(text: string): string | undefined {
  return readKeyList(text).problem;
}

/** The addresses that keys are fetched from. */
export function keyUrlsOf(
  authenticators: readonly Authenticator[],
  textOf: (source: NeededSource['source']) => string,
): readonly URL[] {
  return authenticators.flatMap((one) => {
    if (one.kind === 'apiKeys' || 'file' in one.keys) return [];
    const { keys } = one;
    const url = parseTokenUrl(typeof keys.url === 'string' ? keys.url : textOf(keys.url));
    return url === undefined ? [] : [url];
  });
}
