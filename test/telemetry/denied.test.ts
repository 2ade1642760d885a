/** The operator learns why credentials were refused, in fixed words; the client does not. */
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { defineComposition } from '../../src/dsl/composition.ts';
import { verifyApiKeys } from '../../src/dsl/verify-api-keys.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startTraced } from './_traced.ts';
import {
  createKey,
  customersOf,
  iss,
  startIssuer,
  startProtected,
  startS,
  tokenOf,
} from '../support/issuer.ts';

const { telemetry, sink } = await startTraced();
const key = await createKey('one');
const stranger = await createKey('one');
const secret = 'canary'.padEnd(43, 'x');
const sha256 = createHash('sha256').update(secret).digest('hex');
const valid = { id: 'valid', sha256 };
const expired = { id: 'old', sha256, expires: '2020-01-01T00:00:00Z' };

async function start() {
  const issuer = await startIssuer(key);
  const customers = customersOf(issuer);
  const partners = verifyApiKeys({ env: 'API_KEYS' });
  const auth = [customers, partners];
  const lines: { readonly denied?: string }[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line));
  const { ask } = startProtected({
    authenticators: auth,
    environment: { API_KEYS: JSON.stringify({ keys: [valid, expired] }) },
    compositions: {
      me: defineComposition({ route: 'GET /me', auth, compose: () => ({ ok: true }) }),
      read: defineComposition({
        route: 'GET /read',
        auth,
        scopes: { all: ['read'] },
        compose: () => ({ ok: true }),
      }),
      rule: defineComposition({
        route: 'GET /rule',
        auth,
        roles: { any: ['admin'] },
        compose: () => ({ ok: true }),
      }),
    },
    telemetry,
    accessLog: {
      log: createLog({ level: 'info', format: 'json', write }),
      withCauses: false,
      headers: [],
    },
  });
  return { ask, lines };
}

describe('the log line of refused credentials says why', () => {
  it.each<[string, () => string | Promise<string>]>([
    ['token: malformed', () => 'A.A.A'],
    ['token: algorithm', () => tokenOf({ alg: 'HS256' }, { iss })],
    ['token: issuer', () => key.sign({ iss: `${iss}/` })],
    ['token: type', () => key.sign({}, { typ: 'logout+jwt' })],
    ['token: unknown key', () => key.sign({}, { kid: 'two' })],
    ['token: signature', () => stranger.sign()],
    ['token: expired', () => key.sign({ exp: startS - 60 })],
    ['token: no exp', () => key.sign({ exp: undefined })],
    ['token: not valid yet', () => key.sign({ nbf: startS + 60 })],
    ['token: audience', () => key.sign({ aud: 'bank' })],
    ['token: claims', () => key.sign({ sub: undefined })],
  ])('%s', async (why, sign) => {
    const { ask, lines } = await start();
    const { status, text } = await ask('/me', await sign());
    expect([status, lines.map(({ denied }) => denied)]).toEqual([401, [why]]);
    expect(text).not.toContain(why);
  });

  it.each([
    ['API key: malformed', 'nonsense'],
    ['API key: unknown', `new.${secret}`],
    ['API key: expired', `old.${secret}`],
  ])('%s', async (why, given) => {
    const { ask, lines } = await start();
    const { status } = await ask('/me', undefined, { 'x-api-key': given });
    expect([status, lines.map(({ denied }) => denied)]).toEqual([401, [why]]);
  });

  it('of both, where neither is valid', async () => {
    const { ask, lines } = await start();
    await ask('/me', await stranger.sign(), { 'x-api-key': `new.${secret}` });
    expect(lines).toMatchObject([{ denied: 'token: signature, API key: unknown' }]);
  });

  it('of a key beside which another scheme came', async () => {
    const { ask, lines } = await start();
    const headers = { 'x-api-key': `valid.${secret}`, authorization: 'Basic YTpi' };
    expect((await ask('/me', undefined, headers)).status).toBe(401);
    expect(lines).toMatchObject([{ denied: 'another scheme' }]);
  });

  it('where there are none, or they do not suffice', async () => {
    const { ask, lines } = await start();
    await ask('/me');
    await ask('/read', await key.sign());
    await ask('/rule', await key.sign({ scope: 'read' }));
    await ask('/me', await key.sign());
    expect(lines.map(({ denied }) => denied)).toEqual([
      'no credentials',
      'scopes missing',
      'roles missing',
      undefined,
    ]);
  });
});

it('The span of refused credentials says why', async () => {
  const { ask } = await start();
  await ask('/me', await key.sign({ aud: 'bank' }), { 'x-request-id': 'refused' });
  await vi.waitFor(() => {
    const root = sink.spans.find(({ attributes }) => attributes['plait.request_id'] === 'refused');
    expect(root?.attributes).toMatchObject({ 'plait.denied': 'token: audience' });
  }, 5_000);
});
