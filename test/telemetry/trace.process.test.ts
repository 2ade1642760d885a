import { describe, expect, it } from 'vitest';
import { run, runMocks, shipped } from '../support/processes.ts';
import { childrenOf, only } from './_traced.ts';
import { startSink } from '../support/otlp-sink.ts';
import type { Sink, SinkSpan } from '../support/otlp-sink.ts';

/** Mocks and gateway as processes of their own, all sending their spans to one sink. */
async function start(
  environment: Record<string, string> = {},
): Promise<{ url: string; sink: Sink }> {
  const sink = await startSink();
  const telemetry = {
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
  const services = await runMocks(telemetry);
  const url = await run('bin/plait.js', ['start', ...shipped], {
    ...telemetry,
    ...services,
    ...environment,
    PORT: '0',
  }).ready;
  return { url, sink };
}

/** The trace as nested lists of names. */
function treeOf(spans: readonly SinkSpan[], span: SinkSpan): unknown {
  const children = childrenOf(spans, span)
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map((child) => treeOf(spans, child));
  const name = `${span.service}: ${span.name}`;
  return children.length === 0 ? name : [name, ...children];
}

describe('the trace of one summary', () => {
  it('leads from the request over steps and attempts into the services', async () => {
    const { url, sink } = await start();
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const response = await fetch(`${url}/orders/ord_1001/summary`, {
      headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    expect(response.status).toBe(200);
    const spans = await sink.waitFor(10);

    expect(spans).toHaveLength(10);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    const root = only(spans, 'GET /orders/{orderId}/summary');
    expect(root.parentSpanId).toBe('b7ad6b7169203331');
    expect(treeOf(spans, root)).toEqual([
      'plait: GET /orders/{orderId}/summary',
      ['plait: step order', ['plait: GET /orders/{orderId}', 'orders: GET /orders/{orderId}']],
      ['plait: step payment', ['plait: GET /payments', 'payments: GET /payments']],
      ['plait: step shipment', ['plait: GET /shipments/latest', 'shipping: GET /shipments/latest']],
    ]);
  });

  it('has the kinds and attributes by which it is read', async () => {
    const { url, sink } = await start();
    await fetch(`${url}/orders/ord_1001/summary`);
    const spans = (await sink.waitFor(10)).filter(({ service }) => service === 'plait');

    const root = only(spans, 'GET /orders/{orderId}/summary');
    expect(root).toMatchObject({ kind: 'SERVER', status: { code: 'UNSET' } });
    expect(root.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/orders/{orderId}/summary',
      'url.path': '/orders/ord_1001/summary',
      'plait.composition': 'order-summary',
    });
    expect(root.attributes['http.response.status_code']).toBe(200);

    const step = only(spans, 'step payment');
    expect(step.kind).toBe('INTERNAL');
    expect(step.attributes).toMatchObject({
      'plait.step.name': 'payment',
      'plait.step.operation': 'payments.paymentOf',
      'plait.step.optional': true,
    });

    const attempt = only(spans, 'GET /payments');
    expect(attempt.kind).toBe('CLIENT');
    expect(attempt.attributes).toMatchObject({
      'url.template': '/payments',
      'server.address': '127.0.0.1',
      'service.peer.name': 'payments',
      'peer.service': 'payments',
    });
  });

  it('nests its times below a millisecond', async () => {
    const { url, sink } = await start();
    await fetch(`${url}/orders/ord_1001/summary`);
    const spans = await sink.waitFor(10);

    const parents = new Map(spans.map((span) => [span.spanId, span]));
    const nested = spans.flatMap((span) => {
      const parent = parents.get(span.parentSpanId);
      return parent === undefined ? [] : [{ span, parent }];
    });
    expect(nested).toHaveLength(9);
    for (const { span, parent } of nested) {
      // Between two processes the clocks agree to some microseconds only.
      const slack = span.service === parent.service ? 0n : 1_000_000n;
      expect(span.startTimeUnixNano + slack, `${span.name} starts`).toBeGreaterThanOrEqual(
        parent.startTimeUnixNano,
      );
      expect(span.endTimeUnixNano, `${span.name} ends`).toBeLessThanOrEqual(
        parent.endTimeUnixNano + slack,
      );
    }
    expect(spans.some((span) => span.startTimeUnixNano % 1_000_000n !== 0n)).toBe(true);
  });
});

describe('what is sent to the collector', () => {
  it('says whose it is, and nothing of how the process was started', async () => {
    const { url, sink } = await start();
    await fetch(`${url}/orders/ord_1001/summary`);
    const span = (await sink.waitFor(10)).find(({ service }) => service === 'plait');
    expect(span?.resource).toMatchObject({
      'service.name': 'plait',
      'service.instance.id': expect.any(String),
      'host.name': expect.any(String),
    });
    expect(Object.keys(span?.resource ?? {}).filter((name) => name.startsWith('process.'))).toEqual(
      [],
    );
    expect(sink.received()).not.toContain(process.execPath);
  });

  it('has metrics where those are asked for', async () => {
    const { url, sink } = await start({
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_METRIC_EXPORT_INTERVAL: '100',
    });
    await fetch(`${url}/orders/ord_1001/summary`);
    const named = (wanted: string) => sink.points.findLast(({ name }) => name === wanted);
    await expect
      .poll(() => named('http.server.request.duration'))
      .toMatchObject({
        service: 'plait',
        attributes: {
          'http.request.method': 'GET',
          'http.response.status_code': 200,
          'http.route': '/orders/{orderId}/summary',
          'url.scheme': 'http',
        },
        count: 1,
        value: expect.any(Number),
      });
    expect(named('plait.loads')).toMatchObject({
      attributes: { 'plait.result': 'sent' },
      value: 1,
    });
    expect(named('process.memory.usage')?.value).toBeGreaterThan(1e6);
  });
});
