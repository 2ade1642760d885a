import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bearer } from '../../src/dsl/credentials.ts';
import { verifyApiKeys } from '../../src/dsl/verify-api-keys.ts';
import { verifyJwt } from '../../src/dsl/verify-jwt.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import type { Composition } from '../../src/dsl/composition.ts';
import { defineGateway } from '../../src/dsl/gateway.ts';
import { drawMermaid } from '../../src/explain/draw-mermaid.ts';
import { drawTree } from '../../src/explain/draw-tree.ts';
import { explain } from '../../src/explain/explain.ts';
import { compile, compileAll } from '../../src/plan/compile.ts';
import { createGateway } from '../../src/gateway.ts';

const valid = { issuer: 'https://id', audience: 'shop', keys: { url: 'https://id/jwks' } };
const customers = verifyJwt(valid);
const partners = verifyJwt({
  ...valid,
  issuer: 'https://partners',
  claims: z.object({ sub: z.string(), partner: z.string() }),
});

/** A composition that types would refuse. */
function compositionWith(config: object): Composition {
  const define = defineComposition as (given: unknown) => Composition;
  return define({ route: 'GET /me', compose: () => ({}), ...config });
}

function messageOf(run: () => unknown): string {
  try {
    run();
    return 'nothing was wrong';
  } catch (error) {
    return String(error);
  }
}

describe('verifyJwt', () => {
  it.each<[object, string]>([
    [{ issuer: undefined }, 'verifyJwt(): issuer is missing. Use a text, or a list of texts'],
    [{ issuer: [] }, 'issuer is [].'],
    [{ audience: ['a', 7] }, 'audience is ["a",7].'],
    [{ audience: '' }, 'audience is "".'],
    [{ keys: undefined }, 'keys is undefined. Use { url: "https://id.example.com/jwks" }'],
    [{ keys: {} }, 'keys must name one URL or one file, not none.'],
    [{ keys: { url: 'https://id', file: 'x' } }, 'keys must name one URL or one file, not both.'],
    [{ keys: { url: 'id/jwks' } }, 'keys.url is "id/jwks". Use an http or https URL'],
    [{ keys: { url: 'https://a:canary@id' } }, 'keys.url is a value that is not shown here.'],
    [
      { keys: { url: { env: 'a b' } } },
      'keys.url.env is a text that is not a name of a variable. Use { env: "NAME" } or { file: "/path" }.',
    ],
    [{ keys: { url: { file: 'x' } } }, 'unknown option "file" in keys.url.'],
    [{ keys: { file: '' } }, 'keys.file is "", which is not a path.'],
    [{ algorithms: ['HS256'] }, 'algorithms has "HS256". Use some of RS256,'],
    [{ algorithms: ['none'] }, 'algorithms has "none".'],
    [{ algorithms: [] }, 'algorithms is empty.'],
    [{ claims: { sub: 'text' } }, 'claims is not a schema. Use z.object({ sub: z.string() }).'],
    [{ claims: z.object({ a: z.promise(z.string()) }) }, 'claims has an asynchronous function'],
    [{ type: 'a b' }, 'type is "a b". Use the typ of tokens'],
    [{ clockToleranceS: 301 }, 'clockToleranceS is 301. Use a whole number of at most 300.'],
    [{ secret: 'canary' }, 'unknown option "secret".'],
  ])('refuses %j', (wrong, message) => {
    const found = messageOf(() => verifyJwt({ ...valid, ...wrong }));
    expect(found).toContain(message);
    expect(found).not.toContain('canary');
  });

  it('gives data that nobody can change', () => {
    expect(Object.isFrozen(customers) && Object.isFrozen(customers.algorithms)).toBe(true);
    expect(customers).toMatchObject({
      issuers: ['https://id'],
      audiences: ['shop'],
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      clockToleranceS: 5,
    });
  });
});

const machines = verifyApiKeys({ file: '/run/keys.json' });

describe('verifyApiKeys', () => {
  type Args = Parameters<typeof verifyApiKeys>;
  it.each<[unknown[], string]>([
    [[], 'verifyApiKeys(): the list of keys is missing. Use { env: "NAME" } or { file: "/path" }.'],
    [['canary'], 'the list of keys is a text. Use { env: "NAME" } or { file: "/path" }: a secret'],
    [[{}], 'the list of keys must name one variable or one file, not none.'],
    [[{ file: '' }], 'the list of keys.file is "", which is not a path.'],
    [
      [{ url: 'https://id' }],
      'unknown option "url" in the list of keys. Known options: env, file.',
    ],
    [[{ env: 'K' }, { header: 'X-Api-Key' }], 'header is "X-Api-Key". Use one that is known to be'],
    [[{ env: 'K' }, { header: 'authorization' }], 'x-api-key, api-key, x-auth-token, x-access-tok'],
    [[{ env: 'K' }, { name: 'x' }], 'unknown option "name". Known options: header.'],
  ])('refuses %j', (args, message) => {
    const found = messageOf(() => verifyApiKeys(...(args as Args)));
    expect(found).toContain(message);
    expect(found).not.toContain('canary');
  });

  it('gives data that nobody can change', () => {
    expect(Object.isFrozen(machines)).toBe(true);
    expect(machines).toMatchObject({ list: { file: '/run/keys.json' }, header: 'x-api-key' });
  });
});

describe('the auth of a composition', () => {
  const headers = z.object({ authorization: z.string() });
  it.each<[object, string]>([
    [
      { auth: 'jwt' },
      'me: auth is "jwt". Use what verifyJwt() or verifyApiKeys() returns, a list of these, or "none"',
    ],
    [{ auth: [] }, 'auth is an empty list.'],
    [{ auth: { ...customers } }, 'auth is an object.'],
    [{ auth: [customers, 'none'] }, 'auth is a list of something else.'],
    [{ auth: bearer({ env: 'A' }) }, 'auth is an object.'],
    [{ scopes: { any: ['a'] } }, 'scopes has no effect without auth. Add auth, or remove scopes.'],
    [{ auth: 'none', roles: { any: ['a'] } }, 'roles has no effect without auth.'],
    [{ auth: customers, scopes: { all: [] } }, 'scopes is not a demand. Write { any: ["…"] }'],
    [{ auth: customers, scopes: { all: ['a b'] } }, 'scopes is not a demand.'],
    [{ auth: customers, scopes: { all: ['a'], any: ['b'] } }, 'scopes is not a demand.'],
    [
      { auth: customers, scopes: ['a'] },
      'scopes is not a demand. Write { any: ["…"] } or { all: ["…"] }',
    ],
    [{ auth: customers, scopes: { some: ['a'] } }, 'unknown option "some" in scopes.'],
    [{ auth: customers, headers }, 'header "authorization" carries'],
    [{ auth: machines, headers: z.object({ 'x-api-key': z.string() }) }, '"x-api-key" carries'],
    [{ compose: ({ identity }: { identity: object }) => ({ identity }) }, 'identity is used, but'],
  ])('is refused: %j', (config, message) => {
    expect(
      messageOf(() => compile({ name: 'me', composition: compositionWith(config) })),
    ).toContain(message);
  });

  it.each([
    [customers, 'tenant', 'identity.claims has no field "tenant". It has: sub.'],
    [[customers, partners], 'partner', 'identity.claims has no field "partner". It has: sub.'],
  ])('has no claim but those of every schema', (auth, claim, message) => {
    const compose = ({ identity }: { identity: { claims: Record<string, unknown> } }) => ({
      claim: identity.claims[claim],
    });
    const composition = compositionWith({ auth, compose });
    expect(messageOf(() => compile({ name: 'me', composition }))).toContain(message);
  });

  it.each<[object, string, string | undefined]>([
    [{}, 'undefined', undefined],
    [{ auth: 'none' }, 'string', 'auth none'],
    [{ auth: customers }, 'object', 'auth JWT of https://id'],
    [{ auth: machines }, 'object', 'auth API key of file /run/keys.json in x-api-key'],
    [
      { auth: [customers, partners], scopes: { all: ['a'] }, roles: { any: ['b', 'c'] } },
      'object',
      'auth JWT of https://id or JWT of https://partners · scope a · any of the roles b, c',
    ],
  ])('is drawn: %j', (config, kind, line) => {
    const plan = explain(compile({ name: 'me', composition: compositionWith(config) }));
    const lines = drawTree(plan).split('\n');
    expect(lines.find((one) => one.startsWith('auth'))).toBe(line);
    const start = drawMermaid(plan).split('\n')[1];
    expect(start).toContain(line === undefined ? '(["GET /me"])' : `(["GET /me<br/>${line}"])`);
    expect(typeof plan.auth).toBe(kind);
  });

  it('makes the response private, and vary by the header', () => {
    const composition = compositionWith({ auth: customers, cache: { maxAge: 60, sMaxAge: 90 } });
    const plan = compile({ name: 'me', composition });
    expect([plan.cache?.visibility, plan.cache?.sMaxAge, plan.vary]).toEqual([
      'private',
      undefined,
      ['authorization'],
    ]);
  });
});

describe('a gateway with authenticators', () => {
  const errorsOf = (config: object, authenticators: readonly (typeof customers)[]) =>
    compileAll(
      [{ name: 'me', composition: compositionWith(config) }],
      new Set(),
      authenticators,
    ).errors.map(({ message }) => message);
  const noAuth =
    'me: auth is missing, but gateway.ts has authenticators. Write auth: with one of them, or ' +
    'auth: "none" if everybody may ask.';
  const unlisted = expect.stringContaining('me: auth names an authenticator that defineGateway()');

  it.each([
    [{}, [], []],
    [{}, [customers], [noAuth]],
    [{ auth: 'none' }, [customers], []],
    [{ auth: customers }, [customers], []],
    [{ auth: customers }, [], [unlisted]],
    [{ auth: [customers, partners] }, [customers], [unlisted]],
    // Equal, and another one all the same.
    [{ auth: verifyJwt(valid) }, [customers], [unlisted]],
  ])('denies by default: %j beside %j', (config, authenticators, errors) => {
    expect(errorsOf(config, authenticators)).toEqual(errors);
  });

  it.each([
    [{}, [customers], 'auth is missing'],
    [{ auth: customers }, [], 'auth names an authenticator'],
  ])('denies by default what a program compiles, too: %j', (config, authenticators, message) => {
    const plans = [compile({ name: 'me', composition: compositionWith(config) })];
    const edge = { definition: defineGateway({ authenticators }) };
    expect(() => createGateway({ plans, addresses: new Map(), edge })).toThrow(message);
  });

  it.each([[{}], ['customers'], [bearer({ env: 'A' })]])('takes no other: %j', (wrong) => {
    const config = { authenticators: [wrong] } as unknown as Parameters<typeof defineGateway>[0];
    expect(() => defineGateway(config)).toThrow('authenticators is not a list of what verifyJwt()');
  });
});
