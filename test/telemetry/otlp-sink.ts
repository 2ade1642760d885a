/** A collector that keeps what it is sent: OTLP over HTTP, as JSON. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

const attribute = z.object({
  key: z.string(),
  value: z.record(z.string(), z.unknown()),
});

const exported = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attribute) }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              kind: z.number(),
              startTimeUnixNano: z.coerce.bigint(),
              endTimeUnixNano: z.coerce.bigint(),
              attributes: z.array(attribute).default([]),
              links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
              status: z.object({ code: z.number().default(0), message: z.string().optional() }),
            }),
          ),
        }),
      ),
    }),
  ),
});

type Exported = z.output<
  typeof exported
>['resourceSpans'][number]['scopeSpans'][number]['spans'][number];

export interface SinkSpan extends Omit<Exported, 'attributes'> {
  readonly service: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Sink {
  readonly url: string;
  readonly spans: readonly SinkSpan[];
  /** Everything received, as text. */
  readonly received: () => string;
  /** Resolves when `count` spans are there. */
  waitFor(count: number): Promise<readonly SinkSpan[]>;
}

export async function startSink(): Promise<Sink> {
  const spans: SinkSpan[] = [];
  let received = '';
  let onSpans: (() => void) | undefined;
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      received += JSON.stringify(body);
      spans.push(...readSpans(body));
      response.setHeader('content-type', 'application/json').end('{}');
      return onSpans?.();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    received: () => received,
    waitFor: (count) =>
      new Promise((resolve) => {
        const check = (): void => void (spans.length >= count && resolve(spans));
        onSpans = check;
        check();
      }),
  };
}

function readSpans(body: unknown): SinkSpan[] {
  return exported.parse(body).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(readAttributes(resource.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({ ...span, service, attributes: readAttributes(span.attributes) })),
    );
  });
}

function readAttributes(
  attributes: readonly z.output<typeof attribute>[],
): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
