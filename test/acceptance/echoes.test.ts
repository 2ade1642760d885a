/** Services that repeat the key that they were sent: it reaches no client, and no key of a cache. */
import { answer, apiKey, basic, bearer, call, defineComposition, defineService } from 'plait';
import { operation, pages } from 'plait';
import type { Auth } from 'plait';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import { createGateway } from '../../src/gateway.ts';
import { openParts } from '../../src/parts.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { servicesOf } from '../../src/plan/visit.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import type { CacheStore } from '../../src/upstream/caching/cache-store.ts';
import { createMemoryStore } from '../../src/upstream/caching/memory-store.ts';
import { startServer } from '../support/servers.ts';

const key = 'Canary/1&%';

async function start(auth: Auth) {
  const upstream = await startServer(({ url = '', headers }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    const [kind = '', made = ''] = headers.authorization?.split(' ') ?? [];
    const text = kind === '' ? (searchParams.get('key') ?? '') : made;
    const at = `page=2&KEY=${encodeURIComponent(text)}&token=x${encodeURIComponent(text)}&sort=id`;
    response.setHeader('location', `/orders?${at}`);
    response.setHeader('link', `</pages/${encodeURIComponent(text)}?${at}>; rel=next, </b?a=1>`);
    const isLast = searchParams.has('page');
    if (isLast) response.removeHeader('link');
    const said = [
      { text: `GET ${url}&sent=${encodeURIComponent(text)}` },
      { text: `your ${text}` },
      { text: 'is too long' },
    ];
    if (pathname === '/wrong') response.writeHead(422).end(JSON.stringify({ errors: said }));
    else if (pathname === '/inside') response.end(JSON.stringify({ ok: false, errors: said }));
    else response.end('[1]');
  });
  const service = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, auth });
  const query = z.object({ q: z.string() });
  const problem = { errors: 'errors', detail: 'text' } as const;
  const place = operation(service, {
    route: 'POST /orders',
    response: { headers: z.object({ location: z.string() }) },
  });
  const list = operation(service, {
    route: 'GET /pages',
    response: z.array(z.number()),
    cache: { ttlMs: 60_000 },
  });
  const wrong = operation(service, {
    route: 'GET /wrong',
    query,
    response: z.object({ errors: z.unknown() }),
    problem,
  });
  const inside = operation(service, {
    route: 'GET /inside',
    query,
    response: z.object({ errors: z.unknown() }),
    failure: { body: z.object({ ok: z.literal(false) }), status: 400 },
    problem,
  });
  const compositions = {
    place: defineComposition({
      route: 'POST /place',
      compose: () => {
        const { location } = call(place, {}).headers;
        return answer({ location }, { status: 201, headers: { location } });
      },
    }),
    list: defineComposition({
      route: 'GET /list',
      compose: () => pages(list, {}, { next: 'link' }),
    }),
    wrong: defineComposition({
      route: 'GET /wrong',
      query,
      compose: (inputs) => call(wrong, { q: inputs.query.q }),
    }),
    inside: defineComposition({
      route: 'GET /inside',
      query,
      compose: (inputs) => call(inside, { q: inputs.query.q }),
    }),
  };
  const { plans, errors } = compileAll(
    Object.entries(compositions).map(([name, composition]) => ({ name, composition })),
  );
  expect(errors).toEqual([]);
  const settings = parseSettings(
    { SHOP_URL: upstream.url, KEY: key, LOG_LEVEL: 'error' },
    servicesOf(plans),
  );
  const { log, ...parts } = await openParts(settings);
  const stored: string[] = [];
  const memory = createMemoryStore({ clock: systemClock });
  const cacheStore: CacheStore = {
    ...memory,
    get: (name, tags) => memory.get(name, tags),
    set(name, entry, options) {
      stored.push(name);
      return memory.set(name, entry, options);
    },
  };
  const gateway = createGateway({ plans, ...parts, cacheStore });
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    await log.close();
  });
  return {
    upstream,
    stored,
    ask: (path: string, init?: RequestInit) => gateway.app.request(path, init),
  };
}

const holdsCanary = (text: string): boolean =>
  decodeURIComponent(text.replaceAll(/%(?![\da-f]{2})/gi, '%25'))
    .toLowerCase()
    .includes('canary') || text.includes(Buffer.from('me:Canary').toString('base64').slice(0, 10));

it.each<[string, Auth]>([
  ['a key in the query', apiKey({ env: 'KEY' }, { query: 'key' })],
  ['a token', bearer({ env: 'KEY' })],
  ['a password', basic({ user: 'me', password: { env: 'KEY' } })],
])('%s is in no answer, and in no name of a stored one', async (_, auth) => {
  const { ask, stored, upstream } = await start(auth);
  const placed = await ask('/place', { method: 'POST' });
  expect(placed.headers.get('location')).toBe('/orders?page=2&sort=id');
  expect(await placed.json()).toEqual({ location: '/orders?page=2&sort=id' });
  expect(await (await ask('/list')).json()).toEqual([1, 1]);
  const [, , next] = upstream.requests;
  expect(next?.target).toMatch(/\?page=2&sort=id(?:&key=|$)/);
  for (const [path, status] of [
    ['/wrong?q=1', 422],
    ['/inside?q=1', 400],
  ] as const) {
    const answered = await ask(path);
    expect(answered.status).toBe(status);
    expect(await answered.json()).toMatchObject({ errors: [{ detail: 'is too long' }] });
  }
  expect(stored).toHaveLength(2);
  expect(stored.filter(holdsCanary)).toEqual([]);
});
