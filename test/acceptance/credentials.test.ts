import { apiKey, basic, bearer, call, defineComposition, defineService, operation } from 'plait';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createGateway } from '../../src/gateway.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { folderWith } from '../support/folder.ts';
import { startServer } from '../support/servers.ts';
import { startKeyed } from './_keyed.ts';

const environment = { KEY: 'canary-1', NAME: 'me', PASSWORD: 'pä:ss' };

const secrets = () => ({ text: () => 'canary', lookAgain: async () => undefined });

describe('credentials of the gateway', () => {
  it.each([
    ['bearer', bearer({ env: 'KEY' }), 'authorization', 'Bearer canary-1'],
    [
      'basic',
      basic({ user: { env: 'NAME' }, password: { env: 'PASSWORD' } }),
      'authorization',
      `Basic ${Buffer.from('me:pä:ss').toString('base64')}`,
    ],
    [
      'basic of a name in the composition',
      basic({ user: 'gateway', password: { env: 'KEY' } }),
      'authorization',
      `Basic ${Buffer.from('gateway:canary-1').toString('base64')}`,
    ],
    ['a key in a header', apiKey({ env: 'KEY' }, { header: 'X-Key' }), 'x-key', 'canary-1'],
  ])('go with reads, batches and writes: %s', async (_, auth, header, expected) => {
    const { ask, sent } = await startKeyed({ auth, environment });
    expect((await ask('/read/a')).status).toBe(200);
    expect((await ask('/many/a')).status).toBe(200);
    expect((await ask('/write/a', { method: 'POST' })).status).toBe(200);
    expect(sent(header)).toEqual([expected, expected, expected]);
  });

  it('go into the query, encoded, behind the arguments', async () => {
    const auth = apiKey({ env: 'KEY' }, { query: 'the key' });
    const { ask, upstream } = await startKeyed({ auth, environment: { KEY: 'a&b=c d' } });
    await ask('/read/a');
    await ask('/many/a');
    expect(upstream.requests.map(({ target }) => target)).toEqual([
      '/things/a?the%20key=a%26b%3Dc%20d',
      '/many?ids=a,b&the%20key=a%26b%3Dc%20d',
    ]);
  });

  it('are left out for an operation with auth: false', async () => {
    const upstream = await startServer();
    const service = defineService({
      name: 'shop',
      url: upstream.url,
      headers: { 'x-tenant': 'acme' },
      auth: bearer({ env: 'KEY' }),
    });
    const open = operation(service, { route: 'GET /open', response: z.null(), auth: false });
    const composition = defineComposition({
      route: 'GET /x',
      compose: () => ({ a: call(open, {}) }),
    });
    const { plans } = compileAll([{ name: 'x', composition }]);
    const addresses = new Map([['shop', [new URL(upstream.url)]]]);
    await using gateway = createGateway({ plans, addresses, secrets });
    expect((await gateway.app.request('/x')).status).toBe(200);
    const [{ headers } = { headers: {} }] = upstream.requests;
    expect(headers).toMatchObject({ 'x-tenant': 'acme' });
    expect(headers).not.toHaveProperty('authorization');
  });

  it.each([401, 403])(
    'that a service rejects by %i are our problem, not the client’s',
    async (status) => {
      const { ask } = await startKeyed({
        auth: apiKey({ env: 'KEY' }, { header: 'x-key' }),
        forward: ['authorization'],
        environment,
        answer: (_, response) =>
          response.writeHead(status, { 'www-authenticate': 'Key realm="x"' }).end('{}'),
      });
      const answer = await ask('/read/a', { headers: { authorization: 'Bearer mine' } });
      expect(answer.status).toBe(502);
      expect(answer.headers.get('www-authenticate')).toBeNull();
    },
  );

  it('do not divide clients: one answer is for all', async () => {
    const { ask, upstream } = await startKeyed({ auth: bearer({ env: 'KEY' }), environment });
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/read/a')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(upstream.requests).toHaveLength(1);
  });

  it('leave a client its own identity, if that is forwarded beside them', async () => {
    const { ask, upstream } = await startKeyed({
      auth: apiKey({ env: 'KEY' }, { header: 'x-key' }),
      forward: ['authorization'],
      environment,
    });
    const of = (name: string) => ask('/cached/a', { headers: { authorization: `Bearer ${name}` } });
    await of('one');
    await of('two');
    await of('one');
    expect(upstream.requests).toHaveLength(2);
  });

  it('from a file are read again when that changes, and keep the cache', async () => {
    const folder = await folderWith({ key: 'first\n' });
    const file = join(folder, 'key');
    const clock = createFakeClock();
    const auth = bearer({ file });
    const { ask, sent } = await startKeyed({ auth, clock });
    await ask('/cached/a');
    writeFileSync(`${file}.new`, 'second');
    renameSync(`${file}.new`, file);
    clock.advance(1_000);
    await expect
      .poll(async () => {
        await ask('/read/a');
        return sent('authorization').at(-1);
      })
      .toBe('Bearer second');
    const before = sent('authorization').length;
    await ask('/cached/a');
    expect(sent('authorization')).toHaveLength(before);
  });
});

/** A service that accepts `good`, and a file whose content is `text`. */
async function startRejecting(text: string) {
  const folder = await folderWith({ key: text });
  const file = join(folder, 'key');
  const keyed = await startKeyed({
    auth: apiKey({ file }, { header: 'x-key' }),
    answer: ({ headers }, response) =>
      response.writeHead(headers['x-key'] === 'good' ? 200 : 401).end('{"id":"a"}'),
  });
  return { ...keyed, file };
}

describe('credentials from a file that a service rejects', () => {
  it.each(['GET', 'POST'])('are sent once more with its new content: %s', async (method) => {
    const { ask, file, sent } = await startRejecting('old');
    writeFileSync(file, 'good');
    const path = method === 'GET' ? '/read/a' : '/write/a';
    expect((await ask(path, { method })).status).toBe(200);
    expect(sent('x-key')).toEqual(['old', 'good']);
  });

  it('are not sent again while it is the same', async () => {
    const { ask, sent } = await startRejecting('bad');
    expect((await ask('/read/a')).status).toBe(502);
    expect(sent('x-key')).toEqual(['bad']);
  });
});

describe('headers of the gateway', () => {
  it('go with every request, in place of its own Accept, too', async () => {
    const { ask, sent } = await startKeyed({
      headers: {
        'X-Tenant': 'acme',
        accept: 'application/vnd.shop+json',
        'api-key': { env: 'KEY' },
      },
      environment,
    });
    expect((await ask('/read/a')).status).toBe(200);
    expect(sent('x-tenant')).toEqual(['acme']);
    expect(sent('accept')).toEqual(['application/vnd.shop+json']);
    expect(sent('api-key')).toEqual(['canary-1']);
  });

  it('do not make a rejection of the client’s credentials ours', async () => {
    const { ask } = await startKeyed({
      headers: { 'x-tenant': 'acme' },
      forward: ['authorization'],
      answer: (_, response) => response.writeHead(401).end('{}'),
    });
    expect((await ask('/read/a', { headers: { authorization: 'Bearer mine' } })).status).toBe(401);
  });
});

describe('a secret that is missing', () => {
  it('is named at the start, together with everything else', async () => {
    const headers = { 'x-a': { env: 'A' } };
    const auth = bearer({ file: '/no/such/key' });
    await expect(startKeyed({ auth, headers, environment: { PORT: 'x' } })).rejects.toThrow(
      /^PORT .*\nA is not set\. The service "shop" needs it\.\n\/no\/such\/key cannot be read \(ENOENT\)\. The service "shop" needs it\.$/,
    );
  });

  it('is named by a gateway that was given none', () => {
    const service = defineService({ name: 'shop', url: 'http://x', auth: bearer({ env: 'KEY' }) });
    const get = operation(service, { route: 'GET /a', response: z.null() });
    const composition = defineComposition({
      route: 'GET /x',
      compose: () => ({ a: call(get, {}) }),
    });
    const { plans } = compileAll([{ name: 'x', composition }]);
    expect(() => createGateway({ plans, addresses: new Map() })).toThrow('KEY was not read.');
  });
});

const asking = (id: string) => ({ headers: { 'x-request-id': id } });

describe('the id of a request', () => {
  it.each([
    [undefined, 'x-request-id', 'mine'],
    ['X-Correlation-Id', 'x-correlation-id', 'mine'],
    [false as const, 'x-request-id', undefined],
  ])('goes to services by the name %j', async (requestId, header, value) => {
    const { ask, sent } = await startKeyed(requestId === undefined ? {} : { requestId });
    const answer = await ask('/read/a', asking('mine'));
    expect(answer.headers.get('x-request-id')).toBe('mine');
    await ask('/many/a', asking('mine'));
    await ask('/write/a', { method: 'POST', ...asking('mine') });
    expect(sent(header)).toEqual([value, value, value]);
  });

  it('is the one of the answer, where the client has sent none', async () => {
    const { ask, sent } = await startKeyed({});
    const answer = await ask('/read/a');
    expect(sent('x-request-id')).toEqual([answer.headers.get('x-request-id')]);
  });

  it('ends no sharing: of fifty at once, the first one is sent', async () => {
    const { ask, upstream, sent } = await startKeyed({});
    const ids = Array.from({ length: 50 }, (_, index) => `id-${index}`);
    await Promise.all(ids.map((id) => ask('/read/a', asking(id))));
    await Promise.all(ids.map((id) => ask('/cached/a', asking(id))));
    expect(upstream.requests).toHaveLength(2);
    expect(sent('x-request-id')).toEqual(['id-0', 'id-0']);
  });
});
