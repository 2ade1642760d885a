/** Which trace a call to a service belongs to, where very many are under way and few places are there. */
import { call, defineComposition, defineService, lookup, operation } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startServer } from '../support/servers.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { clientTrace, startTraced } from './_traced.ts';
import type { ClientTrace } from './_traced.ts';

/** Clients on this machine may decide whether their requests are recorded. */
const { telemetry, sink } = await startTraced({ environment: { TRUSTED_PEERS: '127.0.0.0/8' } });

const narrow = defineService({
  name: 'narrow',
  url: { env: 'NARROW_URL' },
  bulkhead: { concurrency: 4, queue: 256, waitMs: 10_000 },
  timeoutMs: 10_000,
});
const unshared = { coalesce: false, response: z.object({ ok: z.boolean() }) };
const own = operation(narrow, { name: 'own', route: 'GET /own/:name', ...unshared });
const same = operation(narrow, { name: 'same', route: 'GET /same', ...unshared });
const shared = operation(narrow, {
  ...unshared,
  name: 'shared',
  route: 'GET /shared',
  coalesce: true,
});
const priceOf = lookup(narrow, {
  name: 'priceOf',
  route: 'GET /prices',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  windowMs: 50,
});

const compositions = {
  both: defineComposition({
    route: 'GET /both/:name',
    compose: ({ params }) => ({ own: call(own, { name: params.name }), same: call(same, {}) }),
  }),
  shared: defineComposition({ route: 'GET /shared', compose: () => call(shared, {}) }),
  price: defineComposition({
    route: 'GET /prices/:id',
    compose: ({ params }) => ({ price: call(priceOf, { id: params.id }) }),
  }),
};

/** A slow service that takes four calls at once, and what it was asked: path, and the trace it was told. */
async function startNarrow() {
  const service = await startServer((request, response) => {
    const body = request.url?.startsWith('/prices') === true ? '[]' : '{"ok":true}';
    setTimeout(() => response.setHeader('content-type', 'application/json').end(body), 5);
  });
  const app = await startWithMocks({
    compositions,
    telemetry,
    environment: { NARROW_URL: service.url },
  });
  const asked = () =>
    service.requests.map(({ target, headers }) => {
      const [, traceId = '', spanId = '', flag] = String(headers['traceparent']).split('-');
      return { target, traceId, spanId, flag };
    });
  const ask = async (path: string, { headers }: ClientTrace): Promise<void> => {
    const answer = await app.get(path, { headers: { ...headers } });
    expect(answer.status).toBe(200);
  };
  return { service, asked, ask };
}

/** Every third of them is not recorded. */
const clients = Array.from({ length: 60 }, (_, index) => {
  const flag = index % 3 === 0 ? '00' : '01';
  return { name: `n${index}`, flag, ...clientTrace(flag) };
});

/** Traces and flags, in an order of their own. */
function sorted(all: readonly { traceId: string; flag: string | undefined }[]): string[] {
  return all.map(({ traceId, flag }) => `${traceId}-${flag}`).toSorted();
}

describe('of sixty requests at once, with four calls at a time,', () => {
  it('every call carries the trace of its own request, recorded or not', async () => {
    const { service, asked, ask } = await startNarrow();
    await Promise.all(clients.map((client) => ask(`/both/${client.name}`, client)));

    expect(service.accepted).toBeLessThanOrEqual(4);
    expect(asked()).toHaveLength(120);
    const ofOwn = new Map(asked().map(({ target, ...told }) => [target, told]));
    for (const { name, traceId, flag } of clients)
      expect(ofOwn.get(`/own/${name}`), name).toMatchObject({ traceId, flag });

    // These cannot be told apart but by their trace: each has come once.
    const told = asked().filter(({ target }) => target === '/same');
    expect(sorted(told)).toEqual(sorted(clients));
  });

  it('every call that is recorded names its attempt as the parent, and the others the request', async () => {
    const { asked, ask } = await startNarrow();
    const fresh = clients.map((client) => ({
      ...client,
      ...clientTrace(client.flag as '00' | '01'),
    }));
    await Promise.all(fresh.map((client) => ask(`/both/${client.name}`, client)));

    const recorded = fresh.filter(({ flag }) => flag === '01');
    const traces = new Set(fresh.map(({ traceId }) => traceId));
    const spans = () => sink.spans.filter(({ traceId }) => traces.has(traceId));
    // The request, and two steps with an attempt each.
    await expect.poll(() => spans().length).toBe(recorded.length * 5);
    const attempts = new Map(
      spans()
        .filter(({ kind }) => kind === 'CLIENT')
        .map(({ spanId, traceId }) => [spanId, traceId]),
    );
    for (const { spanId, traceId, flag, target } of asked())
      expect(attempts.get(spanId), target).toBe(flag === '01' ? traceId : undefined);
    const unrecorded = fresh.filter(({ flag }) => flag === '00');
    for (const { traceId } of unrecorded) {
      const parents = asked().filter((one) => one.traceId === traceId);
      // Two calls, one span: that of the request, which is nobody's record.
      expect(new Set(parents.map(({ spanId }) => spanId)).size).toBe(1);
    }
    // Some of them had to wait for a permit, and say so.
    const waited = spans().filter(({ attributes }) => 'plait.bulkhead.wait_ms' in attributes);
    expect(waited.length).toBeGreaterThan(recorded.length);
  });
});

describe('a call that a recorded request shares with one that is not', () => {
  it('is in the trace that is recorded when it is a batch, whoever came first', async () => {
    const { asked, ask } = await startNarrow();
    const [unrecorded, recorded] = [clientTrace('00'), clientTrace('01')];
    await Promise.all([ask('/prices/1', unrecorded), ask('/prices/2', recorded)]);
    expect(asked()).toEqual([
      expect.objectContaining({ target: '/prices?ids=1,2', traceId: recorded.traceId, flag: '01' }),
    ]);
  });

  it('is in the trace of whoever came first when it is one call', async () => {
    for (const [flag, other] of [
      ['01', '00'],
      ['00', '01'],
    ] as const) {
      const { asked, ask } = await startNarrow();
      const [first, second] = [clientTrace(flag), clientTrace(other)];
      await Promise.all([ask('/shared', first), ask('/shared', second)]);
      expect(asked()).toEqual([
        expect.objectContaining({ target: '/shared', traceId: first.traceId, flag }),
      ]);
    }
  });
});
