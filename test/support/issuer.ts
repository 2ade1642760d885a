/** An issuer with keys of its own on a real socket, and a gateway that takes its tokens. */
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import type { ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { verifyJwt } from '../../src/dsl/verify-jwt.ts';
import type { Authenticator } from '../../src/dsl/authenticators.ts';
import type { JwtConfig } from '../../src/dsl/verify-jwt.ts';
import type { Composition } from '../../src/dsl/composition.ts';
import { defineGateway } from '../../src/dsl/gateway.ts';
import type { RateLimits } from '../../src/dsl/rate-limit.ts';
import { createGateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/gateway-options.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { servicesOf } from '../../src/plan/visit.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import { createFakeClock } from './fake-clock.ts';
import { startServer } from './servers.ts';

export const iss = 'https://id.example.com';
export const aud = 'shop';

export interface Key {
  readonly kid: string;
  readonly alg: string;
  /** The public half. */
  readonly jwk: JWK;
  /** What is `undefined` is left out. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Signs what a library would refuse to sign: ES256 only. */
  signAnyway(header: object, claims: unknown): Promise<string>;
}

/** The epoch at which fake clocks start, in seconds. */
export const startS = 1_700_000_000;

const usual = { iss, aud, sub: 'ann', exp: startS + 3_600 };

export async function createKey(kid: string, alg = 'ES256'): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    kid,
    alg,
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    sign: (claims = {}, header = {}) =>
      new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg, kid, ...header })
        .sign(privateKey),
    async signAnyway(header, claims) {
      const text = `${partOf(header)}.${partOf(claims)}`;
      const how = { name: 'ECDSA', hash: 'SHA-256' };
      const signature = await crypto.subtle.sign(how, privateKey, Buffer.from(text));
      return `${text}.${Buffer.from(signature).toString('base64url')}`;
    },
  };
}

/** Puts texts together as a token, whatever they are. */
export function tokenOf(header: unknown, claims: unknown, signature = 'AAAA'): string {
  return `${partOf(header)}.${partOf(claims)}.${signature}`;
}

/** A text is taken as the JSON that it is. */
function partOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Buffer.from(text).toString('base64url');
}

export interface Issuer {
  readonly url: string;
  readonly requests: readonly unknown[];
  /** The keys that it answers with. */
  keys: readonly JWK[];
  /** Answers in another way; `undefined` as before. */
  answer: ((response: ServerResponse) => void) | undefined;
}

export async function startIssuer(...keys: readonly Key[]): Promise<Issuer> {
  const issuer: Pick<Issuer, 'keys' | 'answer'> = {
    keys: keys.map(({ jwk }) => jwk),
    answer: undefined,
  };
  const server = await startServer((_, response) => {
    if (issuer.answer !== undefined) return issuer.answer(response);
    response.end(JSON.stringify({ keys: issuer.keys }));
  });
  return Object.assign(issuer, { url: `${server.url}/jwks`, requests: server.requests });
}

/** Takes the tokens of an issuer. */
export function customersOf<Claims = { sub: string }>(
  issuer: Pick<Issuer, 'url'>,
  more: Partial<JwtConfig<Claims>> = {},
) {
  return verifyJwt<Claims>({ issuer: iss, audience: aud, keys: { url: issuer.url }, ...more });
}

export interface ProtectedOptions extends Partial<GatewayOptions> {
  readonly authenticators: readonly Authenticator[];
  readonly compositions: Readonly<Record<string, Composition>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly rateLimits?: RateLimits;
}

/** A gateway without a socket, whose time stands still. */
export function startProtected({
  authenticators,
  compositions,
  environment = {},
  rateLimits = {},
  ...more
}: ProtectedOptions) {
  const named = Object.entries(compositions).map(([name, composition]) => ({ name, composition }));
  const { plans, errors } = compileAll(named, new Set(), authenticators);
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('\n'));
  const clock = createFakeClock();
  const warnings: string[] = [];
  const read = parseSettings(environment, servicesOf(plans), authenticators);
  const internalErrors: unknown[] = [];
  const gateway = createGateway({
    plans,
    addresses: read.addresses,
    secrets: read.openSecrets({ clock, onWarning: (message) => warnings.push(message) }),
    clock,
    onKeysError: (error) => warnings.push(String(error)),
    onInternalError: (error) => internalErrors.push(error),
    ...more,
    edge: { ...more.edge, definition: defineGateway({ authenticators, rateLimits }) },
  });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  async function ask(path: string, token?: string, headers: Record<string, string> = {}) {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await gateway.app.request(path, { headers: { ...authorization, ...headers } });
    const text = await response.text();
    const json: Record<string, unknown> = JSON.parse(text);
    return {
      status: response.status,
      text,
      json,
      header: (name: string) => response.headers.get(name),
    };
  }
  return { ask, gateway, clock, plans, warnings, internalErrors };
}
