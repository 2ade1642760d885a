/** Gateways on real sockets that limit the requests of principals, behind a trusted proxy. */
import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { defineComposition } from '../../../src/dsl/composition.ts';
import { verifyApiKeys } from '../../../src/dsl/verify-api-keys.ts';
import type { LimitStore } from '../../../src/edge/limits/limit-store.ts';
import { listen } from '../../../src/listen.ts';
import { parseNetwork } from '../../../src/network.ts';
import { request } from '../../support/request.ts';
import { createKey, customersOf, startIssuer, startProtected } from '../../support/issuer.ts';

const loopback = parseNetwork('127.0.0.1');

export const limit = 5;
const minute = { limit, windowS: 60 };

const secretOf = (name: string) => name.padEnd(43, '0');
/** Two keys of one id, and one of another. */
const list = JSON.stringify({
  keys: [
    ['acme', 'first'],
    ['acme', 'second'],
    ['other', 'third'],
  ].map(([id, name = '']) => ({
    id,
    sha256: createHash('sha256').update(secretOf(name)).digest('hex'),
  })),
});

export interface Caller {
  readonly headers: Readonly<Record<string, string>>;
}

export const keyOf = (id: string, name: string): Caller => ({
  headers: { 'x-api-key': `${id}.${secretOf(name)}` },
});

export const from = (address: string, { headers }: Caller): Caller => ({
  headers: { ...headers, 'x-forwarded-for': address },
});

/** `stores`: one for each gateway; `undefined` for one in its memory. */
export async function startLimited(stores: readonly (LimitStore | undefined)[]) {
  const [key, foreign] = [await createKey('one'), await createKey('two')];
  const [ours, theirs] = [await startIssuer(key), await startIssuer(foreign)];
  const customers = customersOf(ours);
  const strangers = customersOf(theirs, { issuer: 'https://other.example.com' });
  const auth = [customers, strangers, verifyApiKeys({ env: 'API_KEYS' })] as const;
  const compositions = {
    limited: defineComposition({
      route: 'GET /limited',
      auth,
      rateLimit: { ...minute, by: 'principal' },
      compose: ({ identity }) => ({ sub: identity.claims.sub }),
    }),
    free: defineComposition({ route: 'GET /free', auth, compose: () => ({ free: true }) }),
  };
  const urls = await Promise.all(
    stores.map(async (limitStore) => {
      const { gateway } = startProtected({
        authenticators: auth,
        compositions,
        environment: { API_KEYS: list },
        clock: systemClock,
        edge: { trustedPeers: loopback ? [loopback] : [] },
        rateLimits: { perPrincipal: { limit: 4 * limit, windowS: 60 } },
        ...(limitStore && { limitStore }),
      });
      const listening = await listen(gateway, { host: '127.0.0.1', port: 0 });
      onTestFinished(() => listening.close({ graceMs: 0 }));
      return listening.url;
    }),
  );
  const exp = Math.floor(Date.now() / 1_000) + 600;
  /** A token that nobody has sent before. */
  async function tokenOf(sub: string, claims: object = {}): Promise<Caller> {
    const signer = 'iss' in claims ? foreign : key;
    const token = await signer.sign({ sub, exp, jti: crypto.randomUUID(), ...claims });
    return { headers: { authorization: `Bearer ${token}` } };
  }
  /** How many of requests that are sent at a time, to each gateway, are served. */
  async function served(callers: readonly Caller[], path = '/limited') {
    const asked = urls.flatMap((url) => callers.map((caller) => request(url + path, caller)));
    const answers = await Promise.all(asked);
    const statuses = answers.map(({ status }) => status);
    const strange = statuses.filter((status) => status !== 200 && status !== 429);
    return strange.length > 0 ? strange : statuses.filter((status) => status === 200).length;
  }
  return { tokenOf, served, urls };
}

/** The same in a list. */
export const times = (count: number, caller: Caller): Caller[] =>
  Array.from({ length: count }, () => caller);
