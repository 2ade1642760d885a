import { get as httpGet } from 'node:http';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createFaults, toMatcher } from '../../mocks/faults.ts';
import { get, startForTest } from './_mocks.ts';
import { assertProperty } from '../support/property.ts';

const ORDER = '/orders/ord_1001';

/** The code of the network error a request ended with. */
async function failureOf(request: Promise<Response>): Promise<unknown> {
  try {
    await (await request).text();
    return undefined;
  } catch (error) {
    return (error as { cause?: { code?: unknown } }).cause?.code;
  }
}

describe('a fault', () => {
  it('with latencyMs delays the real answer', async () => {
    const { orders } = await startForTest();
    orders.fault([{ match: 'GET *', latencyMs: 80 }]);
    const before = performance.now();
    expect((await get(`${orders.url}${ORDER}`)).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(75);
  });

  it('with status answers a problem', async () => {
    const { orders } = await startForTest();
    orders.fault([{ match: 'GET *', status: 503 }]);
    expect(await get(`${orders.url}${ORDER}`)).toEqual({
      status: 503,
      type: 'application/problem+json',
      body: expect.objectContaining({ status: 503, title: 'Service Unavailable' }),
    });
  });

  it('with status 204 answers no body', async () => {
    const { orders } = await startForTest();
    orders.fault([{ match: 'GET *', status: 204 }]);
    const response = await fetch(`${orders.url}${ORDER}`);
    expect(response.status).toBe(204);
    expect(response.headers.get('content-length')).toBeNull();
  });

  it.each([{ any: ['json'] }, null, 0, false, []])('with body %j answers it', async (body) => {
    const { orders } = await startForTest();
    orders.fault([{ match: 'GET *', body }]);
    const answer = await get(`${orders.url}${ORDER}`);
    expect(answer).toEqual({ status: 200, type: 'application/json', body });
  });

  it('with a string as body sends it as it is', async () => {
    const { orders } = await startForTest();
    orders.fault([{ match: 'GET *', status: 201, body: '{"broken' }]);
    const response = await fetch(`${orders.url}${ORDER}`);
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe('{"broken');
  });

  it('with reset drops the connection before any header', async () => {
    const { orders } = await startForTest();
    orders.fault([{ match: 'GET *', reset: true }]);
    expect(await failureOf(fetch(`${orders.url}${ORDER}`))).toBe('ECONNRESET');
  });

  it.each([{ hang: true }, { latencyMs: 600_000 }])(
    'with %j lets go of a client that gives up',
    async (effect) => {
      const { orders } = await startForTest();
      orders.fault([{ match: 'GET *', ...effect }]);
      const request = httpGet(`${orders.url}${ORDER}`, { agent: false }).on('error', () => {});
      await vi.waitFor(() => expect(orders.requests()).toHaveLength(1));
      expect(orders.openConnections()).toBe(1);
      request.destroy();
      await vi.waitFor(() => expect(orders.openConnections()).toBe(0));
    },
  );

  it.each([undefined, 'x', ''])('with truncate cuts body %j', async (body) => {
    const { orders } = await startForTest();
    const real = await (await fetch(`${orders.url}${ORDER}`)).text();
    orders.fault([{ match: 'GET *', truncate: true, ...(body !== undefined && { body }) }]);
    const response = await fetch(`${orders.url}${ORDER}`);
    const length = (body ?? real).length;
    expect(response.headers.get('content-length')).toBe(String(length));
    expect(await failureOf(Promise.resolve(response))).toBe(length ? 'UND_ERR_SOCKET' : undefined);
  });

  it('with truncate sends the first half of the real body', async () => {
    const { orders } = await startForTest();
    const whole = await (await fetch(`${orders.url}${ORDER}`)).text();
    orders.fault([{ match: 'GET *', truncate: true }]);
    let received = '';
    await new Promise((resolve) => {
      httpGet(`${orders.url}${ORDER}`, { agent: false }, (response) => {
        response.on('data', (chunk: Buffer) => (received += chunk.toString()));
        response.on('error', resolve);
      });
    });
    expect(received).toBe(whole.slice(0, whole.length / 2));
  });

  it('combines a delay with a reset', async () => {
    const { orders } = await startForTest();
    orders.fault([{ match: 'GET *', latencyMs: 80, reset: true }]);
    const before = performance.now();
    expect(await failureOf(fetch(`${orders.url}${ORDER}`))).toBe('ECONNRESET');
    expect(performance.now() - before).toBeGreaterThanOrEqual(75);
  });

  it('applies only so many times', async () => {
    const { orders } = await startForTest();
    orders.fault([{ match: 'GET *', status: 500, times: 2 }]);
    const ask = async () => (await get(`${orders.url}${ORDER}`)).status;
    expect([await ask(), await ask(), await ask()]).toEqual([500, 500, 200]);
  });

  it('hits only the requests it matches, on its own service', async () => {
    const { orders, payments } = await startForTest();
    orders.fault([{ match: 'GET /orders/*', status: 500 }]);
    expect((await get(`${orders.url}${ORDER}`)).status).toBe(500);
    expect((await get(`${orders.url}/orders?limit=1`)).status).toBe(200);
    expect((await get(`${payments.url}/payments/pay_1001`)).status).toBe(200);
  });
});

describe('a list of faults', () => {
  it('applies the first match that still has times left', () => {
    const faults = createFaults();
    const pass = { match: 'GET /a', times: 1 };
    faults.replace([pass, { match: 'GET *', status: 500, times: 1 }, { match: '*', hang: true }]);
    expect(faults.take('GET /a')).toEqual(pass);
    expect(faults.take('GET /a')?.status).toBe(500);
    expect(faults.take('GET /a')?.hang).toBe(true);
    expect(faults.list()).toEqual([{ match: '*', hang: true }]);
  });

  it('says how many times are left', () => {
    const faults = createFaults();
    faults.replace([{ match: '*', status: 500, times: 3 }]);
    faults.take('GET /');
    expect(faults.list()).toEqual([{ match: '*', status: 500, times: 2 }]);
  });
});

describe('a match', () => {
  it.each([
    ['GET /payments*', 'GET /payments', true],
    ['GET /payments*', 'GET /payments?orderIds=a,b', true],
    ['GET /payments*', 'GET /payments/pay_1?x=/', true],
    ['GET /payments*', 'POST /payments', false],
    ['GET /payments', 'GET /payments?x=1', false],
    ['* /orders/*/items', 'PUT /orders/a/b/items', true],
    ['GET /a.c', 'GET /abc', false],
    ['GET /a?b=(1)', 'GET /a?b=(1)', true],
    ['*', '', true],
  ])('%s on %s: %s', (pattern, text, expected) => {
    expect(toMatcher(pattern)(text)).toBe(expected);
  });

  const piece = fc.string({ unit: 'binary', maxLength: 6 }).map((text) => text.replaceAll('*', ''));

  it('accepts any text in the place of each star', () => {
    assertProperty(
      fc.property(
        fc.array(fc.tuple(piece, fc.string({ unit: 'binary' }))),
        piece,
        (parts, last) => {
          const pattern = parts.map(([fixed]) => `${fixed}*`).join('') + last;
          const text = parts.map(([fixed, free]) => fixed + free).join('') + last;
          expect(toMatcher(pattern)(text)).toBe(true);
        },
      ),
    );
  });

  it('without a star accepts itself and nothing else', () => {
    assertProperty(
      fc.property(piece, piece, (pattern, text) => {
        expect(toMatcher(pattern)(text)).toBe(pattern === text);
        expect(toMatcher(pattern)(pattern)).toBe(true);
      }),
    );
  });
});
