/** The door to jose: verifies signatures and the registered claims of tokens. */
import { JWTClaimValidationFailed, JWTExpired } from 'jose/errors';
import { createLocalJWKSet } from 'jose/jwks/local';
import { jwtVerify } from 'jose/jwt/verify';
import type { CryptoKey, JWTPayload, JWTVerifyOptions } from 'jose';
import type { Invalid, Invalidity } from './verified.ts';

/** The public keys of an issuer. */
export interface Keys {
  /** The key for a token with this header; `undefined` if none fits, or several do. */
  find(header: TokenHeader): Promise<CryptoKey | undefined>;
}

export type { CryptoKey };

/** The parts of a token's header that choose its key: never `jku`, `jwk` or `x5u`. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

/** Reads a JWK set (RFC 7517, 5). Throws for anything else. */
export function readKeys(text: string): Keys {
  const findKey = createLocalJWKSet(JSON.parse(text));
  return {
    async find({ alg, kid }) {
      try {
        return await findKey({ alg, ...(kid !== undefined && { kid }) });
      } catch {
        // No key, several keys, or one that cannot be used: nothing verifies the token.
        return undefined;
      }
    },
  };
}

/** The claims of a token that `key` has signed; `undefined` for one that is not valid, as told. */
export async function verifiedClaims(
  token: string,
  key: CryptoKey,
  { invalid, ...options }: JWTVerifyOptions & { readonly invalid: Invalid },
): Promise<JWTPayload | undefined> {
  try {
    return (await jwtVerify(token, key, options)).payload;
  } catch (error) {
    // Beside what is wrong with the token, keys that cannot be used, like short ones of RSA, throw.
    return invalid(whyOf(error));
  }
}

function whyOf(error: unknown): Invalidity {
  if (error instanceof JWTExpired) return 'token: expired';
  if (!(error instanceof JWTClaimValidationFailed)) return 'token: signature';
  return byClaim[error.claim] ?? 'token: claims';
}

const byClaim: Readonly<Record<string, Invalidity>> = {
  aud: 'token: audience',
  exp: 'token: no exp',
  iss: 'token: issuer',
  nbf: 'token: not valid yet',
};
