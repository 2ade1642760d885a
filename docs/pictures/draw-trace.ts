/** Draws `trace.svg` from a real run in which one service fails: `node docs/pictures/draw-trace.ts`. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { startMocks } from '../../mocks/server.ts';
import { startChild } from '../../src/cli/child.ts';
import { drawTrace } from './trace-picture.ts';

const limitMs = 30_000;
/** Enough to have connections and compiled code, too few for the exporter to send spans meanwhile. */
const warmUps = 50;

/** What a collector is sent: OTLP as JSON. */
const Attributes = z
  .array(z.object({ key: z.string(), value: z.object({ stringValue: z.string().default('') }) }))
  .transform((all) => Object.fromEntries(all.map(({ key, value }) => [key, value.stringValue])));
const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().exactOptional(),
  name: z.string(),
  startTimeUnixNano: z.coerce.number(),
  endTimeUnixNano: z.coerce.number(),
  attributes: Attributes,
});
const Resource = z.object({
  resource: z.object({ attributes: Attributes }),
  scopeSpans: z.array(z.object({ spans: z.array(Span) })),
});
const Traces = z.object({ resourceSpans: z.array(Resource) });

// The gateway ends with this process.
setTimeout(() => process.exit(1), limitMs).unref();
await writeFile(join(import.meta.dirname, 'trace.svg'), toPicture(await record()));

/** All there is to know when gateway and mocks have ended: they send their spans at last then. */
async function record(): Promise<z.infer<typeof Resource>[]> {
  const resources: z.infer<typeof Resource>[] = [];
  await using collector = createServer(async (request, response) => {
    resources.push(...Traces.parse(await json(request)).resourceSpans);
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  const { port } = collector.address() as AddressInfo; // it listens on TCP
  const telemetry = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: String(limitMs),
  };
  Object.assign(process.env, telemetry); // for the mocks, which run in this process
  await provoke(telemetry);
  return resources;
}

/** The last request is the one to look at. */
async function provoke(telemetry: Record<string, string>): Promise<void> {
  await using started = new AsyncDisposableStack();
  const { orders, payments, shipping, close } = await startMocks();
  started.defer(close);
  const gateway = startChild(join(import.meta.dirname, '../../bin/plait.js'), ['start'], {
    ...telemetry,
    PATH: process.env['PATH'],
    ORDERS_URL: orders.url,
    PAYMENTS_URL: payments.url,
    SHIPPING_URL: shipping.url,
    PORT: '0',
    ADMIN_PORT: '0',
    LOG_LEVEL: 'error',
  });
  started.defer(gateway.stop);
  const summary = `${await gateway.ready}/orders/ord_1001/summary`;
  const ask = async (): Promise<unknown> => (await fetch(summary)).json();
  // oxlint-disable-next-line no-await-in-loop -- one after the other, like the one to look at
  for (let left = warmUps; left > 0; left -= 1) await ask();
  payments.fault([{ match: 'GET /payments*', latencyMs: 120, status: 503 }]);
  shipping.fault([{ match: 'GET /shipments*', latencyMs: 150 }]);
  await ask();
}

function toPicture(resources: z.infer<typeof Resource>[]): string {
  const spans = resources.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans.map((span) => toPictured(span, resource.attributes))),
  );
  const degraded = spans.find(({ attributes }) => 'plait.degraded' in attributes);
  if (degraded === undefined) throw new Error('No response is degraded: the faults do nothing.');
  const { traceId } = degraded;
  return drawTrace({ traceId, spans: spans.filter((span) => span.traceId === traceId) });
}

function toPictured(span: z.infer<typeof Span>, resource: z.infer<typeof Attributes>) {
  const error = span.attributes['error.type'];
  return {
    ...span,
    service: resource['service.name'] ?? '',
    startMs: span.startTimeUnixNano / 1e6,
    endMs: span.endTimeUnixNano / 1e6,
    ...(error !== undefined && { error }),
  };
}
