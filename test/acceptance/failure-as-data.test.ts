/** Services that say "not found" in a 404 or inside a 200, through a whole gateway. */
import {
  after,
  call,
  defineComposition,
  defineService,
  ignoredBody,
  given,
  operation,
  optional,
} from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

const orders = defineService({ name: 'orders', url: { env: 'OWN_ORDERS_URL' }, retry: false });
const response = z.object({ id: z.string() });
const failure = {
  body: z.object({ success: z.literal(false), error: z.object({ code: z.int() }) }),
  status: 'error.code',
} as const;
const strict = operation(orders, { name: 'strict', route: 'GET /o/:id', response, failure });
const lenient = operation(orders, {
  name: 'lenient',
  route: 'GET /l/:id',
  response,
  failure,
  missing: 'null',
});
const cancel = operation(orders, { name: 'cancel', route: 'POST /c/:id', response, failure });

const remove = operation(orders, {
  name: 'remove',
  route: 'DELETE /r/:id',
  response: ignoredBody,
  missing: 'null',
});

const problem: unknown = expect.objectContaining({ type: expect.any(String) });

const compositions = {
  strict: defineComposition({
    route: 'GET /strict/:id',
    compose: ({ params }) => ({ order: call(strict, { id: params.id }) }),
  }),
  lenient: defineComposition({
    route: 'GET /lenient/:id',
    compose: ({ params }) => ({ order: call(lenient, { id: params.id }) }),
  }),
  next: defineComposition({
    route: 'GET /next/:id',
    compose({ params }) {
      const order = call(lenient, { id: params.id });
      return { id: order.id, next: given(order, ({ id }) => call(strict, { id })) };
    },
  }),
  tolerant: defineComposition({
    route: 'GET /tolerant/:id',
    compose: ({ params }) => ({ order: optional(call(strict, { id: params.id })) }),
  }),
  remove: defineComposition({
    route: 'DELETE /remove/:id',
    compose({ params }) {
      const removed = call(remove, { id: params.id });
      return { removed, order: after(removed, () => call(strict, { id: 'in-409' })) };
    },
  }),
  cancel: defineComposition({
    route: 'POST /cancel/:id',
    compose: ({ params }) => ({ order: call(cancel, { id: params.id }) }),
  }),
};

/** A service that answers `/…/404` with a 404, and `/…/in-404` with a 200 that says 404. */
async function start() {
  const server = await startServer(({ url = '' }, answer) => {
    const id = url.slice(url.lastIndexOf('/') + 1);
    const code = Number(id.replace('in-', ''));
    answer.writeHead(/^\d/.test(id) ? code : 200);
    answer.end(JSON.stringify(id.startsWith('in-') ? { success: false, error: { code } } : { id }));
  });
  return startWithMocks({ compositions, environment: { OWN_ORDERS_URL: server.url } });
}

describe('failures that are data', () => {
  it.each<[string, number, unknown]>([
    ['/strict/a', 200, { order: { id: 'a' } }],
    ['/strict/in-404', 404, problem],
    ['/strict/in-409', 409, problem],
    ['/strict/in-503', 502, problem],
    ['/strict/in-7', 502, problem],
    ['/lenient/404', 200, { order: null }],
    ['/lenient/410', 200, { order: null }],
    ['/lenient/in-404', 200, { order: null }],
    ['/lenient/in-409', 409, problem],
    ['/next/a', 200, { id: 'a', next: { id: 'a' } }],
    ['/next/404', 200, { id: null, next: null }],
    ['/lenient/500', 502, problem],
  ])('answer GET %s with %d', async (path, status, body) => {
    const { get } = await start();
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual(body);
    expect(answer.headers.get('plait-degraded')).toBeNull();
  });

  it('are tolerated like any failure', async () => {
    const { get } = await start();
    const answer = await get('/tolerant/in-404');
    expect(answer.json).toMatchObject({ order: null, $problems: [{ status: 404 }] });
  });

  it('are no writes that were done, where a 404 is null', async () => {
    const { get } = await start();
    const { status, json } = await get('/remove/404', { method: 'DELETE' });
    expect(status).toBe(502);
    expect(json).not.toHaveProperty('completed');
    const done = await get('/remove/a', { method: 'DELETE' });
    expect(done.json.completed).toEqual([{ step: 'removed', status: 200 }]);
  });

  it('say of a write that nothing was done', async () => {
    const { get } = await start();
    const { status, json } = await get('/cancel/in-409', { method: 'POST' });
    expect(status).toBe(409);
    expect(json).not.toHaveProperty('completed');
    expect(json).not.toHaveProperty('uncertain');
  });
});
