import { call, defineComposition, each, fallback, map, optional } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { getOrder, listOrders } from '../../compositions/upstreams/orders.ts';
import { paymentOf } from '../../compositions/upstreams/payments.ts';
import { createGateway } from '../../src/gateway.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { raw } from '../support/raw-http.ts';

const order = defineComposition({
  route: 'GET /orders/:orderId',
  compose({ params }) {
    const found = call(getOrder, { orderId: params.orderId });
    return { total: map(found, ({ items }) => items[99]!.quantity) }; // eslint-disable-line typescript/no-non-null-assertion -- the mistake
  },
});

const list = defineComposition({
  route: 'GET /list',
  compose: () => ({
    rows: each(call(listOrders, { customerId: 'cus_1', limit: 5 }).items, ({ id }) => ({
      payment: optional(call(paymentOf, { orderId: id })),
    })),
  }),
});

const doubled = defineComposition({
  route: 'GET /doubled',
  compose: () => ({
    payment: optional(
      fallback(call(paymentOf, { orderId: 'ord_1001' }), () =>
        call(getOrder, { orderId: 'ord_1001' }),
      ),
    ),
  }),
});

const Line = z.looseObject({ level: z.string(), message: z.string() });

async function startLogging(options: { withCauses?: boolean; headers?: readonly string[] } = {}) {
  const lines: z.output<typeof Line>[] = [];
  const write = (line: string): void => void lines.push(Line.parse(JSON.parse(line)));
  const log = createLog({ level: 'info', format: 'json', write });
  const { withCauses = false, headers = [] } = options;
  const app = await startWithMocks({
    compositions: { order, list, doubled },
    accessLog: { log, withCauses, headers },
    adminPort: 0,
  });
  return { app, lines, log };
}

const headers = { 'x-request-id': 'r1' };

describe('the access log', () => {
  it('has one line for a request, with what it took', async () => {
    const { app, lines } = await startLogging();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await app.get('/list?secret=hunter2', { headers: { ...headers, traceparent } });
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        message: 'GET /list 400',
        trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        client_trace_id: '0af7651916cd43dd8448eb211c80319c',
        request_id: 'r1',
        method: 'GET',
        protocol_version: '1.1',
        route: '/list',
        composition: 'list',
        status: 400,
        duration_ms: expect.any(Number),
        upstream_calls: 0,
        problem: 'invalid-request',
      },
    ]);
    await app.get('/list', { headers });
    expect(lines[1]).toMatchObject({ status: 200, upstream_calls: 2 });
  });

  it('says why a request could not be read, and whose it was', async () => {
    const { app, lines } = await startLogging();
    const end = 'host: a\r\nconnection: close\r\n';
    await raw(app.url, `GET / HTTP/1.1\r\n${end}a: ${'b'.repeat(70_000)}\r\n\r\n`);
    await raw(app.url, `GET / HTTP/1.1\r\n${end}a b: c\r\n\r\n`);
    await raw(app.url, `GET /nothing HTTP/1.1\r\n${end}\r\n`);
    await raw(app.url, `DELETE /list HTTP/1.1\r\n${end}\r\n`);
    expect(lines.map(({ status, problem, peer }) => [status, problem, peer])).toEqual([
      [431, 'headers-too-large', '127.0.0.1'],
      [400, 'ambiguous-request', '127.0.0.1'],
      [404, 'not-found', undefined],
      [405, 'method-not-allowed', undefined],
    ]);
  });

  it('says which field of which answer did not fit, and at which step', async () => {
    const { app, lines } = await startLogging();
    app.mocks.orders.fault([{ match: '*', body: { id: 7 } }]);
    await app.get('/orders/ord_1001', { headers });
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'error',
        message: 'GET /orders/{orderId} 502',
        error: {
          type: 'invalid-body',
          message:
            'step "getOrder": orders.getOrder: answered 200, but /id in its body does not fit the schema: Invalid input: expected string, received number',
        },
      }),
    ]);
  });

  it('names what is missing in every item of a list once, as a warning', async () => {
    const { app, lines } = await startLogging();
    app.mocks.payments.fault([{ match: '*', status: 500 }]);
    await app.get('/list', { headers });
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        status: 200,
        degraded: ['rows.payment: payments.paymentOf: answered 500'],
      }),
    ]);
  });

  it('names what has failed of a step and of its second source', async () => {
    const { app, lines } = await startLogging();
    app.mocks.payments.fault([{ match: '*', status: 500 }]);
    app.mocks.orders.fault([{ match: '*', status: 404 }]);
    await app.get('/doubled', { headers });
    expect(lines[0]?.['degraded']).toEqual([
      'payment: payments.paymentOf: answered 500; instead, step "payment.instead.getOrder": ' +
        'orders.getOrder: answered 404',
    ]);
  });

  it('adds the place in the code where it may', async () => {
    const { app, lines } = await startLogging({ withCauses: true });
    await app.get('/orders/ord_1001', { headers });
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'error',
        causes: [
          expect.stringMatching(
            /^TypeError: Cannot read properties of undefined[^\n]*\nat .*access-log\.test\.ts/,
          ),
        ],
      }),
    ]);
  });

  it('does not quote what a function of a composition threw where it may not', async () => {
    const { app, lines } = await startLogging();
    await app.get('/orders/ord_1001', { headers });
    expect(JSON.stringify(lines)).not.toContain('Cannot read');
  });

  it('has only the headers it is told to log', async () => {
    const { app, lines } = await startLogging({ headers: ['user-agent', 'x-absent'] });
    await app.get('/nowhere', { headers: { 'user-agent': 'curl', authorization: 'hunter2' } });
    expect(lines[0]).toMatchObject({ status: 404, headers: { 'user-agent': 'curl' } });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('is silent about health checks and the management side, unless debugging', async () => {
    const { app, lines } = await startLogging();
    await app.get('/livez');
    await fetch(`${app.adminUrl}/log`);
    expect(lines).toEqual([]);
    const change = { method: 'PUT', body: '{"level":"debug"}' };
    const json = { 'content-type': 'application/json' };
    expect((await fetch(`${app.adminUrl}/log`, { ...change, headers: json })).status).toBe(200);
    await app.get('/livez');
    expect(lines.map(({ message }) => message)).toEqual([
      'PUT (no route) 200',
      'GET (no route) 200',
    ]);
  });

  it('has what the management side refuses, and warns of requests without its token', async () => {
    const { lines, log } = await startLogging();
    const token = 'a'.repeat(32);
    await using gateway = createGateway({
      plans: [],
      addresses: new Map(),
      accessLog: { log, withCauses: false, headers: [] },
      adminToken: () => token,
    });
    const ask = async (path: string, given: string): Promise<number> => {
      const authorization = `Bearer ${given}`;
      return (await gateway.admin.request(path, { headers: { authorization } })).status;
    };
    const statuses = [
      await ask('/upstreams', token),
      await ask('/upstreams', 'guess'),
      await ask('/nothing', token),
    ];
    expect(statuses).toEqual([200, 401, 404]);
    expect(lines).toMatchObject([
      { level: 'warn', message: 'GET (no route) 401', peer: '' },
      { level: 'info', message: 'GET (no route) 404' },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/guess|aaa/);
  });

  it('takes no level that is none', async () => {
    const { app, log } = await startLogging();
    const headersOf = { 'content-type': 'application/json' };
    const put = (body: string) =>
      fetch(`${app.adminUrl}/log`, { method: 'PUT', body, headers: headersOf });
    expect((await put('{"level":"loud"}')).status).toBe(400);
    expect(log.level.get()).toBe('info');
  });
});
