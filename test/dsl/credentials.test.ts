/** The messages of the words for credentials and headers when they are misused. */
import { apiKey, basic, bearer, clientCredentials, defineService, lookup, operation } from 'plait';
import { tokenExchange } from 'plait';
import type { Auth, Source } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { messageOf } from '../support/page.ts';

const env = { env: 'KEY' };
/** A value that only JavaScript can give. */
const wrong = (value: unknown): never => value as never;

describe('a secret', () => {
  const advice =
    'Use { env: "NAME" } or { file: "/path" }: a secret in source code is in every copy of it.';

  it.each([
    ['bearer(): token', () => bearer(wrong('canary'))],
    ['basic(): password', () => basic({ user: 'me', password: wrong('canary') })],
    ['apiKey(): its first argument', () => apiKey(wrong('canary'), { header: 'x-key' })],
    [
      'service "x": headers["x-api-key"]',
      () =>
        defineService({ name: 'x', url: 'http://x', headers: wrong({ 'X-Api-Key': 'canary' }) }),
    ],
  ])('is refused as text, and not repeated: %s', (what, run) => {
    expect(messageOf(run)).toBe(`${what} is a text. ${advice}`);
  });

  it.each([
    [undefined, 'token is missing. Use { env: "NAME" } or { file: "/path" }.'],
    [7, 'token is a number. Use { env: "NAME" } or { file: "/path" }.'],
    [[], 'token is an array. Use { env: "NAME" } or { file: "/path" }.'],
    [
      {},
      'token must name one variable or one file, not none. Use { env: "NAME" } or { file: "/path" }.',
    ],
    [
      { env: 'A', file: '/b' },
      'token must name one variable or one file, not both. Use { env: "NAME" } or { file: "/path" }.',
    ],
    [
      { env: 'A=B' },
      'token.env is a text that is not a name of a variable. Use { env: "NAME" } or { file: "/path" }.',
    ],
    [{ file: '' }, 'token.file is "", which is not a path.'],
    [{ path: '/x' }, 'unknown option "path" in token. Known options: env, file.'],
  ])('comes from one variable or one file: %j', (source, problem) => {
    expect(messageOf(() => bearer(source as Source))).toBe(`bearer(): ${problem}`);
  });
});

describe('basic()', () => {
  it('refuses a user name with a colon', () => {
    expect(messageOf(() => basic({ user: 'a:b', password: env }))).toBe(
      'basic(): user contains a colon, which ends it (RFC 7617, 2).',
    );
  });

  it('refuses an empty user name', () => {
    expect(messageOf(() => basic({ user: '', password: env }))).toBe(
      'basic(): user is empty. Use a text, or { env: "NAME" } or { file: "/path" }.',
    );
  });
});

describe('apiKey()', () => {
  it.each([
    [
      {},
      'its second argument must name one place, not none. Write { header: "x-api-key" } or { query: "key" }.',
    ],
    [
      { header: 'a', query: 'b' },
      'its second argument must name one place, not two. Write { header: "x-api-key" } or { query: "key" }.',
    ],
    [{ header: 'a b' }, 'header is "a b", which is not a header name.'],
    [
      { header: 'Content-Type' },
      'header "content-type" cannot carry a key: it describes the body of the client, which is ' +
        'not the one that is sent.',
    ],
    [{ query: '' }, 'query is "", which is not a name of a parameter.'],
    [{ cookie: 'a' }, 'unknown option "cookie". Known options: header, query.'],
  ])('refuses the place %j', (where, problem) => {
    expect(messageOf(() => apiKey(env, wrong(where)))).toBe(`apiKey(): ${problem}`);
  });
});

describe('headers of a service', () => {
  it.each([
    [
      { 'content-length': '1' },
      'it describes the body of the client, which is not the one that is sent',
    ],
    [{ Host: 'shop' }, 'the gateway sends one of its own'],
    [{ traceparent: 'x' }, 'the gateway sends one of its own'],
    [
      { 'accept-encoding': 'gzip' },
      'the gateway reads JSON in UTF-8 and says so itself, and the answer may be shared',
    ],
    [
      { connection: 'close' },
      'it belongs to one connection (RFC 9110, 7.6.1), and not to the request',
    ],
    [{ 'if-match': '"1"' }, 'it is a condition for one write'],
    [{ 'idempotency-key': '1' }, 'it differs for each write'],
  ])('cannot be %j', (headers, reason) => {
    const [name = ''] = Object.keys(headers).map((key) => key.toLowerCase());
    expect(messageOf(() => defineService({ name: 'x', url: 'http://x', headers }))).toBe(
      `service "x": header "${name}" cannot be a constant: ${reason}.`,
    );
  });

  it.each([
    [[], 'headers is an array. Use an object, as in { "x-tenant": "shop" }.'],
    [{ 'a b': 'x' }, 'headers has "a b", which is not a header name.'],
    [{ a: 'x', A: 'y' }, 'header "a" is there twice. Remove one.'],
    [
      { 'x-a': 'a\r\nb: c' },
      'headers["x-a"] has a character that a header cannot carry, at position 2.',
    ],
    [{ 'x-a': 7 }, 'headers["x-a"] is a number. Use { env: "NAME" } or { file: "/path" }.'],
  ])('are texts by name, not %j', (headers, problem) => {
    const run = () => defineService({ name: 'x', url: 'http://x', headers: wrong(headers) });
    expect(messageOf(run)).toBe(`service "x": ${problem}`);
  });
});

describe('auth', () => {
  const service = defineService({ name: 'x', url: 'http://x', auth: bearer(env) });

  it('of a service is made by a word', () => {
    const auth = { kind: 'bearer', token: { env: 'A' } } as Auth;
    expect(messageOf(() => defineService({ name: 'x', url: 'http://x', auth }))).toBe(
      'service "x": auth is an object. Use bearer(), basic(), apiKey(), clientCredentials() or tokenExchange().',
    );
  });

  it.each([
    [{ auth: bearer(env), forward: ['Authorization'] }, 'authorization', 'auth', 'forward'],
    [
      { auth: apiKey(env, { header: 'X-Key' }), headers: { 'x-key': env } },
      'x-key',
      'auth',
      'the headers of the service',
    ],
    [
      { headers: { 'x-tenant': 'a' }, forward: ['x-tenant'] },
      'x-tenant',
      'the headers of the service',
      'forward',
    ],
  ])(', headers and forward name no header twice', (config, header, first, second) => {
    expect(messageOf(() => defineService({ name: 'x', url: 'http://x', ...config }))).toBe(
      `service "x": header "${header}" is in ${first} and in ${second}. Remove one of them.`,
    );
  });

  it('and the forward of an operation name no header twice', () => {
    const config = { route: 'GET /a', response: z.unknown(), forward: ['authorization'] } as const;
    expect(messageOf(() => operation(service, config))).toBe(
      'x.getA: header "authorization" is in auth and in forward. Remove one of them.',
    );
    expect(operation(service, { ...config, auth: false }).auth).toBeUndefined();
  });

  it('and the headers of an operation name no header twice', () => {
    const headers = z.object({ authorization: z.string() });
    expect(
      messageOf(() => operation(service, { route: 'GET /a', response: z.unknown(), headers })),
    ).toBe(
      'x.getA: header "authorization" is in auth and in the headers of the operation. Remove one ' +
        'of them.',
    );
  });

  it('of an operation is false, where its service has one', () => {
    const config = { route: 'GET /a', response: z.unknown() } as const;
    expect(messageOf(() => operation(service, { ...config, auth: wrong(bearer(env)) }))).toBe(
      'x.getA: auth is an object. Use false, or nothing. Other credentials belong to a service of their own, ' +
        'which may have the same url.',
    );
    const open = defineService({ name: 'open', url: 'http://x' });
    expect(messageOf(() => operation(open, { ...config, auth: false }))).toBe(
      'open.getA: service "open" has no auth. Remove auth: false.',
    );
  });

  it('in the query is no argument', () => {
    const keyed = defineService({
      name: 'x',
      url: 'http://x',
      auth: apiKey(env, { query: 'key' }),
    });
    const problem = 'query parameter "key" is sent by auth, and is an argument. Remove one.';
    const query = z.object({ key: z.string() });
    expect(
      messageOf(() => operation(keyed, { route: 'GET /a', query, response: z.unknown() })),
    ).toBe(`x.getA: ${problem}`);
    const item = z.object({ id: z.string() });
    expect(
      messageOf(() => lookup(keyed, { route: 'GET /b', keys: { query: 'key' }, by: 'id', item })),
    ).toBe(`x.getB: ${problem}`);
  });
});

describe('clientCredentials() and tokenExchange()', () => {
  const config = { tokenUrl: 'https://id/token', clientId: 'me', clientSecret: env };

  it.each([
    [
      { clientSecret: 'canary' },
      'clientSecret is a text. Use { env: "NAME" } or { file: "/path" }: a secret in source code is in every copy of it.',
    ],
    [{ clientId: undefined }, 'clientId is missing. Use { env: "NAME" } or { file: "/path" }.'],
    [
      { tokenUrl: 'id/token' },
      'tokenUrl is "id/token". Use an http or https URL without credentials and fragment, as in "https://id.example/token", or { env: "TOKEN_URL" }.',
    ],
    [
      { tokenUrl: 'https://me:canary@id/token' },
      'tokenUrl is a value that is not shown here. Use an http or https URL without credentials and fragment, as in "https://id.example/token", or { env: "TOKEN_URL" }.',
    ],
    [{ tokenUrl: { file: '/x' } }, 'unknown option "file" in tokenUrl. Known options: env.'],
    [{ scope: '' }, 'scope is "". Use visible ASCII, spaces between words.'],
    [{ scope: ['a'] }, 'scope is ["a"]. Use visible ASCII, spaces between words.'],
    [{ audience: 'a\nb' }, 'audience is "a\\nb". Use visible ASCII, spaces between words.'],
    [{ sends: 'header' }, 'sends is "header". Use "basic" or "body".'],
    [{ timeoutMs: 0 }, 'timeoutMs is 0. Use a whole number of at least 1.'],
    [
      { secret: env },
      'unknown option "secret". Known options: tokenUrl, clientId, clientSecret, scope, audience, sends, timeoutMs.',
    ],
  ])('refuses %j', (own, problem) => {
    const given = wrong({ ...config, ...own });
    expect(messageOf(() => clientCredentials(given))).toBe(`clientCredentials(): ${problem}`);
    expect(messageOf(() => tokenExchange(given))).toBe(`tokenExchange(): ${problem}`);
  });

  it.each(['https://id/token?tenant=1', 'http://127.0.0.1:1/t'])(
    'takes the tokenUrl %s',
    (tokenUrl) => {
      expect(clientCredentials({ ...config, tokenUrl }).tokenUrl).toBe(tokenUrl);
    },
  );
});

describe('requestId', () => {
  it.each([
    ['a b', 'requestId is "a b". Use a header name, as in "x-correlation-id", or false.'],
    [true, 'requestId is true. Use a header name, as in "x-correlation-id", or false.'],
    ['Cookie', 'header "cookie" cannot carry the requestId: it carries credentials.'],
    [
      'traceparent',
      'header "traceparent" cannot carry the requestId: the gateway sends one of its own.',
    ],
    ['accept', 'header "accept" cannot carry the requestId: it is about the answer.'],
  ])('cannot be %j', (requestId, problem) => {
    expect(
      messageOf(() => defineService({ name: 'x', url: 'http://x', requestId: wrong(requestId) })),
    ).toBe(`service "x": ${problem}`);
  });

  it('is in no other place, so that it ends no sharing', () => {
    const config = { name: 'x', url: 'http://x', forward: ['x-request-id'] };
    expect(messageOf(() => defineService(config))).toBe(
      'service "x": header "x-request-id" is in requestId and in forward. Remove one of them.',
    );
    expect(defineService({ ...config, requestId: false }).forward).toEqual(['x-request-id']);
    expect(defineService({ ...config, requestId: 'X-Correlation-Id' }).requestId).toBe(
      'x-correlation-id',
    );
  });
});

describe('tls', () => {
  it.each([
    [{}, 'tls is empty. Give ca, cert and key, or serverName.'],
    [{ cert: env }, 'tls.cert needs tls.key. Give both, or none.'],
    [{ key: env }, 'tls.key needs tls.cert. Give both, or none.'],
    [{ ca: '-----BEGIN' }, 'tls.ca is a text. Use { env: "NAME" } or { file: "/path" }.'],
    [{ serverName: 'a b' }, 'tls.serverName is "a b". Use a host name.'],
  ])('cannot be %j', (tls, problem) => {
    expect(messageOf(() => defineService({ name: 'x', url: 'https://x', tls: wrong(tls) }))).toBe(
      `service "x": ${problem}`,
    );
  });

  it('knows its options', () => {
    const tls = wrong({ rejectUnauthorized: false });
    expect(messageOf(() => defineService({ name: 'x', url: 'https://x', tls }))).toBe(
      'service "x": unknown option "rejectUnauthorized" in tls. Known options: ca, cert, key, ' +
        'serverName.',
    );
  });
});
