import { SignJWT, generateKeyPair } from 'jose';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { verifyJwt } from '../../../src/dsl/verify-jwt.ts';
import type { Authenticator } from '../../../src/dsl/authenticators.ts';
import { defineComposition } from '../../../src/dsl/composition.ts';
import { createJwtVerifier } from '../../../src/edge/identity/jwt.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import {
  aud,
  createKey,
  customersOf,
  iss,
  startIssuer,
  startProtected,
  startS,
} from '../../support/issuer.ts';
import type { Key } from '../../support/issuer.ts';

const one = await createKey('one');
const two = await createKey('two');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

function startWith(customers: Authenticator, environment: Record<string, string> = {}) {
  const me = defineComposition({
    route: 'GET /me',
    auth: customers,
    compose: ({ identity }) => ({ sub: identity.claims }),
  });
  const authenticators = [customers];
  const started = startProtected({ authenticators, compositions: { me }, environment });
  const { clock } = started;
  /** The status of a request with a new token of that key. */
  async function statusOf(key: Key): Promise<number> {
    const exp = startS + clock.now() / 1_000 + 60;
    // A token that was not seen before, so that nothing of it is remembered.
    return (await started.ask('/me', await key.sign({ exp, jti: crypto.randomUUID() }))).status;
  }
  return { ...started, statusOf };
}

async function start(...keys: readonly Key[]) {
  const issuer = await startIssuer(...keys);
  return { issuer, ...startWith(customersOf(issuer)) };
}

describe('the keys at an address', () => {
  it('are fetched once for many requests at a time', async () => {
    const { issuer, statusOf } = await start(one);
    const all = await Promise.all(Array.from({ length: 50 }, () => statusOf(one)));
    expect(new Set(all)).toEqual(new Set([200]));
    expect(issuer.requests).toHaveLength(1);
  });

  it('are fetched again for one that is new, and at most every 30 s for any that is unknown', async () => {
    const { issuer, statusOf, clock } = await start(one);
    await statusOf(one);
    issuer.keys = [one.jwk, two.jwk];
    expect(await statusOf(two)).toBe(200);
    expect(issuer.requests).toHaveLength(2);
    const unknown = await createKey('unknown');
    const flood = await Promise.all(Array.from({ length: 50 }, () => statusOf(unknown)));
    expect(new Set(flood)).toEqual(new Set([401]));
    expect(issuer.requests).toHaveLength(2);
    clock.advance(30_000);
    await Promise.all(Array.from({ length: 50 }, () => statusOf(unknown)));
    expect(issuer.requests).toHaveLength(3);
  });

  it('that are gone verify nothing any more, not even a token that was taken before', async () => {
    const { issuer, ask, clock, statusOf } = await start(one, two);
    const token = await one.sign({ exp: startS + 7_200 });
    expect((await ask('/me', token)).status).toBe(200);
    issuer.keys = [two.jwk];
    clock.advance(10 * minuteMs);
    expect(await statusOf(two)).toBe(200);
    await vi.waitFor(() => expect(issuer.requests).toHaveLength(2));
    await vi.waitFor(async () => expect((await ask('/me', token)).status).toBe(401));
  });

  it('that change while a token is verified have it verified again', async () => {
    const clock = createFakeClock();
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const keys = { version: 1, find: async () => ((keys.version += 1), publicKey) };
    const find = vi.spyOn(keys, 'find');
    const verify = createJwtVerifier(customersOf({ url: 'http://127.0.0.1:9' }), { keys, clock });
    const claims = { iss, aud, sub: 'ann', exp: startS + 60 };
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
    expect(await verify(token)).toBeDefined();
    expect(await verify(token)).toBeDefined();
    expect(find).toHaveBeenCalledTimes(2);
    find.mockImplementation(async () => publicKey);
    await verify(token);
    expect(await verify(token)).toBeDefined();
    expect(find).toHaveBeenCalledTimes(3);
  });

  it('serve on while the address is down for an hour, and for a day at most', async () => {
    const { issuer, statusOf, clock, warnings } = await start(one);
    await statusOf(one);
    issuer.answer = (response) => void response.writeHead(503).end('canary');
    for (let minute = 0; minute < 60; minute += 1) {
      clock.advance(minuteMs);
      // oxlint-disable-next-line no-await-in-loop -- minute by minute
      expect(await statusOf(one)).toBe(200);
    }
    expect(issuer.requests.length).toBeLessThanOrEqual(62);
    // On a busy machine the minutes of the clock may be shorter than those of the answer.
    await vi.waitFor(async () => {
      clock.advance(30_000);
      await statusOf(one);
      expect(warnings.join()).toContain('answered 503');
    });
    expect(warnings.join()).not.toContain('canary');
    clock.advance(22 * hourMs);
    expect(await statusOf(one)).toBe(200);
    clock.advance(hourMs);
    expect(await statusOf(one)).toBe(503);
    issuer.answer = undefined;
    clock.advance(30_000);
    expect(await statusOf(one)).toBe(200);
  });

  it('that were never there are a 503, and the address rests for longer and longer', async () => {
    const { issuer, ask, statusOf, clock } = await start(one);
    issuer.answer = (response) => void response.end('no keys');
    const answered = await ask('/me', await one.sign());
    expect([answered.status, answered.header('retry-after')]).toEqual([503, '1']);
    expect(answered.json['detail']).toBe('Credentials cannot be verified at the moment.');
    for (let second = 0; second < 600; second += 1) {
      // oxlint-disable-next-line no-await-in-loop -- second by second
      expect(await statusOf(one)).toBe(503);
      clock.advance(1_000);
    }
    // After 1, 2, 4, 8, 16 s, then every 30 s.
    expect(issuer.requests.length).toBeLessThanOrEqual(26);
    issuer.answer = undefined;
    clock.advance(30_000);
    expect(await statusOf(one)).toBe(200);
  });

  it('that are ten minutes old verify nothing before they were fetched again', async () => {
    const { issuer, statusOf, clock } = await start(one);
    await statusOf(one);
    issuer.keys = [two.jwk];
    clock.advance(10 * minuteMs);
    expect(await statusOf(one)).toBe(401);
    expect(await statusOf(two)).toBe(200);
  });

  it('of an address that was down and is back again verify nothing after a pause', async () => {
    const { issuer, statusOf, clock, warnings } = await start(one);
    await statusOf(one);
    issuer.answer = (response) => void response.writeHead(503).end();
    clock.advance(10 * minuteMs);
    expect(await statusOf(one)).toBe(200);
    expect(warnings).toHaveLength(1);
    issuer.answer = undefined;
    issuer.keys = [two.jwk];
    clock.advance(hourMs);
    expect(await statusOf(one)).toBe(401);
  });

  it('that are slow delay no token whose key is known', async () => {
    const { issuer, statusOf, clock } = await start(one);
    await statusOf(one);
    issuer.answer = () => undefined;
    clock.advance(5 * minuteMs);
    expect(await statusOf(one)).toBe(200);
    await vi.waitFor(() => expect(issuer.requests).toHaveLength(2));
    expect(await statusOf(one)).toBe(200);
  });

  it('that are slower than 3 s are a 503', async () => {
    const { issuer, statusOf, clock } = await start(one);
    issuer.answer = () => undefined;
    const asked = statusOf(one);
    await vi.waitFor(() => expect(issuer.requests).toHaveLength(1));
    clock.advance(3_000);
    expect(await asked).toBe(503);
  });

  it('may be at an address in a variable', async () => {
    const issuer = await startIssuer(one);
    const keys = { url: { env: 'JWKS_URL' } };
    const customers = verifyJwt({ issuer: iss, audience: aud, keys });
    const { statusOf } = startWith(customers, { JWKS_URL: issuer.url });
    expect(await statusOf(one)).toBe(200);
    const parse = (environment: Record<string, string>) => () =>
      parseSettings(environment, [], [customers]);
    expect(parse({})).toThrow(
      'JWKS_URL is not set. It holds the URL of a JWK set, as "https://id.example.com/jwks". ' +
        `verifyJwt() finds the keys of ${iss} there.`,
    );
    expect(parse({ JWKS_URL: 'id' })).toThrow('JWKS_URL is not the URL of a JWK set.');
  });
});

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'plait-jwks-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'jwks.json');
  writeFileSync(file, text);
  return file;
}
const setOf = (...keys: readonly Key[]) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
const ofFile = (file: string) => verifyJwt({ issuer: iss, audience: aud, keys: { file } });

describe('the keys in a file', () => {
  it('are read again when it has changed, and the last good ones stay in use', async () => {
    const file = fileWith(setOf(one));
    const { statusOf, clock } = startWith(ofFile(file));
    expect([await statusOf(one), await statusOf(two)]).toEqual([200, 401]);
    writeFileSync(file, setOf(two));
    clock.advance(1_000);
    expect(await statusOf(two)).toBe(200);
    expect(await statusOf(one)).toBe(401);
    writeFileSync(file, 'half a fi');
    clock.advance(1_000);
    expect([await statusOf(two), await statusOf(one)]).toEqual([200, 401]);
  });

  it.each([
    ['[]', 'is not a JWK set (RFC 7517, 5).'],
    ['{"keys":[{"kty":"oct","k":"canary"}]}', 'has a key that is not public'],
    ['{"keys":[{"kty":"EC","d":"canary"}]}', 'has a key that is not public'],
  ])('are judged at start-up: %s', (text, problem) => {
    const file = fileWith(text);
    expect(() => parseSettings({}, [], [ofFile(file)])).toThrow(problem);
    expect(() => parseSettings({}, [], [ofFile(file)])).not.toThrow('canary');
  });
});

describe('the state of an issuer', () => {
  it('says where its keys are, when they were fetched, and the last error with its time', async () => {
    const { issuer, statusOf, gateway, clock, warnings } = await start(one);
    const now = () => new Date(clock.epoch()).toISOString();
    const state = () => gateway.status().issuers;
    const its = { issuers: [iss], address: issuer.url };
    expect(state()).toEqual([{ ...its, state: 'not-asked' }]);
    issuer.answer = (response) => void response.writeHead(503).end();
    expect(await statusOf(one)).toBe(503);
    const lastError = { kind: 'status', status: 503, at: now() };
    expect(state()).toEqual([{ ...its, state: 'unavailable', lastError }]);
    expect(warnings).toEqual([expect.stringContaining(`no keys from ${issuer.url}: `)]);
    issuer.answer = undefined;
    clock.advance(minuteMs);
    expect(await statusOf(one)).toBe(200);
    expect(state()).toEqual([{ ...its, state: 'known', fetchedAt: now(), lastError }]);
  });

  it('quotes nothing of an answer that is not a JWK set', async () => {
    const { issuer, statusOf, gateway, warnings } = await start(one);
    issuer.answer = (response) => void response.end('canary');
    expect(await statusOf(one)).toBe(503);
    expect(warnings).toEqual([
      `Error: no keys from ${issuer.url}: the answer is not a JWK set (RFC 7517, 5)`,
    ]);
    expect(gateway.status().issuers).toMatchObject([{ lastError: { kind: 'invalid-body' } }]);
  });

  it('is told by the management side, with the code of a connection that fails', async () => {
    const customers = customersOf({ url: 'http://127.0.0.1:9/jwks?key=canary' });
    const { statusOf, gateway, warnings } = startWith(customers);
    expect(await statusOf(one)).toBe(503);
    const answer = await gateway.admin.request('http://localhost/upstreams');
    const text = await answer.text();
    expect(JSON.parse(text).issuers).toEqual([
      {
        issuers: [iss],
        address: 'http://127.0.0.1:9/jwks',
        state: 'unavailable',
        lastError: { kind: 'connect', code: 'ECONNREFUSED', at: expect.any(String) },
      },
    ]);
    expect(warnings).toEqual([
      'Error: no keys from http://127.0.0.1:9/jwks: no connection (ECONNREFUSED)',
    ]);
    expect(text).not.toContain('canary');
  });

  it('is that of fetched keys only', async () => {
    const { gateway } = startWith(ofFile(fileWith(setOf(one))));
    expect(gateway.status().issuers).toEqual([]);
  });
});
