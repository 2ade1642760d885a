/** Makes each mock service an OpenTelemetry service of its own, so that traces cross processes. */
import type { IncomingHttpHeaders } from 'node:http';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, defaultTextMapGetter } from '@opentelemetry/api';
import type { Attributes, Span } from '@opentelemetry/api';
import type { SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { toUrl } from './exchange.ts';
import type { FindRoute } from './routes.ts';

const scheduleDelayMs = 500;
const shutdownLimitMs = 1_000;

export interface Tracing {
  start(request: TracedRequest): RequestSpan;
  /** Exports the last spans; gives up after a second when the collector does not answer. */
  shutdown(): Promise<void>;
}

export interface TracedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface RequestSpan {
  /** Only the first call counts. No status means that the client got no complete answer. */
  end(status?: number): void;
}

export interface TracedService {
  readonly name: string;
  readonly findRoute: FindRoute;
}

export type StartTracing = (service: TracedService) => Promise<Tracing>;

/** Follows the standard OTEL_* variables. Without an endpoint the SDK is not even loaded. */
export const startTracing: StartTracing = async (service) =>
  isEnabled() ? createTracing(service, await createExporter()) : noTracing;

export const noTracing: Tracing = {
  start: () => ({ end() {} }),
  shutdown: () => Promise.resolve(),
};

export async function createTracing(
  service: TracedService,
  exporter: SpanExporter,
): Promise<Tracing> {
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  const provider = await createProvider(service.name, exporter);
  const tracer = provider.getTracer('plait-mocks');
  const propagator = new W3CTraceContextPropagator();
  return {
    start(request) {
      const url = toUrl(request.target);
      const route = service.findRoute(request.method, url);
      const parent = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
      const span = tracer.startSpan(
        route === undefined ? request.method : `${request.method} ${route}`,
        {
          kind: SpanKind.SERVER,
          startTime: now(),
          attributes: toAttributes(request.method, url, route),
        },
        parent,
      );
      return toRequestSpan(span);
    },
    shutdown: () => within(shutdownLimitMs, provider.shutdown()),
  };
}

async function createProvider(name: string, exporter: SpanExporter): Promise<TracerProvider> {
  const sdk = await import('@opentelemetry/sdk-trace');
  const { defaultResource, resourceFromAttributes } = await import('@opentelemetry/resources');
  const scheduledDelayMillis = Number(read('OTEL_BSP_SCHEDULE_DELAY') ?? scheduleDelayMs);
  return new sdk.TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': name })),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.AlwaysOnSampler() }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, scheduledDelayMillis })],
  });
}

function toAttributes(method: string, url: URL, route: string | undefined): Attributes {
  return {
    'http.request.method': method,
    'url.scheme': 'http',
    'url.path': url.pathname,
    ...(url.search !== '' && { 'url.query': url.search.slice(1) }),
    ...(route !== undefined && { 'http.route': route }),
  };
}

function toRequestSpan(span: Span): RequestSpan {
  return {
    end(status) {
      if (!span.isRecording()) return;
      if (status !== undefined) span.setAttribute('http.response.status_code', status);
      if (status === undefined || status >= 500)
        markFailed(span, String(status ?? 'connection_closed'));
      span.end(now());
    },
  };
}

function markFailed(span: Span, errorType: string): void {
  span.setAttribute('error.type', errorType);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function isEnabled(): boolean {
  const endpoint =
    read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? read('OTEL_EXPORTER_OTLP_ENDPOINT');
  return endpoint !== undefined && read('OTEL_SDK_DISABLED')?.toLowerCase() !== 'true';
}

/** The exporters read the endpoint, headers and timeout from the environment themselves. */
async function createExporter(): Promise<SpanExporter> {
  const protocol =
    read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ??
    read('OTEL_EXPORTER_OTLP_PROTOCOL') ??
    'http/protobuf';
  switch (protocol) {
    case 'http/json':
      return new (await import('@opentelemetry/exporter-trace-otlp-http')).OTLPTraceExporter();
    case 'http/protobuf':
      return new (await import('@opentelemetry/exporter-trace-otlp-proto')).OTLPTraceExporter();
    default:
      throw new Error(
        `OTEL_EXPORTER_OTLP_PROTOCOL is "${protocol}". The mocks speak http/protobuf and http/json.`,
      );
  }
}

/** An empty variable counts as unset, as the OpenTelemetry specification says. */
function read(name: string): string | undefined {
  return process.env[name]?.trim() || undefined;
}

/**
 * Epoch milliseconds with their fraction. The SDK's own clock has whole ones: spans would not nest.
 */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Waits for a shutdown, but not for long: a collector that is down must not hold up the exit. */
async function within(limitMs: number, work: Promise<void>): Promise<void> {
  const { promise: limit, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([work.catch(() => {}), limit]);
  clearTimeout(timer);
}
