/**
 * The shape of a token, checked before anything is decoded: base64 decoders, jose's among them,
 * take more than they should.
 */
import { isPlainObject } from '../../plain-object.ts';
import { parseJson } from '../../json.ts';
import type { TokenHeader } from './jose.ts';

/** A token before its signature was verified: no word of it is true yet. */
export interface UnverifiedToken {
  readonly header: TokenHeader & { readonly typ: string | undefined };
  readonly claims: Readonly<Record<string, unknown>>;
}

const longestToken = 8_192;

/** Base64url without padding (RFC 7515, 2), whose last character has no bits left over. */
const part = '(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?';
const compact = RegExp(`^${part}\\.${part}\\.${part}$`);

/** `undefined` for what is no token of a kind that is taken (RFC 7515, 7.1). */
export function readToken(token: string): UnverifiedToken | undefined {
  if (token.length > longestToken || !compact.test(token)) return undefined;
  const [first = '', second = ''] = token.split('.', 2);
  const header = decoded(first);
  const claims = decoded(second);
  // An extension that must be understood, and none is (RFC 7515, 4.1.11).
  if (header === undefined || claims === undefined || 'crit' in header) return undefined;
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !isOptionalText(kid) || !isOptionalText(typ)) return undefined;
  return { header: { alg, kid, typ }, claims };
}

function decoded(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseJson(utf8.decode(Buffer.from(text, 'base64url')));
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
