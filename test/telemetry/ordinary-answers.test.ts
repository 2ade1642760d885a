/** What a service does not have is no error: only the span of the attempt says it. */
import {
  call,
  defineComposition,
  defineService,
  fallback,
  lookup,
  operation,
  optional,
} from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startServer } from '../support/servers.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { clientTrace, startTraced } from './_traced.ts';

const { telemetry, expectTrace, sink } = await startTraced();

const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, retry: false });
const answered = z.object({ value: z.string() });
const first = operation(shop, { name: 'first', route: 'GET /first', response: answered });
const part = operation(shop, { name: 'part', route: 'GET /parts/:name', response: answered });
const itemOf = lookup(shop, {
  name: 'itemOf',
  route: 'GET /items',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  missing: 'error',
});

const compositions = {
  asked: defineComposition({
    route: 'GET /asked/:name',
    compose: ({ params }) => ({ part: call(part, { name: params.name }) }),
  }),
  led: defineComposition({
    route: 'GET /led',
    compose: () => ({ part: call(part, { name: call(first, {}).value }) }),
  }),
  maybe: defineComposition({
    route: 'GET /maybe',
    compose: () => ({
      part: optional(call(part, { name: 'a' })),
      other: fallback(call(part, { name: call(first, {}).value }), { value: 'none' }),
    }),
  }),
  items: defineComposition({
    route: 'GET /items/:one/:other',
    compose: ({ params }) => ({
      one: optional(call(itemOf, { id: params.one })),
      other: optional(call(itemOf, { id: params.other })),
    }),
  }),
};

/** Its answers by path: a status, or a body. */
async function startShop(answers: Readonly<Record<string, unknown>>) {
  const service = await startServer((request, response) => {
    const answer = answers[request.url ?? ''];
    response.setHeader('content-type', 'application/json');
    if (typeof answer === 'number') response.statusCode = answer;
    response.end(JSON.stringify(typeof answer === 'number' ? {} : answer));
  });
  const app = await startWithMocks({
    compositions,
    telemetry,
    environment: { SHOP_URL: service.url },
  });
  return async (path: string) => {
    const { traceId, headers } = clientTrace();
    const { status } = await app.get(path, { headers });
    return { status, trace: expectTrace(traceId) };
  };
}

describe('a 404 for what the client asks for', () => {
  it('marks the span of the attempt, and neither the step nor the request', async () => {
    const ask = await startShop({ '/parts/a': 404 });
    const { status, trace } = await ask('/asked/a');
    expect(status).toBe(404);
    await trace`
      SERVER GET /asked/{name}  status=404
        INTERNAL step part
          CLIENT GET /parts/{name}  status=404 error.type=404 ERROR
    `;
  });

  it.each([400, 409, 422])('does so with %d as well', async (code) => {
    const ask = await startShop({ '/parts/a': code });
    const { status, trace } = await ask('/asked/a');
    expect(status).toBe(code);
    const said = String(code);
    await trace`
      SERVER GET /asked/{name}  status=${said}
        INTERNAL step part
          CLIENT GET /parts/{name}  status=${said} error.type=${said} ERROR
    `;
  });
});

describe('a 404 that makes the request fail', () => {
  it('marks all that fails with it, since the client has not asked for that', async () => {
    const ask = await startShop({ '/first': { value: 'a' }, '/parts/a': 404 });
    const { status, trace } = await ask('/led');
    expect(status).toBe(502);
    await trace`
      SERVER GET /led  status=502 error.type=404 ERROR
        INTERNAL step first
          CLIENT GET /first  status=200
        INTERNAL step part  error.type=404 ERROR
          CLIENT GET /parts/{name}  status=404 error.type=404 ERROR
    `;
  });
});

describe('a part that is tolerated', () => {
  it('is no error if its service does not have it', async () => {
    const ask = await startShop({ '/first': { value: 'b' }, '/parts/a': 404, '/parts/b': 404 });
    const { status, trace } = await ask('/maybe');
    expect(status).toBe(200);
    await trace`
      SERVER GET /maybe  status=200 degraded=part,other
        INTERNAL step part  optional
          CLIENT GET /parts/{name}  status=404 error.type=404 ERROR
        INTERNAL step first
          CLIENT GET /first  status=200
        INTERNAL step other  fallback
          CLIENT GET /parts/{name}  status=404 error.type=404 ERROR
    `;
  });

  it('is one if its service fails', async () => {
    const ask = await startShop({ '/first': { value: 'b' }, '/parts/a': 500, '/parts/b': 404 });
    const { status, trace } = await ask('/maybe');
    expect(status).toBe(200);
    await trace`
      SERVER GET /maybe  status=200 degraded=part,other
        INTERNAL step part  error.type=500 optional ERROR
          CLIENT GET /parts/{name}  status=500 error.type=500 ERROR
        INTERNAL step first
          CLIENT GET /first  status=200
        INTERNAL step other  fallback
          CLIENT GET /parts/{name}  status=404 error.type=404 ERROR
    `;
  });
});

describe('a batch', () => {
  it('is no error if its service has none of what it asks for', async () => {
    const ask = await startShop({ '/items?ids=1,2': 404 });
    await ask('/items/1/2');
    await expect
      .poll(() => sink.spans.find(({ name }) => name === 'batch shop.itemOf'))
      .toMatchObject({ status: { code: 'UNSET' } });
  });
});
