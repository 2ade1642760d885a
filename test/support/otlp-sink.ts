/** A collector that keeps everything: OTLP over HTTP as protobuf, the SDK's default. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import protobuf from 'protobufjs';
import { expect, onTestFinished, vi } from 'vitest';
import { z } from 'zod';

export interface SinkSpan {
  /** `service.name` of the resource. */
  readonly service: string;
  /** All attributes of the resource. */
  readonly resource: Attributes;
  /** The name of the tracer. */
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it has none. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly attributes: Attributes;
  readonly events: readonly {
    readonly name: string;
    readonly timeUnixNano: bigint;
    readonly attributes: Attributes;
  }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: string; readonly message: string };
}

/** One data point. Of a histogram: the sum and how many were measured. */
export interface SinkPoint {
  readonly service: string;
  readonly name: string;
  readonly unit: string;
  /** `sum`: one that may fall. */
  readonly type: 'counter' | 'sum' | 'gauge' | 'histogram';
  readonly attributes: Attributes;
  readonly value: number;
  readonly count?: number;
}

export type Attributes = Readonly<Record<string, unknown>>;

export interface Sink {
  readonly url: string;
  readonly spans: readonly SinkSpan[];
  readonly points: readonly SinkPoint[];
  /** Everything received: the bytes as latin1, and what they mean as text. */
  readonly received: () => string;
  /** Resolves when `count` spans are there. */
  waitFor(count: number): Promise<readonly SinkSpan[]>;
  close(): void;
}

/** Stops by itself when the test is over. */
export async function startSink(): Promise<Sink> {
  const sink = await openSink();
  onTestFinished(() => sink.close());
  return sink;
}

/** One for several tests. */
export async function openSink(): Promise<Sink> {
  const spans: SinkSpan[] = [];
  const points: SinkPoint[] = [];
  const received: string[] = [];
  const routes: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
    'POST /v1/traces'(bytes) {
      const content = decode('ExportTraceServiceRequest', bytes);
      spans.push(...readSpans(content));
      return content;
    },
    'POST /v1/metrics'(bytes) {
      const content = decode('ExportMetricsServiceRequest', bytes);
      points.push(...readPoints(content));
      return content;
    },
  };
  const server = createServer((request, response) => void take(request, response));

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await buffer(request);
    received.push(bytes.toString('latin1'));
    const read = routes[`${request.method} ${request.url}`];
    const isProtobuf = request.headers['content-type'] === 'application/x-protobuf';
    if (read === undefined || !isProtobuf) return void response.writeHead(415).end();
    received.push(JSON.stringify(read(bytes)));
    // An empty message: all was accepted.
    response.setHeader('content-type', 'application/x-protobuf').end();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on TCP
    spans,
    points,
    received: () => received.join('\n'),
    waitFor: (count) =>
      vi.waitFor(() => {
        expect(spans.length, 'spans received').toBeGreaterThanOrEqual(count);
        return spans;
      }),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const messages = protobuf.loadSync(join(import.meta.dirname, 'otlp.proto'));

/** Names in camel case; bytes as base64, and whole numbers of 64 bits as text. */
function decode(message: string, bytes: Buffer): unknown {
  const type = messages.lookupType(`otlp.${message}`);
  const form = { arrays: true, defaults: true, enums: String, longs: String, bytes: String };
  return type.toObject(type.decode(bytes), form);
}

const id = z.base64().transform((text) => Buffer.from(text, 'base64').toString('hex'));

const scalar = z.union([
  z.strictObject({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.strictObject({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
  z.strictObject({ intValue: z.coerce.number() }).transform(({ intValue }) => intValue),
  z.strictObject({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
]);
const list = z
  .strictObject({ arrayValue: z.object({ values: z.array(scalar) }) })
  .transform(({ arrayValue }) => arrayValue.values);

const attributes = z
  .array(z.object({ key: z.string(), value: z.union([scalar, list]) }))
  .transform((all): Attributes => Object.fromEntries(all.map(({ key, value }) => [key, value])));

const resource = z.object({ attributes });
const link = z.object({ traceId: id, spanId: id });

const Traces = z.object({
  resourceSpans: z.array(
    z.object({
      resource,
      scopeSpans: z.array(
        z.object({
          scope: z.object({ name: z.string() }),
          spans: z.array(
            z.object({
              ...link.shape,
              parentSpanId: id,
              name: z.string(),
              kind: z.string(),
              startTimeUnixNano: z.coerce.bigint(),
              endTimeUnixNano: z.coerce.bigint(),
              attributes,
              events: z.array(
                z.object({ name: z.string(), timeUnixNano: z.coerce.bigint(), attributes }),
              ),
              links: z.array(link),
              status: z.object({ code: z.string(), message: z.string() }),
            }),
          ),
        }),
      ),
    }),
  ),
});

function readSpans(content: unknown): SinkSpan[] {
  return Traces.parse(content).resourceSpans.flatMap(
    ({ resource: { attributes: own }, scopeSpans }) =>
      scopeSpans.flatMap(({ scope, spans }) =>
        spans.map((span) => ({
          ...span,
          service: String(own['service.name']),
          resource: own,
          scope: scope.name,
        })),
      ),
  );
}

const point = z.object({
  attributes,
  asDouble: z.number().optional(),
  asInt: z.coerce.number().optional(),
  sum: z.number().optional(),
  count: z.coerce.number().optional(),
});
const series = z
  .object({ dataPoints: z.array(point), isMonotonic: z.boolean().optional() })
  .optional();

const Metrics = z.object({
  resourceMetrics: z.array(
    z.object({
      resource,
      scopeMetrics: z.array(
        z.object({
          metrics: z.array(
            z.object({
              name: z.string(),
              unit: z.string(),
              gauge: series,
              sum: series,
              histogram: series,
            }),
          ),
        }),
      ),
    }),
  ),
});

function readPoints(content: unknown): SinkPoint[] {
  return Metrics.parse(content).resourceMetrics.flatMap(
    ({ resource: { attributes: own }, scopeMetrics }) =>
      scopeMetrics
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ name, unit, gauge, sum, histogram }) =>
          [gauge, sum, histogram]
            .flatMap((data) => data?.dataPoints ?? [])
            .map(({ attributes: labels, count, ...numbers }) => ({
              service: String(own['service.name']),
              name,
              unit,
              type: gauge
                ? 'gauge'
                : histogram
                  ? 'histogram'
                  : sum?.isMonotonic
                    ? 'counter'
                    : 'sum',
              attributes: labels,
              value: numbers.asDouble ?? numbers.asInt ?? numbers.sum ?? 0,
              ...(count !== undefined && { count }),
            })),
        ),
  );
}
