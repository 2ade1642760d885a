import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Fault } from '../../mocks/server.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import { lookup } from '../../src/dsl/declare-lookup.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import { call, map } from '../../src/dsl/steps.ts';
import { startUpstream } from '../support/upstream.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { Answer } from '../support/request.ts';

const orders = defineService({
  name: 'orders',
  url: { env: 'ORDERS_URL' },
  timeoutMs: 150,
  maxBodyBytes: 1_000,
  bulkhead: { concurrency: 1, queue: 0 },
});
const getOrder = operation(orders, {
  name: 'getOrder',
  route: 'GET /orders/:orderId',
  response: z.object({ id: z.string() }),
});
const orderOf = lookup(orders, {
  name: 'orderOf',
  route: 'GET /orders',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  missing: 'error',
});

const one = defineComposition({
  route: 'GET /one/:orderId',
  compose: ({ params }) => ({ order: call(getOrder, { orderId: params.orderId }) }),
});
const found = defineComposition({
  route: 'GET /found/:orderId',
  compose: ({ params }) => ({ order: call(orderOf, { id: params.orderId }) }),
});
const pair = defineComposition({
  route: 'GET /pair',
  compose: () => ({
    first: call(getOrder, { orderId: 'ord_1001' }),
    second: call(getOrder, { orderId: 'ord_1002' }),
  }),
});

const canary = 'canary-4711';

async function startFaulty(fault: Omit<Fault, 'match'>) {
  const app = await startWithMocks({ compositions: { one, found, pair } });
  app.mocks.orders.fault([{ match: '*', ...fault }]);
  return app;
}

/** Checks the members of every problem, and that nothing of the upstream is in it. */
function expectProblem({ status, headers, json }: Answer, kind: string): void {
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(json).toMatchObject({
    type: `urn:plait:problem:${kind}`,
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(/\.$/),
    status,
    instance: expect.stringMatching(/^\/\w/),
    requestId: headers.get('x-request-id'),
  });
  const text = JSON.stringify([json, ...headers]);
  expect(text).not.toContain(canary);
  expect(text).not.toMatch(/127\.0\.0\.1|localhost|\.ts\b|node:|node_modules/);
}

describe('the status of a failed required step', () => {
  it.each([400, 404, 409, 410, 412, 413, 414, 422, 423, 424, 428, 451])(
    'is %i when that is what the service says',
    async (status) => {
      const { get } = await startFaulty({ status, body: { detail: canary } });
      const answer = await get('/one/ord_1001');
      expect({ status: answer.status, step: answer.json.step }).toEqual({ status, step: 'order' });
      expectProblem(answer, `upstream-${status}`);
    },
  );

  it.each([300, 302, 401, 402, 403, 405, 406, 408, 415, 418, 500, 501, 502, 503, 504, 599])(
    'is 502 when the service says %i',
    async (status) => {
      const { get } = await startFaulty({ status, body: { detail: canary } });
      const answer = await get('/one/ord_1001');
      expect({ status: answer.status, step: answer.json.step }).toEqual({
        status: 502,
        step: 'order',
      });
      expectProblem(answer, 'upstream-status');
    },
  );

  it.each([
    { what: 'no JSON', fault: { body: `{"${canary}` }, kind: 'upstream-invalid-body' },
    {
      what: 'not what was agreed',
      fault: { body: { id: 7, canary } },
      kind: 'upstream-invalid-body',
    },
    { what: 'a body that is cut off', fault: { truncate: true }, kind: 'upstream-reset' },
    { what: 'a broken connection', fault: { reset: true }, kind: 'upstream-reset' },
    {
      what: 'more than is allowed',
      fault: { body: { id: canary.repeat(200) } },
      kind: 'upstream-too-large',
    },
    { what: 'nothing', fault: { status: 204 }, kind: 'upstream-invalid-body' },
  ])('is 502 for $what', async ({ fault, kind }) => {
    const { get } = await startFaulty(fault);
    const answer = await get('/one/ord_1001');
    expect(answer.status).toBe(502);
    expectProblem(answer, kind);
  });

  it('is 502 when no connection can be made', async () => {
    const app = await startWithMocks({ compositions: { one } });
    await app.mocks.close();
    const answer = await app.get('/one/ord_1001');
    expect(answer.status).toBe(502);
    expectProblem(answer, 'upstream-connect');
  });

  it('is 504 when the service does not answer in time', async () => {
    const { get } = await startFaulty({ hang: true });
    const answer = await get('/one/ord_1001');
    expect(answer.status).toBe(504);
    expectProblem(answer, 'upstream-timeout');
  });

  it('is 504 when the time of the request is up', async () => {
    const { get } = await startFaulty({ hang: true });
    const answer = await get('/one/ord_1001', { headers: { 'x-request-timeout-ms': '50' } });
    expect(answer.status).toBe(504);
    expectProblem(answer, 'deadline');
  });

  it('is 503 with Retry-After when too many calls of the service are under way', async () => {
    const { get } = await startFaulty({ hang: true });
    const answer = await get('/pair');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(answer.json).not.toHaveProperty('retryAfter');
    expectProblem(answer, 'upstream-overloaded');
  });

  it('is 404 when a lookup that must find its item does not', async () => {
    const { get } = await startFaulty({ body: [{ id: 'another' }] });
    const answer = await get('/found/ord_1001');
    expect(answer.status).toBe(404);
    expectProblem(answer, 'upstream-missing');
  });

  it.each([200, 201, 202, 203, 299])('is no failure when the service says %i', async (status) => {
    const { get } = await startFaulty({ status, body: { id: 'x' } });
    expect(await get('/one/ord_1001')).toMatchObject({ status: 200, json: { order: { id: 'x' } } });
  });
});

async function answerWith(status: number, headers: Record<string, string>): Promise<Answer> {
  const upstream = await startUpstream();
  const app = await startWithMocks({
    compositions: { one },
    environment: { ORDERS_URL: upstream.url },
  });
  const answer = app.get('/one/a');
  (await upstream.next('GET /orders/a')).answer({}, status, headers);
  return answer;
}

describe('a service that asks for patience', () => {
  it('is not called again beyond the time of the request, and its time is passed on', async () => {
    const { status, headers } = await answerWith(429, { 'retry-after': '70' });
    expect([status, headers.get('retry-after')]).toEqual([503, '70']);
  });

  it.each(['soon', '-1'])('has a Retry-After of %j, which is no time, left out', async (given) => {
    const { status, headers } = await answerWith(429, { 'retry-after': given });
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  });

  it.each([
    [404, 404],
    [500, 502],
  ])('has nothing but the status passed on with a %i', async (given, status) => {
    const answer = await answerWith(given, { 'retry-after': '7', 'set-cookie': 'a=b' });
    expect(answer.status).toBe(status);
    expect(answer.headers.has('retry-after')).toBe(false);
    expect(answer.headers.has('set-cookie')).toBe(false);
  });
});

describe('an error that nobody declared', () => {
  const broken = defineComposition({
    route: 'GET /broken',
    compose: () => ({ fine: true }),
  });
  const mismatch = defineComposition({
    route: 'GET /mismatch',
    response: z.object({ n: z.number().max(1) }),
    compose: () => ({ n: map({}, () => Number(canary.slice(-4))) }),
  });

  it('is answered with a 500 that reveals nothing, and is reported', async () => {
    const app = await startWithMocks({
      compositions: { broken },
      middleware: [
        () => {
          throw new TypeError(canary);
        },
      ],
    });
    const { status, headers, json } = await app.get('/broken');
    expect(status).toBe(500);
    expect(json).toEqual({
      type: 'urn:plait:problem:internal',
      title: 'Internal error',
      status: 500,
      instance: '/broken',
      requestId: headers.get('x-request-id'),
    });
    expect(app.internalErrors).toEqual([expect.any(TypeError)]);
  });

  it('may be a response that does not fit its own schema', async () => {
    const app = await startWithMocks({ compositions: { mismatch } });
    const answer = await app.get('/mismatch');
    expect(answer.status).toBe(500);
    expectProblem(answer, 'response-mismatch');
    expect(app.internalErrors).toHaveLength(1);
  });

  it('is never a failure of a service or a mistake of a client', async () => {
    const app = await startFaulty({ status: 500 });
    await app.get('/one/ord_1001');
    await app.get('/one/ord_1001?x=1');
    await app.get('/nowhere');
    expect(app.internalErrors).toEqual([]);
  });
});
