import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../../src/dsl/composition.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { defineService } from '../../../src/dsl/service.ts';
import { call } from '../../../src/dsl/steps.ts';
import { verifyApiKeys } from '../../../src/dsl/verify-api-keys.ts';
import { readApiKey } from '../../../src/edge/identity/api-key.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import { folderWith } from '../../support/folder.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import {
  createKey,
  customersOf,
  startIssuer,
  startProtected,
  startS,
} from '../../support/issuer.ts';

const one = 'canary1'.padEnd(43, 'x');
const two = 'canary2'.padEnd(43, 'x');
const other = 'canary3'.padEnd(43, 'x');

/** Signs under the id of a key of the issuer. */
const forged = await createKey('one');

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');
const entryOf = (id: string, secret: string, more: object = {}) => ({
  id,
  sha256: hashOf(secret),
  ...more,
});
const listOf = (...keys: readonly unknown[]) => JSON.stringify({ keys });

const partners = verifyApiKeys({ env: 'API_KEYS' });
const me = (auth: typeof partners, demands: object = {}) =>
  defineComposition({
    route: 'GET /me',
    auth,
    ...demands,
    compose: ({ identity }) => ({ claims: identity.claims }),
  });

function startWith(list: string, demands: object = {}) {
  const compositions = { me: me(partners, demands) };
  const environment = { API_KEYS: list };
  const started = startProtected({ authenticators: [partners], compositions, environment });
  return {
    ...started,
    askWith: (key: string) => started.ask('/me', undefined, { 'x-api-key': key }),
  };
}

const withoutId = (body: string) => body.replace(/"requestId":"[^"]*"/, '');

describe('an API key', () => {
  const list = listOf(
    entryOf('acme', one, { owner: 'Acme Ltd' }),
    entryOf('acme', two),
    entryOf('late', one, { expires: new Date((startS + 60) * 1_000).toISOString() }),
  );

  it('says who asks, and both keys of an id say the same', async () => {
    const { askWith } = startWith(list);
    const answers = [await askWith(`acme.${one}`), await askWith(`acme.${two}`)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.map(({ json }) => json['claims'])).toEqual([
      { sub: 'acme', owner: 'Acme Ltd' },
      { sub: 'acme' },
    ]);
    expect(answers[0]?.header('cache-control')).toBe('no-store');
  });

  it('ends at the moment that the list says', async () => {
    const { askWith, clock } = startWith(list);
    expect((await askWith(`late.${one}`)).status).toBe(200);
    clock.advance(59_999);
    expect((await askWith(`late.${one}`)).status).toBe(200);
    clock.advance(1);
    expect((await askWith(`late.${one}`)).status).toBe(401);
  });

  it.each([
    ['of an unknown id', `nobody.${one}`],
    ['with a wrong secret', `acme.${other}`],
    ['with the secret of another id', `late.${two}`],
    ['with the hash for a secret', `acme.${hashOf(one)}`],
    ['without a secret', 'acme.'],
    ['without an id', `.${one}`],
    ['without a dot', `acme${one}`],
    ['with white space', `acme. ${one}`],
    ['with padding', `acme.${one}=`],
    ['sent twice', `acme.${one}, acme.${one}`],
    ['of a name that objects have', `constructor.${one}`],
    ['that is long', `acme.${one.repeat(300)}`],
    ['that is empty', ''],
  ])('%s has the answer of any that is not valid', async (_, key) => {
    const { ask, askWith, internalErrors } = startWith(list);
    const { status, text, header } = await askWith(key);
    expect([status, header('www-authenticate')]).toEqual([
      401,
      'ApiKey realm="plait", header="x-api-key"',
    ]);
    expect(withoutId(text)).toBe(withoutId((await ask('/me')).text));
    expect(internalErrors).toEqual([]);
  });

  it('makes the response private, and vary by its header', async () => {
    const { askWith } = startWith(list, { cache: { maxAge: 60, sMaxAge: 90 } });
    const { header } = await askWith(`acme.${one}`);
    expect([header('cache-control'), header('vary')]).toEqual(['private, max-age=60', 'x-api-key']);
  });

  it('is taken from its header only', async () => {
    const { ask } = startWith(list);
    const key = `acme.${one}`;
    expect((await ask('/me', key)).status).toBe(401);
    expect((await ask(`/me?x-api-key=${key}`)).status).toBe(401);
    expect((await ask('/me', undefined, { 'api-key': key })).status).toBe(401);
  });

  it.each([
    [{ scopes: { all: ['read', 'write'] } }, 200],
    [{ scopes: { all: ['read', 'delete'] } }, 403],
    [{ roles: { any: ['clerk', 'admin'] } }, 200],
    [{ roles: { any: ['admin'] } }, 403],
  ])('has the scopes and roles of its entry: %j', async (demands, status) => {
    const entry = entryOf('acme', one, { scopes: ['read', 'write'], roles: ['clerk'] });
    const { askWith } = startWith(listOf(entry), demands);
    expect((await askWith(`acme.${one}`)).status).toBe(status);
  });

  it('stands beside tokens, and either of them suffices', async () => {
    const key = await createKey('one');
    const customers = customersOf(await startIssuer(key));
    const auth = [customers, partners] as const;
    const { ask } = startProtected({
      authenticators: auth,
      environment: { API_KEYS: list },
      compositions: {
        me: defineComposition({
          route: 'GET /me',
          auth,
          compose: ({ identity }) => ({ sub: identity.claims.sub }),
        }),
      },
    });
    const apiKey = { 'x-api-key': `acme.${one}` };
    expect((await ask('/me', await key.sign())).json).toEqual({ sub: 'ann' });
    expect((await ask('/me', undefined, apiKey)).json).toEqual({ sub: 'acme' });
    expect((await ask('/me', await key.sign(), apiKey)).json).toEqual({ sub: 'ann' });
    const denied = await ask('/me', 'nonsense', { 'x-api-key': 'nonsense' });
    expect([denied.status, denied.header('www-authenticate')]).toEqual([
      401,
      'Bearer realm="plait", error="invalid_token", ApiKey realm="plait", header="x-api-key"',
    ]);
  });

  it.each([
    ['a forged token', async () => ({ authorization: `Bearer ${await forged.sign()}` })],
    ['a token of no shape', async () => ({ authorization: 'Bearer x y' })],
    ['credentials of another scheme', async () => ({ authorization: 'Basic YTpi' })],
  ])('does not carry %s past the gateway to a service that trusts it', async (_, sent) => {
    const customers = customersOf(await startIssuer(await createKey('one')));
    const service = await startServer((__, response) => void response.end('{}'));
    const orders = defineService({ name: 'orders', url: service.url, forward: ['authorization'] });
    const get = operation(orders, { name: 'get', route: 'GET /orders', response: z.object({}) });
    const auth = [customers, partners] as const;
    const { ask } = startProtected({
      authenticators: auth,
      environment: { API_KEYS: list },
      compositions: {
        orders: defineComposition({ route: 'GET /orders', auth, compose: () => call(get, {}) }),
      },
    });
    const apiKey = { 'x-api-key': `acme.${one}` };
    expect((await ask('/orders', undefined, apiKey)).status).toBe(200);
    const { status, header } = await ask('/orders', undefined, { ...apiKey, ...(await sent()) });
    expect([status, header('www-authenticate')]).toEqual([
      401,
      'Bearer realm="plait", error="invalid_token", ApiKey realm="plait", header="x-api-key"',
    ]);
    expect(service.requests).toHaveLength(1);
  });

  it('has one form', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[\w.-]{1,66}\.[\w.-]{42,44}\n?$/));
    assertProperty(
      fc.property(text, (given) => {
        const read = readApiKey(given);
        return read === undefined || `${read.id}.${read.secret}` === given;
      }),
    );
    expect(readApiKey(`acme.${one}`)).toEqual({ id: 'acme', secret: one });
    expect(readApiKey(`acme.${one}\n`)).toBeUndefined();
  });
});

async function startWithFile(text: string) {
  const folder = await folderWith({ 'keys.json': text });
  const file = join(folder, 'keys.json');
  const authenticator = verifyApiKeys({ file }, { header: 'api-key' });
  const authenticators = [authenticator];
  const started = startProtected({ authenticators, compositions: { me: me(authenticator) } });
  const statusOf = async (secret: string) =>
    (await started.ask('/me', undefined, { 'api-key': `acme.${secret}` })).status;
  return { ...started, file, statusOf };
}

describe('the list of keys in a file', () => {
  it('is read again when it has changed: a new key begins, and one that is gone ends', async () => {
    const { file, statusOf, clock, warnings } = await startWithFile(listOf(entryOf('acme', one)));
    expect([await statusOf(one), await statusOf(two)]).toEqual([200, 401]);
    writeFileSync(file, listOf(entryOf('acme', one), entryOf('acme', two)));
    clock.advance(1_000);
    expect([await statusOf(one), await statusOf(two)]).toEqual([200, 200]);
    writeFileSync(file, listOf(entryOf('acme', two)));
    // After a pause, too, no request is served by what the file had before.
    clock.advance(3_600_000);
    const statuses = await Promise.all([statusOf(one), statusOf(one), statusOf(two)]);
    expect(statuses).toEqual([401, 401, 200]);
    expect(warnings).toEqual([]);
  });

  it('stays in use when it changes to something unusable, and the log says so', async () => {
    const { file, statusOf, clock, warnings } = await startWithFile(listOf(entryOf('acme', one)));
    writeFileSync(file, `{"keys":[{"id":"acme","sha256":"${two}"}]}`);
    clock.advance(1_000);
    expect([await statusOf(one), await statusOf(two)]).toEqual([200, 401]);
    expect(warnings).toEqual([
      `${file} has no valid sha256 in keys[0]. Use the SHA-256 of the secret as 64 hexadecimal ` +
        'digits in lower case. Its last content stays in use.',
    ]);
  });
});

describe('a list of keys at start-up', () => {
  const entry = entryOf('acme', one);
  it.each<[string, string]>([
    ['', 'API_KEYS is not set. verifyApiKeys() reads the list of API keys from it.'],
    ['canary', 'API_KEYS is not JSON. Write { "keys": [{ "id": "acme", "sha256": "…" }] }'],
    ['[]', 'API_KEYS is not a list of keys. Write { "keys": ['],
    ['{"keys":{}}', 'is not a list of keys.'],
    ['{"keys":[],"canary":1}', 'is not a list of keys.'],
    [listOf({}), 'has no valid id in keys[0]. Use letters, digits, - and _, at most 64.'],
    [listOf(entry, { ...entry, id: `a.${one}` }), 'has no valid id in keys[1].'],
    [listOf({ ...entry, sha256: one }), 'has no valid sha256 in keys[0]. Use the SHA-256 of'],
    [listOf({ ...entry, sha256: hashOf(one).toUpperCase() }), 'has no valid sha256 in keys[0].'],
    [listOf({ ...entry, owner: '' }), 'has no valid owner in keys[0]. Use a text.'],
    [listOf({ ...entry, scopes: 'a' }), 'has no valid scopes in keys[0]. Use a list of names'],
    [listOf({ ...entry, roles: ['a b'] }), 'has no valid roles in keys[0].'],
    [
      listOf({ ...entry, expires: '2027-01-31' }),
      'has no valid expires in keys[0]. Use a time, as',
    ],
    [listOf({ ...entry, canary: one }), 'has something else in keys[0] than id, sha256, owner,'],
    [listOf('acme'), 'has something else in keys[0] than id,'],
    [listOf(entry, entry), 'has a key twice: keys[1]. Remove one of them.'],
    [
      listOf(entry, entryOf('acme', two), entryOf('acme', other)),
      'has more than 2 keys with the id "acme"',
    ],
  ])('says what is wrong and shows no secret: %s', (text, message) => {
    const parse = () => parseSettings({ API_KEYS: text }, [], [partners]);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow('canary');
  });

  it('may be empty: then nobody may ask', async () => {
    expect((await startWith(listOf()).askWith(`acme.${one}`)).status).toBe(401);
  });
});
