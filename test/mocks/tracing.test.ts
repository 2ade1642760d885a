import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startMocks } from '../../mocks/server.ts';
import { createTracing } from '../../mocks/tracing.ts';
import { get, startForTest } from './_mocks.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const sampled = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` };
const unsampled = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-00` };

/** Starts the mocks with spans kept in memory; `spans` waits until so many are there. */
async function startTraced() {
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '5');
  onTestFinished(() => void vi.unstubAllEnvs());
  const exporter = new InMemorySpanExporter();
  const mocks = await startForTest({ telemetry: (service) => createTracing(service, exporter) });
  const spans = (count: number): Promise<ReadableSpan[]> =>
    vi.waitFor(() => {
      expect(exporter.getFinishedSpans()).toHaveLength(count);
      return exporter.getFinishedSpans();
    });
  return { mocks, spans };
}

/** A collector that keeps what it is sent. */
async function startCollector() {
  const received: { path: string; type: string | undefined; body: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const type = request.headers['content-type'];
    received.push({ path: request.url ?? '', type, body: await buffer(request) });
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

function stubEnv(env: Record<string, string>): void {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

describe('a traced mock service', () => {
  it('makes a server span named by its route, below the caller', async () => {
    const { mocks, spans } = await startTraced();
    await get(`${mocks.orders.url}/orders/ord_1001?x=1`, { headers: sampled });
    const [span] = await spans(1);
    expect(span).toMatchObject({
      name: 'GET /orders/{orderId}',
      kind: SpanKind.SERVER,
      parentSpanContext: { traceId: TRACE_ID, spanId: PARENT_ID, isRemote: true },
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/orders/{orderId}',
        'http.response.status_code': 200,
        'url.path': '/orders/ord_1001',
        'url.query': 'x=1',
      },
      resource: { attributes: { 'service.name': 'orders' } },
    });
  });

  it('is a service of its own for each mock', async () => {
    const { mocks, spans } = await startTraced();
    await get(`${mocks.orders.url}/customers/cus_1`);
    await get(`${mocks.payments.url}/payments?orderIds=ord_1001`);
    await get(`${mocks.shipping.url}/shipments/latest?orderId=ord_1001`);
    const seen = await spans(3);
    expect(
      seen.map(({ name, resource }) => `${String(resource.attributes['service.name'])} ${name}`),
    ).toEqual(
      expect.arrayContaining([
        'orders GET /customers/{customerId}',
        'payments GET /payments',
        'shipping GET /shipments/latest',
      ]),
    );
  });

  it('records nothing when the caller did not sample', async () => {
    const { mocks, spans } = await startTraced();
    await get(`${mocks.orders.url}/orders/ord_1001`, { headers: unsampled });
    await get(`${mocks.orders.url}/orders/ord_1002`, { headers: sampled });
    expect((await spans(1))[0]?.attributes['url.path']).toBe('/orders/ord_1002');
  });

  it('times spans finer than a millisecond', async () => {
    const { mocks, spans } = await startTraced();
    await Promise.all(Array.from({ length: 5 }, () => get(`${mocks.orders.url}/orders`)));
    const nanoseconds = (await spans(5)).flatMap((span) => [span.startTime[1], span.endTime[1]]);
    expect(nanoseconds.some((value) => value % 1_000_000 !== 0)).toBe(true);
  });

  it('marks what went wrong', async () => {
    const { mocks, spans } = await startTraced();
    mocks.orders.fault([
      { match: 'GET /orders/a', status: 503 },
      { match: 'GET /orders/b', reset: true },
    ]);
    await get(`${mocks.orders.url}/orders/a`);
    await get(`${mocks.orders.url}/orders/b`).catch(() => {});
    await get(`${mocks.orders.url}/orders/unknown`);
    const seen = await spans(3);
    expect(seen.map((span) => [span.status.code, span.attributes['error.type']])).toEqual([
      [SpanStatusCode.ERROR, '503'],
      [SpanStatusCode.ERROR, 'connection_closed'],
      [SpanStatusCode.UNSET, undefined],
    ]);
  });

  it('leaves control requests out', async () => {
    const { mocks, spans } = await startTraced();
    await get(`${mocks.orders.url}/__mock/requests`);
    await get(`${mocks.orders.url}/nowhere`);
    expect((await spans(1))[0]?.name).toBe('GET');
  });
});

describe('tracing by environment', () => {
  it.each([
    ['http/json', 'application/json'],
    ['http/protobuf', 'application/x-protobuf'],
  ])('exports by %s', async (protocol, type) => {
    const { url, received } = await startCollector();
    stubEnv({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
    const mocks = await startMocks();
    await get(`${mocks.payments.url}/payments/pay_1001`);
    await mocks.close();
    expect(received).toEqual([expect.objectContaining({ path: '/v1/traces', type })]);
    expect(received[0]?.body.toString('latin1')).toContain('GET /payments/{paymentId}');
  });

  it('is off when OTEL_SDK_DISABLED is true', async () => {
    const { url, received } = await startCollector();
    stubEnv({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SDK_DISABLED: 'true' });
    const mocks = await startMocks();
    await get(`${mocks.orders.url}/orders`);
    await mocks.close();
    expect(received).toEqual([]);
  });

  it('names a protocol it does not speak', async () => {
    stubEnv({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    });
    await expect(startMocks()).rejects.toThrow('OTEL_EXPORTER_OTLP_PROTOCOL is "grpc".');
  });

  it('closes soon when the collector is down, and says nothing', async () => {
    const complaints = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => void complaints.mockRestore());
    stubEnv({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '1',
    });
    const mocks = await startMocks();
    await get(`${mocks.orders.url}/orders`);
    const before = performance.now();
    await mocks.close();
    // The exporter's own limit is ten seconds.
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(complaints).not.toHaveBeenCalled();
  });
});
