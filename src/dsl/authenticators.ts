/** Authenticators as data: how clients prove who they are. `edge/identity/` verifies. */
import type { z } from 'zod';
import { shownSource } from './source.ts';
import type { FromEnvironment, FromFile, Source } from './source.ts';

/**
 * The signatures that tokens may have (RFC 7518, 3.1; RFC 8037), all of them with a public key:
 * with a symmetric one, each verifier could also sign.
 */
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export type Algorithm = (typeof algorithms)[number];

/** Where a JWK set (RFC 7517, 5) is: at a URL, in a variable that holds the URL, or in a file. */
export type KeySetPlace = { readonly url: string | FromEnvironment } | FromFile;

/** Verifies tokens; made by `verifyJwt`. */
export interface JwtAuthenticator<out Claims = unknown> {
  readonly kind: 'jwt';
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
  readonly keys: KeySetPlace;
  readonly algorithms: readonly Algorithm[];
  readonly claims: z.ZodType<Claims>;
  readonly type: string | undefined;
  readonly clockToleranceS: number;
}

/** The claims that `identity.claims` has of an API key. */
export interface ApiKeyClaims {
  /** The id of the key, which stays when its secret is replaced. */
  sub: string;
  /** Whose key it is, as the list of keys says. */
  owner?: string | undefined;
}

/** The headers that an API key may come in: all that the gateway knows to be secret. */
export const apiKeyHeaders = ['x-api-key', 'api-key', 'x-auth-token', 'x-access-token'] as const;

export type ApiKeyHeader = (typeof apiKeyHeaders)[number];

/** Verifies API keys; made by `verifyApiKeys`. */
export interface ApiKeyAuthenticator {
  readonly kind: 'apiKeys';
  /** The list of keys, which has hashes of their secrets only. */
  readonly list: Source;
  readonly header: ApiKeyHeader;
  readonly claims: z.ZodType<ApiKeyClaims>;
}

/** Says how clients prove who they are; it holds no secret. */
export type Authenticator = JwtAuthenticator | ApiKeyAuthenticator;

/** The `auth` of a composition. */
export type AuthOption = 'none' | Authenticator | readonly Authenticator[];

/** The type of `identity`: that of the authenticators, or of either of several. */
export type IdentityOf<Auth> = Auth extends readonly (infer One)[]
  ? IdentityOf<One>
  : Auth extends { readonly claims: z.ZodType<infer Claims> }
    ? { readonly claims: Claims }
    : Record<never, never>;

/** Those that a word has made, and so checked. */
const made = new WeakSet<object>();

/** Marks what a word has made. */
export function toAuthenticator<A extends Authenticator>(authenticator: A): A {
  made.add(authenticator);
  return Object.freeze(authenticator);
}

export function isAuthenticator(value: unknown): value is Authenticator {
  return typeof value === 'object' && value !== null && made.has(value);
}

/** The header in which the credentials come. */
export function headerOfAuthenticator(authenticator: Authenticator): string {
  switch (authenticator.kind) {
    case 'jwt':
      return 'authorization';
    case 'apiKeys':
      return authenticator.header;
    default:
      return authenticator satisfies never;
  }
}

/** For people: `JWT of https://id.example.com`. */
export function shownAuthenticator(authenticator: Authenticator): string {
  switch (authenticator.kind) {
    case 'jwt':
      return `JWT of ${authenticator.issuers.join(' or ')}`;
    case 'apiKeys':
      return `API key of ${shownSource(authenticator.list)} in ${authenticator.header}`;
    default:
      return authenticator satisfies never;
  }
}
