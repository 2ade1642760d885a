/** Finds secrets in texts that a service has written, so that no log shows them. */
import { credentialHeaders } from '../../headers.ts';
import { decodedWhole } from '../../path-segment.ts';
import type { Call, Dispatch } from '../call.ts';

/**
 * Whether a text repeats one of these secrets, in any case and however often it is encoded. One
 * that is encoded too often to be read may have any of them.
 */
export function repeats(text: string, secrets: readonly string[]): boolean {
  const found = decodedWhole(text)?.toLowerCase();
  if (found === undefined) return true;
  return secrets.some((secret) => secret !== '' && found.includes(comparable(secret)));
}

function comparable(secret: string): string {
  return (decodedWhole(secret) ?? secret).toLowerCase();
}

/** Shorter words are no secrets, and are found in any text. */
const shortest = 6;

export function longEnough(words: readonly string[]): readonly string[] {
  return words.filter((word) => word.length >= shortest);
}

type Sent = Pick<Call, 'conceals' | 'args' | 'headers'> & Partial<Pick<Dispatch, 'keys'>>;

/**
 * Whether a text repeats a secret of the gateway's own, a credential in the `headers` sent, or,
 * where an argument is made of a credential or a claim, any argument.
 */
export function anySecret(
  { headers, conceals, args, keys }: Sent,
  isOurs: (text: string) => boolean,
): (text: string) => boolean {
  return function isSecret(text) {
    const concealed = conceals ? longEnough(textsIn([args, keys])) : [];
    return isOurs(text) || repeats(text, [...credentialsIn(headers), ...concealed]);
  };
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** The credentials among the headers of a request: of a client, or arguments. */
function credentialsIn(headers: Readonly<Record<string, string>>): readonly string[] {
  return longEnough(
    Object.entries(headers)
      .filter(([name]) => credentialHeaders.has(name))
      .flatMap(([, value]) => value.split(/[\s,;="]+/)),
  );
}
