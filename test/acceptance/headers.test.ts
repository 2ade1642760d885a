/** Headers of one service's answer as arguments of another call, through a whole gateway. */
import { call, defineComposition, defineService, operation } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { drawTree } from '../../src/explain/draw-tree.ts';
import { explain } from '../../src/explain/explain.ts';
import { compile } from '../../src/plan/compile.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

const orders = defineService({ name: 'orders', url: { env: 'OWN_ORDERS_URL' }, retry: false });
const Order = z.object({ id: z.string(), total: z.number() });
const getOrder = operation(orders, {
  name: 'getOrder',
  route: 'GET /orders/:id',
  response: { body: Order, headers: z.object({ etag: z.string() }) },
});
const putOrder = operation(orders, {
  name: 'putOrder',
  route: 'PUT /orders/:id',
  body: z.object({ total: z.number() }),
  headers: z.object({
    'if-match': z.string(),
    'x-note': z.string().optional(),
    accept: z.literal('application/vnd.orders+json'),
  }),
  response: { body: Order, headers: z.object({ etag: z.string() }), status: z.literal([200, 202]) },
});

const update = defineComposition({
  route: 'PUT /totals/:id',
  body: z.object({ total: z.number(), note: z.string().optional() }),
  compose({ params, body }) {
    const order = call(getOrder, { id: params.id });
    const saved = call(putOrder, {
      id: order.body.id,
      body: { total: body.total },
      headers: { 'if-match': order.headers.etag, 'x-note': body.note },
    });
    return { order: saved.body, etag: saved.headers.etag, isLate: saved.status };
  },
});

async function startOrders(etag: string) {
  const server = await startServer((request, response) => {
    const isCurrent = request.method === 'GET' || request.headers['if-match'] === '"1"';
    response.writeHead(isCurrent ? 200 : 412, { etag: request.method === 'GET' ? etag : '"2"' });
    response.end('{"id":"7","total":3}');
  });
  const gateway = await startWithMocks({
    compositions: { update },
    environment: { OWN_ORDERS_URL: server.url },
  });
  const put = (body: object) =>
    gateway.get('/totals/7', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { server, put };
}

describe('the ETag of one answer', () => {
  it('is the If-Match of the next call', async () => {
    const { server, put } = await startOrders('"1"');
    const answer = await put({ total: 3 });
    expect(answer.json).toEqual({ order: { id: '7', total: 3 }, etag: '"2"', isLate: 200 });
    expect(server.requests[1]?.headers).toMatchObject({
      'if-match': '"1"',
      accept: 'application/vnd.orders+json',
    });
  });

  it('makes a 412 that the client is told when it is out of date', async () => {
    const { put } = await startOrders('"0"');
    expect(await put({ total: 3 })).toMatchObject({ status: 412, json: { step: 'putOrder' } });
  });
});

describe('a header that cannot be sent', () => {
  it('is the mistake of the client whose text it is, and of no other field', async () => {
    const { server, put } = await startOrders('"1"');
    expect(await put({ total: 3, note: 'a\r\nx-admin: 1' })).toMatchObject({
      status: 400,
      json: { errors: [{ in: 'body', pointer: '/note' }] },
    });
    expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
  });
});

describe('explain', () => {
  it('shows the headers that a call takes, sends and gives', () => {
    const plan = explain(compile({ name: 'update', composition: update }));
    expect(plan.steps.map(({ call: own }) => own)).toMatchObject([
      { gives: ['etag'] },
      {
        takes: ['if-match', 'x-note'],
        sends: { accept: 'application/vnd.orders+json' },
        gives: ['etag', 'status'],
      },
    ]);
    expect(drawTree(plan)).toContain('takes if-match, x-note · sends accept · gives etag, status');
  });
});
