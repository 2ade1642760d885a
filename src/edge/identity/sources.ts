/** The texts that authenticators take from variables and files, and what is wrong with one. */
import type { Authenticator } from '../../dsl/authenticators.ts';
import { parsePlainJson } from '../../json.ts';
import { isPlainObject } from '../../plain-object.ts';
import type { NeededSource } from '../../upstream/credentials/secrets.ts';
import { parseTokenUrl, tokenUrlRule } from '../../url.ts';
import { readKeys } from './jose.ts';

export function sourcesOfAuthenticators(
  authenticators: readonly Authenticator[],
): readonly NeededSource[] {
  return authenticators.flatMap(({ keys }): NeededSource[] => {
    if ('file' in keys) return [{ source: keys, carriedBy: keySetProblem }];
    if (typeof keys.url === 'string') return [];
    return [{ source: keys.url, carriedBy: keysUrlProblem }];
  });
}

function keysUrlProblem(text: string): string | undefined {
  return parseTokenUrl(text) ? undefined : `is no URL of a JWK set. Use ${tokenUrlRule}`;
}

function keySetProblem(text: string): string | undefined {
  try {
    readKeys(text);
  } catch {
    return 'is no JWK set (RFC 7517, 5)';
  }
  const { keys } = parsePlainJson(text) as { keys: readonly unknown[] }; // it was read as one
  const isPrivate = keys.some((key) => isPlainObject(key) && ('d' in key || key['kty'] === 'oct'));
  return isPrivate ? 'has a key that is not public, which only the issuer should have' : undefined;
}

/** The addresses that keys are fetched from. */
export function keyUrlsOf(
  authenticators: readonly Authenticator[],
  textOf: (source: NeededSource['source']) => string,
): readonly URL[] {
  return authenticators.flatMap(({ keys }) => {
    if ('file' in keys) return [];
    const url = parseTokenUrl(typeof keys.url === 'string' ? keys.url : textOf(keys.url));
    return url === undefined ? [] : [url];
  });
}
