import { exportSPKI, SignJWT } from 'jose';
import { createPublicKey, generateKeyPairSync, sign as signBy } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../../src/dsl/composition.ts';
import {
  aud,
  createKey,
  customersOf,
  iss,
  startIssuer,
  startProtected,
  startS,
  tokenOf,
} from '../../support/issuer.ts';
import type { Key } from '../../support/issuer.ts';

const key = await createKey('one');
const rsa = await createKey('rsa', 'RS256');
const stranger = await createKey('one');

/** A composition that answers with who asks, behind one issuer. */
async function start(more: Parameters<typeof customersOf>[1] = {}) {
  const issuer = await startIssuer(key, rsa);
  const customers = customersOf(issuer, more);
  const me = defineComposition({
    route: 'GET /me',
    auth: customers,
    compose: ({ identity }) => ({ claims: identity.claims }),
  });
  return { issuer, ...startProtected({ authenticators: [customers], compositions: { me } }) };
}

const claims = { iss, aud, sub: 'ann', exp: startS + 60 };

const rs512 = await createKey('rs512', 'RS512');
const small = shortKey();
const edwards = await createKey('edwards', 'EdDSA');
const ofSize = await createKey('ps', 'PS256');

/** jose would not make such a short one. */
function shortKey(): Pick<Key, 'jwk' | 'sign'> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  const header = { alg: 'RS256', kid: 'short' };
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), ...header, kty: 'RSA' },
    async sign() {
      const text = tokenOf(header, { iss, aud, sub: 'ann', exp: startS + 60 }, '').slice(0, -1);
      return `${text}.${signBy('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
    },
  };
}

describe('the key of a token', () => {
  const { alg: _alg, use: _use, ...anyUse } = rsa.jwk;
  const secret = { kty: 'oct', k: Buffer.from('secret'.repeat(8)).toString('base64url') };
  it.each<[string, Pick<Key, 'sign'>, Key['jwk'][], number]>([
    ['of an Edwards curve is taken', edwards, [edwards.jwk], 200],
    ['of RSA-PSS is taken', ofSize, [ofSize.jwk], 200],
    ['beside keys that cannot be used is taken', key, [{ kty: 'new' }, secret, key.jwk], 200],
    ['that does not say for which algorithm is taken', rsa, [anyUse], 200],
    ['of an algorithm that is not pinned is refused', rs512, [rs512.jwk], 401],
    ['that is for another algorithm is refused', rsa, [{ ...rsa.jwk, alg: 'PS256' }], 401],
    ['that is for encryption is refused', key, [{ ...key.jwk, use: 'enc' }], 401],
    ['that is for signing is refused', key, [{ ...key.jwk, key_ops: ['sign'] }], 401],
    ['of another curve is refused', key, [{ ...key.jwk, crv: 'P-384' }], 401],
    ['that is too short is refused', small, [small.jwk], 401],
    ['that is not there is refused', key, [], 401],
    ['that is there twice is refused', key, [key.jwk, stranger.jwk], 401],
  ])('%s', async (_, signer, keys, status) => {
    const { ask, issuer, internalErrors } = await start();
    issuer.keys = keys;
    const token = await signer.sign();
    expect((await ask('/me', token)).status).toBe(status);
    expect(internalErrors).toEqual([]);
  });
});

describe('a token', () => {
  it.each<[string, () => Promise<string>]>([
    ['of an elliptic curve', () => key.sign()],
    ['of RSA', () => rsa.sign()],
    ['for several audiences', () => key.sign({ aud: ['other', aud] })],
    ['of type JWT', () => key.sign({}, { typ: 'JWT' })],
    ['of type at+jwt', () => key.sign({}, { typ: 'application/at+jwt' })],
    ['that has expired by less than the tolerance', () => key.sign({ exp: startS - 4 })],
    ['that is valid since less than the tolerance', () => key.sign({ nbf: startS + 5 })],
    ['without kid, where one key fits', () => rsa.sign({}, { kid: undefined })],
  ])('%s is taken', async (_, sign) => {
    const { ask } = await start();
    const answered = await ask('/me', await sign());
    expect([answered.status, answered.json]).toEqual([200, { claims: { sub: 'ann' } }]);
  });

  it.each<[string, () => string | Promise<string>]>([
    ['expired', () => key.sign({ exp: startS - 5 })],
    ['without expiry', () => key.sign({ exp: undefined })],
    ['with an expiry that is a text', () => key.sign({ exp: '9999999999' })],
    ['not yet valid', () => key.sign({ nbf: startS + 6 })],
    ['of another issuer', () => key.sign({ iss: 'https://evil.example.com' })],
    ['of an issuer that only begins like it', () => key.sign({ iss: `${iss}/` })],
    ['without issuer', () => key.sign({ iss: undefined })],
    ['for another audience', () => key.sign({ aud: 'bank' })],
    ['without audience', () => key.sign({ aud: undefined })],
    ['for no audience', () => key.sign({ aud: [] })],
    ['without sub, which the claims require', () => key.sign({ sub: undefined })],
    ['of another type', () => key.sign({}, { typ: 'logout+jwt' })],
    ['of an unknown kid', () => key.sign({}, { kid: 'two' })],
    ['of a kid that is no text', () => key.sign({}, { kid: 1 })],
    ['of the kid of another key', () => key.sign({}, { kid: 'rsa' })],
    ['signed by a stranger under a kid of ours', () => stranger.sign()],
    ['unsigned', () => tokenOf({ alg: 'none' }, claims, '')],
    ['unsigned, with a signature', () => tokenOf({ alg: 'none', kid: 'one' }, claims)],
    ['unsigned, in capitals', () => tokenOf({ alg: 'NONE', kid: 'one' }, claims)],
    ['signed by the public key as a secret', () => signedByPublicKey()],
    ['of an algorithm that is not pinned', () => tokenOf({ alg: 'RS512', kid: 'rsa' }, claims)],
    ['with crit', () => tokenOf({ alg: 'ES256', kid: 'one', crit: ['exp'] }, claims)],
    ['with its own key', () => stranger.sign({}, { jwk: stranger.jwk })],
    ['with the address of its own keys', () => stranger.sign({}, { jku: 'http://127.0.0.1:9' })],
    ['with the address of its own certificate', () => stranger.sign({}, { x5u: 'http://x' })],
    ['of more than 8 KiB', () => key.sign({ padding: 'x'.repeat(8_000) })],
    ['with claims that were changed', async () => changed(await key.sign())],
    ['whose claims are no object', () => tokenOf({ alg: 'ES256', kid: 'one' }, ['a'])],
    ['with padding', async () => `${await key.sign()}=`],
    ['with base64 that is not of URLs', async () => (await key.sign()).replace(/.$/, '+')],
    ['with bits left over', async () => withBitsLeft(await key.sign())],
    ['with a length that base64 cannot have', async () => `${await key.sign()}A`],
    ['with a space', async () => (await key.sign()).replace('.', ' .')],
    ['of two parts', async () => (await key.sign()).replace(/\.[^.]*$/, '')],
    ['of four parts', async () => `${await key.sign()}.AAAA`],
    ['sent twice', async () => `${await key.sign()}, Bearer ${await key.sign()}`],
  ])('%s is a 401 like any other', async (_, sign) => {
    const { ask, internalErrors } = await start();
    const usual = await ask('/me', 'A.A.A');
    const answered = await ask('/me', await sign());
    expect(answered.status).toBe(401);
    expect(answered.header('www-authenticate')).toBe('Bearer realm="plait", error="invalid_token"');
    expect(answered.header('cache-control')).toBe('no-store');
    expect({ ...answered.json, requestId: '' }).toEqual({ ...usual.json, requestId: '' });
    expect(internalErrors).toEqual([]);
  });

  const es256 = { alg: 'ES256', kid: 'one' };
  it.each<[string, object, unknown, number]>([
    ['and says nothing strange', es256, claims, 200],
    ['and sends its own key besides', { ...es256, jwk: stranger.jwk }, claims, 200],
    ['and names addresses of keys', { ...es256, jku: 'http://x', x5u: 'http://x' }, claims, 200],
    ['with an extension that must be understood', { ...es256, crit: ['x'], x: 1 }, claims, 401],
    ['with crit of a claim', { ...es256, crit: ['exp'], exp: 1 }, claims, 401],
    ['with crit that is empty', { ...es256, crit: [] }, claims, 401],
    ['with crit that is no list', { ...es256, crit: 'x' }, claims, 401],
    ['with a body that is not encoded', { ...es256, b64: false, crit: ['b64'] }, claims, 401],
    ['under another name of the algorithm', { ...es256, alg: 'es256' }, claims, 401],
    ['as if it were another algorithm', { ...es256, alg: 'ES384' }, claims, 401],
    ['as if it were of RSA', { ...es256, alg: 'RS256' }, claims, 401],
    ['under several algorithms', { ...es256, alg: ['ES256'] }, claims, 401],
    ['with a type that is no text', { ...es256, typ: ['JWT'] }, claims, 401],
    ['with claims that are a list', es256, [claims], 401],
    ['with claims that are nothing', es256, null, 401],
    ['for an issuer in a list', es256, { ...claims, iss: [iss] }, 401],
    ['for a subject that is a number', es256, { ...claims, sub: 7 }, 401],
    ['with an nbf that is a text', es256, { ...claims, nbf: '0' }, 401],
    ['with an iat that is a text', es256, { ...claims, iat: 'now' }, 401],
    ['for an audience that is an object', es256, { ...claims, aud: { [aud]: 1 } }, 401],
  ])('that is signed by our key %s', async (_, header, says, status) => {
    const { ask, internalErrors } = await start({ claims: z.object({}) });
    expect((await ask('/me', await key.signAnyway(header, says))).status).toBe(status);
    expect(internalErrors).toEqual([]);
  });

  it('with a subject that no number can hold is refused, and no error', async () => {
    const { ask, internalErrors } = await start({ claims: z.object({}) });
    const token = await key.signAnyway(
      es256,
      JSON.stringify({ ...claims, sub: 0 }).replace('"sub":0', `"sub":${'9'.repeat(25)}`),
    );
    expect((await ask('/me', token)).status).toBe(401);
    expect(internalErrors).toEqual([]);
  });

  it('that cannot be valid fetches no keys', async () => {
    const { ask, issuer } = await start();
    const tokens = [
      'x',
      tokenOf({ alg: 'none' }, claims),
      tokenOf({ alg: 'HS256' }, claims),
      tokenOf({ alg: 'ES256', kid: 'one', jku: issuer.url }, { ...claims, iss: 'other' }),
    ];
    const answers = await Promise.all(tokens.map((token) => ask('/me', token)));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(issuer.requests).toEqual([]);
  });

  it.each([{}, { authorization: 'Basic YTpi' }, { authorization: 'Bearer' }])(
    'that is missing is a challenge without an error: %j',
    async (headers) => {
      const { ask } = await start();
      const answered = await ask('/me', undefined, headers);
      expect([answered.status, answered.header('www-authenticate')]).toEqual([
        401,
        'Bearer realm="plait"',
      ]);
      expect(answered.json).toMatchObject({
        type: 'urn:plait:problem:unauthenticated',
        detail: 'The request has no valid credentials.',
      });
    },
  );

  it('is taken until it expires, and not a second longer', async () => {
    const { ask, clock } = await start({ clockToleranceS: 0 });
    const token = await key.sign({ exp: startS + 10 });
    expect((await ask('/me', token)).status).toBe(200);
    clock.advance(9_999);
    expect((await ask('/me', token)).status).toBe(200);
    clock.advance(1);
    expect((await ask('/me', token)).status).toBe(401);
  });

  it('of the type that the authenticator names is taken, and no other', async () => {
    const { ask } = await start({ type: 'at+jwt' });
    const types = ['at+jwt', 'application/at+JWT', 'JWT', undefined];
    const answers = await Promise.all(
      types.map(async (typ) => ask('/me', await key.sign({}, { typ }))),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 401]);
  });

  it('has the claims of the schema, as the schema makes them', async () => {
    const schema = z.object({ sub: z.string(), tenant: z.string().toUpperCase() });
    const issuer = await startIssuer(key);
    const customers = customersOf(issuer, { claims: schema });
    const me = defineComposition({
      route: 'GET /me',
      auth: customers,
      compose: ({ identity }) => ({ tenant: identity.claims.tenant }),
    });
    const { ask } = startProtected({ authenticators: [customers], compositions: { me } });
    expect((await ask('/me', await key.sign({ tenant: 'acme' }))).json).toEqual({ tenant: 'ACME' });
    expect((await ask('/me', await key.sign())).status).toBe(401);
  });
});

async function signedByPublicKey(): Promise<string> {
  const spki = await exportSPKI(createPublicKey({ key: { ...rsa.jwk }, format: 'jwk' }) as never);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
    .sign(new TextEncoder().encode(spki));
}

function changed(token: string): string {
  const [header, , signature] = token.split('.');
  const other = Buffer.from(JSON.stringify({ ...claims, sub: 'bob' })).toString('base64url');
  return [header, other, signature].join('.');
}

/** A signature of ES256 has 86 characters, the last of which has four bits to spare. */
function withBitsLeft(token: string): string {
  const next = { A: 'B', Q: 'R', g: 'h', w: 'x' }[token.at(-1) ?? ''] ?? '';
  return token.slice(0, -1) + next;
}

describe('scopes and roles', () => {
  const demands = [
    [{ scopes: { all: ['a', 'b'] } }, { scope: 'a b c' }, 200],
    [{ scopes: { all: ['a', 'b'] } }, { scope: 'a ab' }, 403],
    [{ scopes: { all: ['a', 'b'] } }, { scp: ['b', 'a'] }, 200],
    [{ scopes: { any: ['a', 'b'] } }, { scope: 'b' }, 200],
    [{ scopes: { any: ['a', 'b'] } }, {}, 403],
    [{ scopes: { any: ['a'] } }, { scope: { a: true } }, 403],
    [{ roles: { any: ['clerk'] } }, { roles: ['clerk'] }, 200],
    [{ roles: { all: ['clerk', 'admin'] } }, { roles: ['clerk'] }, 403],
    [{ scopes: { any: ['a'] }, roles: { any: ['clerk'] } }, { scope: 'a' }, 403],
  ] as const;

  it.each(demands)('%j of a client with %j give %i', async (demand, held, status) => {
    const issuer = await startIssuer(key);
    const customers = customersOf(issuer);
    const me = defineComposition({
      route: 'GET /me',
      auth: customers,
      ...demand,
      compose: () => ({ ok: true }),
    });
    const { ask } = startProtected({ authenticators: [customers], compositions: { me } });
    const answered = await ask('/me', await key.sign(held));
    expect(answered.status).toBe(status);
    if (status === 200) return;
    expect(answered.header('www-authenticate')).toMatch(
      /^Bearer realm="plait", error="insufficient_scope"(?:, scope="a b")?$/,
    );
    expect(answered.json).toMatchObject({ type: 'urn:plait:problem:insufficient-scope' });
  });
});

describe('several issuers', () => {
  it('are each believed about themselves only', async () => {
    const other = await createKey('other');
    const [one, two] = [await startIssuer(key), await startIssuer(other)];
    const customers = customersOf(one);
    const partners = customersOf(two, {
      issuer: 'https://partners',
      claims: z.object({ sub: z.string(), partner: z.string() }),
    });
    const me = defineComposition({
      route: 'GET /me',
      auth: [customers, partners],
      compose: ({ identity }) => ({ sub: identity.claims.sub }),
    });
    const authenticators = [customers, partners];
    const { ask } = startProtected({ authenticators, compositions: { me } });
    const ofPartner = { iss: 'https://partners', sub: 'zoe', partner: 'x' };
    expect((await ask('/me', await key.sign())).json).toEqual({ sub: 'ann' });
    expect((await ask('/me', await other.sign(ofPartner))).json).toEqual({ sub: 'zoe' });
    expect((await ask('/me', await key.sign(ofPartner))).status).toBe(401);
    expect((await ask('/me', await other.sign())).status).toBe(401);
  });
});
