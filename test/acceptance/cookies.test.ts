/** Cookies of the client as arguments: who shares answers, and what keys show of them. */
import { call, defineComposition, defineService, each, given, lookup, map, operation } from 'plait';
import { optional, pages, pick } from 'plait';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import type { Composition } from '../../src/dsl/composition.ts';
import { createGateway } from '../../src/gateway.ts';
import { compileAll } from '../../src/plan/compile.ts';
import type { CacheStore } from '../../src/upstream/caching/cache-store.ts';
import { createMemoryStore } from '../../src/upstream/caching/memory-store.ts';
import { startServer } from '../support/servers.ts';

const shop = defineService({ name: 'shop', url: 'http://replaced' });
const cache = { ttlMs: 60_000 };
const Session = z.object({ id: z.string(), user: z.string() });
const getSession = operation(shop, {
  name: 'getSession',
  route: 'GET /sessions/:id',
  query: z.object({ lang: z.string().optional(), more: z.unknown().optional() }),
  response: Session,
  cache,
});
const sessionOf = lookup(shop, {
  name: 'sessionOf',
  route: 'GET /many',
  keys: { query: 'ids' },
  by: 'id',
  item: Session,
  cache,
});

const oneSession = lookup(shop, {
  name: 'oneSession',
  single: 'GET /sessions/:id',
  by: 'id',
  item: Session,
  cache,
});
const listSessions = operation(shop, {
  name: 'listSessions',
  route: 'GET /lists/:id',
  query: z.object({ cursor: z.string().optional() }),
  response: z.object({ items: z.array(Session), next: z.string().nullable() }),
  cache,
});

const cookies = z.object({ sid: z.string().default('none'), lang: z.string().optional() });

/** A gateway that serves `compositions`, and the keys by which it stores answers. */
async function startShop(compositions: Readonly<Record<string, Composition>>) {
  const upstream = await startServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    const id = pathname.split('/').at(-1) ?? '';
    const ids = searchParams.get('ids')?.split(',');
    const session = { id, user: `u-${id}` };
    const single = pathname.startsWith('/lists') ? { items: [session], next: null } : session;
    const answer = ids?.map((one) => ({ id: one, user: `u-${one}` })) ?? single;
    response.end(JSON.stringify(answer));
  });
  const keys: string[] = [];
  const memory = createMemoryStore({ clock: systemClock });
  const cacheStore: CacheStore = {
    ...memory,
    get: (key, tags) => memory.get(key, tags),
    set(key, entry, options) {
      keys.push(key);
      return memory.set(key, entry, options);
    },
  };
  const named = Object.entries(compositions).map(([name, composition]) => ({ name, composition }));
  const { plans, errors } = compileAll(named);
  expect(errors).toEqual([]);
  const addresses = new Map([['shop', [new URL(upstream.url)]]]);
  const gateway = createGateway({ plans, addresses, cacheStore });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const ask = async (path: string, sent: string | Record<string, string>): Promise<unknown> => {
    const headers = typeof sent === 'string' ? { cookie: sent } : sent;
    const response = await gateway.app.request(path, { headers });
    return response.json();
  };
  return { ask, upstream, keys };
}

const ways: Readonly<Record<string, Composition>> = {
  straight: defineComposition({
    route: 'GET /straight',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => call(getSession, { id: inputs.cookies.sid }),
  }),
  map: defineComposition({
    route: 'GET /map',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => call(getSession, { id: map(inputs.cookies, (all) => all.sid) }),
  }),
  pick: defineComposition({
    route: 'GET /pick',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => call(getSession, { id: pick(inputs.cookies, 'sid').sid }),
  }),
  given: defineComposition({
    route: 'GET /given',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => ({
      a: given(inputs.cookies.sid, (sid) => call(getSession, { id: sid })),
    }),
  }),
  each: defineComposition({
    route: 'GET /each',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => ({
      a: each(
        map(inputs.cookies, ({ sid }) => [sid]),
        (sid) => call(sessionOf, { id: sid }),
      ),
    }),
  }),
  guarded: defineComposition({
    route: 'GET /guarded',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => ({
      a: call(getSession, { id: 'x', more: optional(map(inputs.cookies, ({ sid }) => sid)) }),
    }),
  }),
  single: defineComposition({
    route: 'GET /single',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => ({ a: call(oneSession, { id: inputs.cookies.sid }) }),
  }),
  pages: defineComposition({
    route: 'GET /pages',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => ({
      a: pages(
        listSessions,
        { id: inputs.cookies.sid },
        { items: 'items', next: { cursor: 'next', query: 'cursor' } },
      ),
    }),
  }),
  lookup: defineComposition({
    route: 'GET /lookup',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => ({ a: call(sessionOf, { id: inputs.cookies.sid }) }),
  }),
};

describe('an argument that is made of a credential', () => {
  it.each(Object.keys(ways))('is in keys as a hash only: %s', async (way) => {
    const { ask, upstream, keys } = await startShop(ways);
    const first = await ask(`/${way}`, 'sid=canary-1; lang=de');
    await ask(`/${way}`, 'sid=canary-2; lang=de');
    expect(await ask(`/${way}`, 'sid=canary-1; lang=de')).toEqual(first);
    expect(JSON.stringify(upstream.requests.map(({ target }) => target))).toContain('canary-2');
    expect(upstream.requests).toHaveLength(2);
    expect(new Set(keys).size).toBe(2);
    expect(keys.join('\n')).not.toContain('canary');
  });
});

describe('two clients with different credentials', () => {
  it.each(Object.keys(ways).filter((way) => way !== 'guarded'))(
    'never share an answer: %s',
    async (way) => {
      const { ask } = await startShop(ways);
      const [one, two] = await Promise.all(
        ['one', 'two'].map((sid) => ask(`/${way}`, `sid=${sid}; lang=de`)),
      );
      expect(JSON.stringify(one)).toContain('u-one');
      expect(JSON.stringify(two)).toContain('u-two');
    },
  );
});

describe('an argument that is made of none', () => {
  const plain = defineComposition({
    route: 'GET /plain',
    cookies,
    credentials: ['sid'],
    compose: (inputs) => {
      const session = call(getSession, { id: inputs.cookies.sid });
      return {
        lang: call(getSession, { id: 'fixed', lang: inputs.cookies.lang }),
        user: call(getSession, { id: session.user }),
      };
    },
  });

  it('that is a header with credentials is in keys as a hash, too', async () => {
    const headers = z.object({ 'x-api-key': z.string(), 'accept-language': z.string() });
    const keyed = defineComposition({
      route: 'GET /keyed',
      headers,
      compose: (inputs) => ({
        a: call(getSession, { id: inputs.headers['x-api-key'] }),
        b: call(sessionOf, { id: map(inputs.headers, (all) => all['x-api-key']) }),
        c: call(getSession, { id: 'open', lang: inputs.headers['accept-language'] }),
      }),
    });
    const { ask, keys } = await startShop({ keyed });
    await ask('/keyed', { 'x-api-key': 'canary', 'accept-language': 'de' });
    expect(keys).toHaveLength(3);
    expect(keys.filter((key) => key.includes('canary'))).toEqual([]);
    expect(keys.filter((key) => key.includes('de'))).toHaveLength(1);
  });

  it('is in keys in clear, as is what a service has answered', async () => {
    const { ask, keys } = await startShop({ plain });
    await ask('/plain', 'sid=one; lang=de');
    const clear = keys.filter((key) => !key.includes('#'));
    expect(clear).toEqual([
      expect.stringContaining('{"id":"fixed","lang":"de"}'),
      expect.stringContaining('{"id":"u-one"}'),
    ]);
    expect(keys).toHaveLength(3);
  });
});
