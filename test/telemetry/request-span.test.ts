/** By what a request is found: attributes of its span, and the counter of degraded responses. */
import { call, defineComposition, each, optional } from 'plait';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { listOrders } from '../../compositions/upstreams/orders.ts';
import { paymentOf } from '../../compositions/upstreams/payments.ts';
import { track } from '../../compositions/upstreams/shipping.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { SinkSpan } from '../support/otlp-sink.ts';
import { raw } from '../support/raw-http.ts';
import { startTraced } from './_traced.ts';

const { telemetry, sink } = await startTraced({
  environment: {
    TRACE_QUERY: 'limit,page',
    OTEL_RESOURCE_ATTRIBUTES: 'host.name=here, service.name=shop',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_METRIC_EXPORT_INTERVAL: '300',
  },
});

const listAt = (route: `GET /${string}`) =>
  defineComposition({
    route,
    query: z.object({
      limit: z.coerce.number().default(5),
      page: z.array(z.string()).default([]),
      apiToken: z.string().optional(),
    }),
    compose: ({ query }) => ({
      tracking: optional(call(track, { trackingNumber: 'TRK10011' })),
      rows: each(call(listOrders, { customerId: 'cus_1', limit: query.limit }).items, ({ id }) => ({
        payment: optional(call(paymentOf, { orderId: id })),
      })),
    }),
  });

async function start() {
  const app = await startWithMocks({
    compositions: { list: listAt('GET /list'), lacking: listAt('GET /lacking') },
    telemetry,
  });
  /** The attributes of the span of a request. */
  const ask = async (path: string, requestId: string) => {
    await app.get(path, { headers: { 'x-request-id': requestId } });
    return vi.waitFor(() => {
      const root = sink.spans.find(
        ({ attributes }) => attributes['plait.request_id'] === requestId,
      );
      expect(root).toBeDefined();
      return root?.attributes;
    });
  };
  const send = (method: string, path: string) =>
    raw(app.url, `${method} ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
  return { ...app, ask, send };
}

function spanOf(path: string): SinkSpan | undefined {
  return sink.spans.find(({ attributes }) => attributes['url.path'] === path);
}

describe('the span of a request', () => {
  it('has the id of the request, and of its query the parameters that are allowed', async () => {
    const { ask } = await start();
    const path = '/list?apiToken=hunter2&limit=2&page=a&page=b%20c&unknown=hunter3';
    expect(await ask(path, 'q1')).toMatchObject({
      'url.path': '/list',
      'url.query': 'limit=2&page=a&page=b+c',
    });
    expect(sink.received()).not.toMatch(/hunter|apiToken|unknown/);
    expect(await ask('/list?unknown=1', 'q2')).not.toHaveProperty(['url.query']);
    expect(await ask('/list', 'q3')).not.toHaveProperty(['url.query']);
  });

  it('is named after its method and route, or HTTP where the conventions do not know the method', async () => {
    const { ask, send } = await start();
    await ask('/list', 'm1');
    expect(spanOf('/list')?.name).toBe('GET /list');
    await send('PURGE', '/purged');
    await send('TRACE', '/traced');
    await vi.waitFor(() => expect(spanOf('/traced')).toBeDefined());
    expect(spanOf('/purged')).toMatchObject({
      name: 'HTTP',
      attributes: {
        'http.request.method': '_OTHER',
        'http.request.method_original': 'PURGE',
      },
    });
    expect(spanOf('/traced')).toMatchObject({
      name: 'TRACE',
      attributes: { 'http.request.method': 'TRACE' },
    });
    expect(spanOf('/traced')?.attributes).not.toHaveProperty(['http.request.method_original']);
  });

  it('is of the service that is named in the attributes of the resource', async () => {
    const { ask } = await start();
    await ask('/list', 's1');
    await expect.poll(() => sink.points.length).toBeGreaterThan(0);
    const services = [...sink.spans, ...sink.points].map(({ service }) => service);
    expect(new Set(services)).toEqual(new Set(['shop']));
  });

  it('bounds a path and a query, whatever a client sends', async () => {
    const { ask } = await start();
    const { 'url.path': path } = (await ask(`/${'x'.repeat(5_000)}`, 'q5')) ?? {};
    expect(String(path)).toHaveLength(1_024);
    const attributes = await ask(`/list?limit=1&page=${'x'.repeat(5_000)}`, 'q4');
    expect(String(attributes?.['url.query'])).toHaveLength(1_024);
  });

  it('says if the response is partial, and nothing if it is whole', async () => {
    const { ask, mocks } = await start();
    expect(await ask('/list', 'p1')).not.toHaveProperty(['plait.partial']);
    mocks.payments.fault([{ match: '*', status: 503 }]);
    expect(await ask('/list', 'p2')).toMatchObject({
      'plait.partial': true,
      'plait.degraded': ['rows.payment'],
    });
  });
});

/** What was sent last: how often each route lacked a step, and why. */
function counted(): Record<string, unknown> {
  return Object.fromEntries(
    sink.points
      .filter(({ name }) => name === 'plait.degraded')
      .map(({ attributes, value }) => [
        ['http.route', 'plait.step.name', 'plait.reason'].map((key) => attributes[key]).join(' '),
        value,
      ]),
  );
}

it('what responses lack is counted once for each request, step and reason', async () => {
  const { ask, mocks } = await start();
  const lacked = () => counted()['/lacking rows.payment status'];
  mocks.payments.fault([{ match: '*', status: 503 }]);
  await ask('/lacking', 'c1');
  await ask('/lacking', 'c2');
  mocks.shipping.fault([{ match: '*', status: 503 }]);
  await ask('/lacking', 'c3');
  await expect.poll(lacked).toBe(3);
  expect(counted()).toMatchObject({ '/lacking tracking status': 1 });
  const ofRoute = Object.keys(counted()).filter((key) => key.startsWith('/lacking'));
  expect(ofRoute).toHaveLength(2);
});
