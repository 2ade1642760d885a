/** Verifies JSON Web Tokens (RFC 7519) as RFC 8725 advises. */
import { hash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { JwtAuthenticator } from '../../dsl/authenticators.ts';
import { frozen } from '../../frozen.ts';
import { parseJsonBy } from '../../parse.ts';
import { verifiedClaims } from './jose.ts';
import type { KeySet } from './key-set.ts';
import { rememberVerified } from './remembered.ts';
import { readToken } from './token-shape.ts';
import type { UnverifiedToken } from './token-shape.ts';
import { untold } from './verified.ts';
import type { Invalid, Invalidity, Verified } from './verified.ts';

/** `undefined` for a token that is not valid, when `invalid` was told why. */
export type VerifyToken = (
  token: string,
  invalid?: Invalid,
) => Verified | undefined | Promise<Verified | undefined>;

export function createJwtVerifier(
  authenticator: JwtAuthenticator,
  { keys, clock }: { readonly keys: KeySet; readonly clock: Clock },
): VerifyToken {
  const { issuers, audiences, algorithms, type, clockToleranceS } = authenticator;
  const remembered = rememberVerified(clock);
  const pinned: ReadonlySet<string> = new Set(algorithms);
  const options = {
    algorithms: [...algorithms],
    issuer: [...issuers],
    audience: [...audiences],
    clockTolerance: clockToleranceS,
    requiredClaims: ['exp', 'iss', 'aud'],
  };

  /** Why it cannot be valid, so that keys are not fetched for it; `undefined`: it may be. */
  function whyNotOurs({ header, claims }: UnverifiedToken): Invalidity | undefined {
    const issuer = claims['iss'];
    if (!pinned.has(header.alg)) return 'token: algorithm';
    if (typeof issuer !== 'string' || !issuers.includes(issuer)) return 'token: issuer';
    return isType(header.typ, type) ? undefined : 'token: type';
  }

  async function verifyAnew(
    token: string,
    name: string,
    invalid: Invalid,
  ): Promise<Verified | undefined> {
    const read = readToken(token);
    if (read === undefined) return invalid('token: malformed');
    const why = whyNotOurs(read);
    if (why !== undefined) return invalid(why);
    // Before the key is found: if they change meanwhile, the token is verified again next time.
    const { version } = keys;
    const key = await keys.find(read.header);
    if (key === undefined) return invalid('token: unknown key');
    const currentDate = new Date(clock.epoch());
    const payload = await verifiedClaims(token, key, { ...options, currentDate, invalid });
    if (payload?.exp === undefined) return undefined;
    // The same bytes, with numbers that are exact.
    const verified = toVerified(read.claims, authenticator);
    if (verified === undefined) return invalid('token: claims');
    remembered.set(name, verified, { version, expiresAt: payload.exp * 1_000 });
    return verified;
  }

  return function verifyToken(token, invalid = untold) {
    const name = hash('sha256', token, 'base64url');
    return remembered.get(name, keys.version) ?? verifyAnew(token, name, invalid);
  };
}

/** The types of tokens that prove an identity, or grant access (RFC 9068, 2.1). */
const usualTypes: ReadonlySet<string> = new Set(['jwt', 'at+jwt']);

/** Confusing kinds of tokens is prevented by their `typ` (RFC 8725, 3.11). */
function isType(found: string | undefined, wanted: string | undefined): boolean {
  const type = found?.toLowerCase().replace(/^application\//, '');
  if (wanted !== undefined) return type === wanted.toLowerCase();
  return type === undefined || usualTypes.has(type);
}

function toVerified(
  claims: Readonly<Record<string, unknown>>,
  { claims: schema }: JwtAuthenticator,
): Verified | undefined {
  const parsed = parseJsonBy(schema, claims);
  // A subject is a text (RFC 7519, 4.1.2).
  if (!parsed.ok || !['string', 'undefined'].includes(typeof claims['sub'])) return undefined;
  const { scope, scp, roles } = claims;
  return {
    principal: hash('sha256', JSON.stringify(principalOf(claims)), 'base64url'),
    value: frozen({ claims: parsed.value }),
    scopes: new Set([...namesIn(scope), ...namesIn(scp)]),
    roles: new Set(namesIn(roles)),
  };
}

/** A client may have the name of a user, and is another principal (RFC 9068, 5). */
function principalOf({ iss, sub, client_id: client }: UnverifiedToken['claims']): unknown {
  if (sub !== undefined) return ['jwt', iss, sub];
  return ['jwt', iss, null, typeof client === 'string' ? client : null];
}

/** Names separated by spaces (RFC 8693, 4.2), or a list of them. */
function namesIn(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((name) => name !== '');
  if (!Array.isArray(claim)) return [];
  return claim.filter((name) => typeof name === 'string');
}
