import { Hono } from 'hono';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import { createApp } from '../../src/http/app.ts';
import type { AppOptions } from '../../src/http/app.ts';
import type { Layer, WatchRequest } from '../../src/http/request-record.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { raw } from '../support/raw-http.ts';

const get = defineComposition({
  route: 'GET /things/:id',
  compose: ({ params }) => ({ id: params.id, by: 'id' }),
});
const put = defineComposition({
  route: 'PUT /things/:thing',
  body: z.object({ n: z.number() }),
  compose: ({ params, body }) => ({ id: params.thing, n: body.n }),
});
const recent = defineComposition({
  route: 'GET /things/recent',
  compose: () => ({ by: 'text' }),
});
const post = defineComposition({
  route: 'POST /orders',
  body: z.object({}),
  compose: () => ({ made: true }),
});

const things = () => startWithMocks({ compositions: { get, post, put, recent } });

describe('a route', () => {
  it('is preferred if it has text where another has a parameter', async () => {
    const app = await things();
    expect((await app.get('/things/recent')).json).toEqual({ by: 'text' });
    expect((await app.get('/things/other')).json).toEqual({ id: 'other', by: 'id' });
  });

  it('tells methods apart', async () => {
    const app = await things();
    const answer = await app.get('/things/7', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"n":1}',
    });
    expect(answer.json).toEqual({ id: '7', n: 1 });
  });

  it('is a 404 problem if nobody has declared it', async () => {
    const app = await things();
    const { status, headers, json } = await app.get('/nothing/here?x=1');
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(json).toMatchObject({ type: 'urn:plait:problem:not-found', instance: '/nothing/here' });
  });
});

describe('a method that is not declared', () => {
  it.each([
    ['DELETE', '/things/7', 'GET, HEAD, PUT, OPTIONS'],
    ['PATCH', '/things/7', 'GET, HEAD, PUT, OPTIONS'],
    ['GET', '/orders', 'POST, OPTIONS'],
    ['HEAD', '/orders', 'POST, OPTIONS'],
  ])('%s %s is a 405 which says what there is', async (method, path, allow) => {
    const app = await things();
    const { status, headers } = await app.get(path, { method });
    expect(status).toBe(405);
    expect(headers.get('allow')?.split(', ').toSorted()).toEqual(allow.split(', ').toSorted());
    expect(headers.get('content-type')).toBe('application/problem+json');
  });

  it.each(['TRACE', 'PROPFIND', 'QUERY'])('is a 405 problem also for %s', async (method) => {
    const { url } = await things();
    const text = `${method} /things/7 HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n`;
    expect((await raw(url, text)).status).toBe(405);
  });

  it('is what OPTIONS tells', async () => {
    const app = await things();
    const { status, headers, json } = await app.get('/things/7', { method: 'OPTIONS' });
    expect({ status, json }).toEqual({ status: 204, json: undefined });
    expect(headers.get('allow')).toBe('GET, HEAD, PUT, OPTIONS');
    expect((await app.get('/nothing', { method: 'OPTIONS' })).status).toBe(404);
  });
});

const differing = new Set([
  'date',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
]);

/** All but what differs between any two answers, and what only a body has. */
function named(headers: Headers | undefined): [string, string][] {
  return [...(headers ?? [])].filter(([name]) => !differing.has(name));
}

describe('HEAD', () => {
  it('is answered as GET is, without the body', async () => {
    const app = await things();
    const [head, full] = await Promise.all(
      ['HEAD', 'GET'].map((method) =>
        app.get('/things/7', { method, headers: { 'x-request-id': 'same' } }),
      ),
    );
    expect(head?.status).toBe(full?.status);
    expect(head?.json).toBeUndefined();
    expect(named(head?.headers)).toEqual(named(full?.headers));
  });

  it('has the status of a failure, too', async () => {
    const app = await things();
    const { status, json } = await app.get('/things/7?x=1', { method: 'HEAD' });
    expect({ status, json }).toEqual({ status: 400, json: undefined });
  });
});

describe('a response', () => {
  it('is JSON that no cache may keep and no browser may take for something else', async () => {
    const app = await things();
    const { headers } = await app.get('/things/7');
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('does not name the software that made it', async () => {
    const app = await things();
    const { headers } = await app.get('/things/7');
    expect(headers.has('server')).toBe(false);
    expect(headers.has('x-powered-by')).toBe(false);
  });
});

async function idFor(given?: string): Promise<string | null> {
  const app = await things();
  const { headers } = await app.get('/things/7', {
    headers: given === undefined ? {} : { 'x-request-id': given },
  });
  return headers.get('x-request-id');
}

describe('the request id', () => {
  const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

  it.each(['abc-123_4.5', 'x'.repeat(128)])('is taken over from the client: %s', async (given) => {
    expect(await idFor(given)).toBe(given);
  });

  it.each(['x'.repeat(129), 'a b', 'a,b', '<script>', 'ä', ''])(
    'is a new one when that of the client is not short and harmless: %j',
    async (given) => {
      expect(await idFor(given)).toMatch(uuid);
    },
  );

  it('is a new one for every request that has none', async () => {
    const [one, other] = [await idFor(), await idFor()];
    expect(one).toMatch(uuid);
    expect(one).not.toBe(other);
  });

  it('is shown in problems, too', async () => {
    const app = await things();
    const { json, headers } = await app.get('/nothing', { headers: { 'x-request-id': 'mine' } });
    expect([json.requestId, headers.get('x-request-id')]).toEqual(['mine', 'mine']);
  });
});

/** The app without compositions, and with the given parts. */
function appWith(options: Partial<AppOptions>) {
  return createApp({
    clock: systemClock,
    watchers: [],
    outerLayers: [],
    layers: [],
    routes: new Hono(),
    readiness: () => 'ok',
    onInternalError: () => undefined,
    ...options,
  });
}

async function probe(path: string, isReady: boolean) {
  const app = appWith({ readiness: () => (isReady ? 'ok' : 'stopping') });
  const response = await app.request(path);
  return { status: response.status, cache: response.headers.get('cache-control') };
}

describe('health', () => {
  it('is live as long as it answers', async () => {
    expect(await probe('/livez', true)).toEqual({ status: 200, cache: 'no-store' });
    expect(await probe('/livez', false)).toEqual({ status: 200, cache: 'no-store' });
  });

  it('is ready until it stops', async () => {
    expect(await probe('/readyz', true)).toEqual({ status: 200, cache: 'no-store' });
    expect(await probe('/readyz', false)).toEqual({ status: 503, cache: 'no-store' });
  });
});

/** Watchers whose ends are told, and the status that each one sees. */
function told() {
  const ends: string[] = [];
  const watcher =
    (name: string, end: () => void = () => undefined): WatchRequest =>
    (c) =>
    () => {
      ends.push(`${name} ${c.res.status}`);
      end();
    };
  return { ends, watcher };
}
const throwing = (thrown: unknown) => (): never => {
  throw thrown;
};

describe('a watcher', () => {
  const fail = throwing(new TypeError('a mistake'));

  it('that throws at the end of a request keeps no other from hearing of it', async () => {
    const { ends, watcher } = told();
    const errors: unknown[] = [];
    const app = appWith({
      watchers: [watcher('first'), watcher('second', fail), watcher('third')],
      onInternalError: (error) => errors.push(error),
    });
    expect((await app.request('/livez')).status).toBe(500);
    expect(ends).toEqual(['third 200', 'second 200', 'first 200']);
    expect(errors).toEqual([new TypeError('a mistake')]);
  });

  it('that throws at the beginning of a request ends those that have begun', async () => {
    const { ends, watcher } = told();
    const app = appWith({ watchers: [watcher('first'), fail, watcher('third')] });
    expect((await app.request('/livez')).status).toBe(500);
    expect(ends).toHaveLength(1);
  });

  it.each([
    ['nothing', () => undefined],
    ['an error', fail],
    ['something else to catch', throwing('a text')],
  ])('sees the 500 of a layer that gives %s, as the client does', async (_, give) => {
    const { ends, watcher } = told();
    const layers: Layer[][] = [[async () => give()], [(_c, next) => next(), async () => give()]];
    for (const some of layers) {
      const app = appWith({ watchers: [watcher('it')], layers: some });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, headers } = await app.request('/livez');
      expect([status, headers.get('content-type')]).toEqual([500, 'application/problem+json']);
    }
    expect(ends).toEqual(['it 500', 'it 500']);
  });

  it('sees the 500 also where the listener for internal errors throws', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { ends, watcher } = told();
    const app = appWith({
      watchers: [watcher('it')],
      layers: [fail],
      onInternalError: throwing(new RangeError('another one')),
    });
    expect((await app.request('/livez')).status).toBe(500);
    expect(ends).toEqual(['it 500']);
    expect(warn).toHaveBeenCalledExactlyOnceWith(new RangeError('another one'));
  });
});
