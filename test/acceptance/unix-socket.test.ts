/** A service that listens on a unix socket. */
import { apiKey, bearer, call, defineComposition, defineService, lookup, operation } from 'plait';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createGateway } from '../../src/gateway.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { servicesOf } from '../../src/plan/visit.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import { plainTextWarnings } from '../../src/settings/sources.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startServer } from '../support/servers.ts';

const Item = z.object({ id: z.string() });
const shop = defineService({
  name: 'shop',
  url: { env: 'SHOP_URL' },
  retry: false,
  redirects: 'follow',
  auth: apiKey({ env: 'KEY' }, { query: 'key' }),
  health: { path: '/health', intervalMs: 1_000 },
});
const read = operation(shop, { name: 'read', route: 'GET /things/:id', response: Item });
const many = lookup(shop, {
  name: 'many',
  route: 'GET /many',
  keys: { query: 'ids' },
  by: 'id',
  item: Item,
});
const create = operation(shop, {
  name: 'create',
  route: 'POST /things',
  body: Item,
  response: { headers: z.object({ location: z.string() }) },
});

const pages = {
  read: defineComposition({
    route: 'GET /read/:id',
    compose: ({ params }) => call(read, { id: params.id }),
  }),
  many: defineComposition({
    route: 'GET /many/:id',
    compose: ({ params }) => ({ a: call(many, { id: params.id }), b: call(many, { id: 'b' }) }),
  }),
  create: defineComposition({
    route: 'POST /create/:id',
    compose: ({ params }) => call(create, { body: { id: params.id } }),
  }),
};

/** A gateway, and the service on a socket that it calls with `prefix`. */
async function start(prefix = '') {
  const folder = mkdtempSync(join(tmpdir(), 'plait-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'shop.sock');
  const upstream = await startServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const ids = url.searchParams.get('ids')?.split(',');
    const asked = url.pathname.split('/').at(-1);
    if (asked === 'old')
      response.writeHead(302, { location: `http://localhost${prefix}/things/new` });
    if (asked === 'away') response.writeHead(302, { location: 'http://127.0.0.1:9/things/new' });
    if (request.method === 'POST')
      response.setHeader('location', `http://localhost${prefix}/things/7?key=canary`);
    response.end(JSON.stringify(ids?.map((id) => ({ id })) ?? { id: asked }));
  }, path);
  const named = Object.entries(pages).map(([name, composition]) => ({ name, composition }));
  const { plans } = compileAll(named);
  const url = prefix === '' ? upstream.url : `${upstream.url}:${prefix}`;
  const settings = parseSettings({ SHOP_URL: url, KEY: 'canary' }, servicesOf(plans));
  const { addresses, openSecrets } = settings;
  const clock = createFakeClock();
  const secrets = openSecrets({ clock, onWarning: () => undefined });
  const gateway = createGateway({ plans, addresses, secrets, clock });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const ask = async (to: string, init?: RequestInit) => {
    const response = await gateway.app.request(to, init);
    const json: unknown = await response.json();
    return { status: response.status, json };
  };
  const targets = () => upstream.requests.map(({ method, target }) => `${method} ${target}`);
  return { ask, upstream, gateway, path, clock, settings, targets };
}

describe('a service on a unix socket', () => {
  it.each(['', '/v2'])(
    'is read, asked in batches and written to, with the prefix %j',
    async (prefix) => {
      const { ask, upstream, targets } = await start(prefix);
      expect(await ask('/read/1')).toEqual({ status: 200, json: { id: '1' } });
      expect(await ask('/many/a')).toEqual({
        status: 200,
        json: { a: { id: 'a' }, b: { id: 'b' } },
      });
      expect(await ask('/create/1', { method: 'POST' })).toMatchObject({ status: 200 });
      expect(targets()).toEqual([
        `GET ${prefix}/things/1?key=canary`,
        `GET ${prefix}/many?ids=a,b&key=canary`,
        `POST ${prefix}/things?key=canary`,
      ]);
      expect(new Set(upstream.requests.map(({ headers }) => headers.host))).toEqual(
        new Set(['localhost']),
      );
    },
  );

  it('is asked for its health at the socket, too', async () => {
    const { clock, targets } = await start('/v2');
    await expect
      .poll(() => {
        clock.advance(1_000);
        return targets();
      })
      .toContain('GET /v2/health?key=canary');
  });

  it('is named by its socket in the status', async () => {
    const { gateway, path } = await start('/v2');
    expect(gateway.status().upstreams[0]?.endpoints).toMatchObject([
      { address: path, state: 'used', inFlight: 0 },
    ]);
  });

  it('may redirect to itself, and to no other place', async () => {
    const { ask, targets } = await start('/v2');
    expect(await ask('/read/old')).toEqual({ status: 200, json: { id: 'new' } });
    expect((await ask('/read/away')).status).toBe(502);
    expect(targets()).toEqual([
      'GET /v2/things/old?key=canary',
      'GET /v2/things/new?key=canary',
      'GET /v2/things/away?key=canary',
    ]);
  });

  it('gives its own addresses as paths', async () => {
    const { ask } = await start('/v2');
    const { json } = await ask('/create/1', { method: 'POST' });
    expect(json).toEqual({ headers: { location: '/things/7' } });
  });

  it('whose socket is gone is unreachable', async () => {
    const { ask, path } = await start();
    rmSync(path);
    const answer = await ask('/read/1');
    expect(answer).toMatchObject({
      status: 502,
      json: { type: 'urn:plait:problem:upstream-connect' },
    });
    expect(JSON.stringify(answer)).not.toContain(path);
  });

  it('is not warned of for want of TLS', () => {
    const service = defineService({
      name: 'own',
      url: 'unix:/run/own.sock',
      auth: bearer({ env: 'KEY' }),
    });
    const settings = parseSettings({ KEY: 'canary' }, [service]);
    expect(plainTextWarnings([service], settings)).toEqual([]);
  });
});
