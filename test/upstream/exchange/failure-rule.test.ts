/** Answers whose meaning is not their status: `missing` and `failure`, over sockets. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { ignoredBody } from '../../../src/dsl/ignored-body.ts';
import { isTransient, verdictOf } from '../../../src/upstream/resilience/failure.ts';
import { startServer } from '../../support/servers.ts';
import { failureOf, openShop } from '../../support/upstream-calls.ts';
import type { ShopOptions } from '../../support/upstream-calls.ts';

const Item = z.object({ id: z.string() });
const Failed = z.object({
  success: z.literal(false),
  error: z.object({ code: z.union([z.int(), z.string()]) }),
});
const byCode = { body: Failed, status: 'error.code' } as const;

function failing(code: unknown) {
  return { success: false, error: { code } };
}

interface Answering {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function start({ status = 200, body = '', headers = {} }: Answering, options?: ShopOptions) {
  const server = await startServer((_, response) => {
    response.writeHead(status, headers);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  return { ...openShop({ url: server.url, ...options }), server };
}

describe("missing: 'null'", () => {
  it.each([404, 410])('makes a %d null, whatever its body says', async (status) => {
    const { service, call } = await start({ status, body: '<h1>gone</h1>' });
    const get = operation(service, { route: 'GET /a', response: Item, missing: 'null' });
    expect(await call(get, {}, undefined)).toMatchObject({ status, value: null });
  });

  it.each([400, 403, 409, 500])('leaves a %d a failure', async (status) => {
    const { service, call } = await start({ status });
    const get = operation(service, { route: 'GET /a', response: Item, missing: 'null' });
    expect(await failureOf(call(get, {}, undefined))).toMatchObject({ kind: 'status', status });
  });

  it('does not make null of a 200 whose body is null', async () => {
    const { service, call } = await start({ body: 'null' });
    const get = operation(service, { route: 'GET /a', response: Item, missing: 'null' });
    expect(await failureOf(call(get, {}, undefined))).toMatchObject({ kind: 'invalid-body' });
  });

  it('makes the whole value null where it is made of parts', async () => {
    const { service, call } = await start({ status: 404, headers: { etag: '"1"' } });
    const response = { body: Item, headers: z.object({ etag: z.string() }) };
    const get = operation(service, { route: 'GET /a', response, missing: 'null' });
    expect(await call(get, {}, undefined)).toMatchObject({ value: null });
  });

  it('makes a DELETE of something that is gone a success', async () => {
    const { service, call } = await start({ status: 404 });
    const remove = operation(service, {
      route: 'DELETE /a',
      response: ignoredBody,
      missing: 'null',
    });
    expect(await call(remove, {}, undefined)).toMatchObject({ status: 404, value: null });
  });

  it('opens no breaker, is not retried, and is shared by calls in flight', async () => {
    const breaker = { failedPercent: 1, volume: 1 };
    const retry = { times: 2, minDelayMs: 1, maxDelayMs: 1 };
    const { service, open, upstreams, server } = await start(
      { status: 404 },
      { service: { breaker, retry } },
    );
    const get = operation(service, { route: 'GET /a', response: Item, missing: 'null' });
    const replies = await Promise.all([1, 2, 3].map(() => open()(get, {}, undefined)));
    expect(replies.map(({ value }) => value)).toEqual([null, null, null]);
    expect(server.requests).toHaveLength(1);
    for (let round = 0; round < 5; round += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other, or they would be shared
      expect(await open()(get, {}, undefined)).toMatchObject({ value: null });
    expect(server.requests).toHaveLength(6);
    expect(upstreams.status()).toMatchObject([{ breaker: 'closed' }]);
  });

  it.each([
    [60_000, 1],
    [0, 2],
  ])('keeps the null for negativeTtlMs: with %d, asks %d times', async (negativeTtlMs, times) => {
    const { service, open, server } = await start({ status: 410 });
    const get = operation(service, {
      route: 'GET /a',
      response: Item,
      missing: 'null',
      cache: { ttlMs: 60_000, staleIfErrorMs: 60_000, negativeTtlMs },
    });
    for (let round = 0; round < 2; round += 1)
      expect(await open()(get, {}, undefined)).toMatchObject({ value: null });
    expect(server.requests).toHaveLength(times);
  });
});

describe('a failure inside a 2xx', () => {
  it.each<[unknown, number]>([
    [404, 404],
    ['409', 409],
    [503, 503],
    [200, 502],
    [600, 502],
    ['NOT_FOUND', 502],
    ['', 502],
  ])('whose code is %j counts as %d', async (code, status) => {
    const { service, call } = await start({ body: failing(code) });
    const get = operation(service, { route: 'GET /a', response: z.unknown(), failure: byCode });
    const failure = await failureOf(call(get, {}, undefined));
    expect(failure).toMatchObject({ kind: 'status', status, isEnveloped: true });
    expect(failure.message).toContain(`answered 200 with a failure, which counts as ${status}`);
  });

  it.each<[string, number]>([
    ['NO_SUCH_ORDER', 404],
    ['constructor', 500],
    ['OTHER', 500],
  ])('counts as the table of codes says: %s is %d', async (code, status) => {
    const { service, call } = await start({ body: failing(code) });
    const rule = { at: 'error.code', values: { NO_SUCH_ORDER: 404 }, otherwise: 500 } as const;
    const get = operation(service, {
      route: 'GET /a',
      response: Item,
      failure: { body: Failed, status: rule },
    });
    expect(await failureOf(call(get, {}, undefined))).toMatchObject({ status });
  });

  it('may have one status for all of them', async () => {
    const { service, call } = await start({ body: { errors: [{}] } });
    const body = z.object({ errors: z.array(z.unknown()).min(1) });
    const post = operation(service, {
      route: 'POST /graphql',
      response: Item,
      failure: { body, status: 422 },
    });
    expect(await failureOf(call(post, {}, undefined))).toMatchObject({ status: 422 });
  });

  it('is none where the body does not fit', async () => {
    const { service, call } = await start({ body: { id: 'a', success: true, error: null } });
    const get = operation(service, { route: 'GET /a', response: Item, failure: byCode });
    expect(await call(get, {}, undefined)).toMatchObject({ value: { id: 'a' } });
  });

  it("is null where it says 404 and missing is 'null'", async () => {
    const { service, call } = await start({ body: failing(404) });
    const get = operation(service, {
      route: 'GET /a',
      response: Item,
      missing: 'null',
      failure: byCode,
    });
    expect(await call(get, {}, undefined)).toMatchObject({ status: 404, value: null });
  });

  it('is asked for once, whatever retry says, and is no outage', async () => {
    const { service, call, server } = await start(
      { body: failing(503) },
      { service: { retry: { times: 3, minDelayMs: 1, maxDelayMs: 1 } } },
    );
    const get = operation(service, { route: 'GET /a', response: Item, failure: byCode });
    const failure = await failureOf(call(get, {}, undefined));
    expect(server.requests).toHaveLength(1);
    expect(isTransient(failure)).toBe(false);
    expect(verdictOf({ failure, tookMs: 1, announcedMs: undefined })).toBe('ok');
  });

  it('is kept like a 404 where it is one', async () => {
    const { service, open, server } = await start({ body: failing(404) });
    const get = operation(service, {
      route: 'GET /a',
      response: z.unknown(),
      failure: byCode,
      cache: { ttlMs: 60_000, negativeTtlMs: 60_000 },
    });
    for (let round = 0; round < 2; round += 1)
      expect(await failureOf(open()(get, {}, undefined))).toMatchObject({ status: 404 });
    expect(server.requests).toHaveLength(1);
  });

  it('of a lookup takes the batch apart, as a rejection does', async () => {
    const server = await startServer(({ url }, response) => {
      const keys = new URL(url ?? '', 'http://x').searchParams.get('ids')?.split(',') ?? [];
      const body = keys.includes('bad') ? failing(400) : { items: keys.map((id) => ({ id })) };
      response.end(JSON.stringify(body));
    });
    const { service, open } = openShop({ url: server.url });
    const itemOf = lookup(service, {
      route: 'GET /items',
      keys: { query: 'ids' },
      by: 'id',
      item: Item,
      items: 'items',
      failure: byCode,
    });
    const [good, bad] = await Promise.allSettled(
      ['a', 'bad'].map((id) => open()(itemOf, { id }, undefined)),
    );
    expect(good).toMatchObject({ status: 'fulfilled', value: { value: { id: 'a' } } });
    expect(bad).toMatchObject({ status: 'rejected', reason: { status: 400 } });
  });
});
