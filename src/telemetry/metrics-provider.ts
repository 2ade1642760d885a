/** The door to the SDK's metrics: kept in this process, read as Prometheus text, and sent where OTLP is asked for. */
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  detectResources,
  envDetector,
  hostDetector,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import {
  MeterProvider,
  MetricReader,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { ConfigurationError } from '../errors.ts';
import type { Environment } from '../environment.ts';

/** Read when somebody asks. */
class PullReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export interface Metering {
  readonly provider: MeterProvider;
  /** Everything in the Prometheus text format. */
  text(): Promise<string>;
}

/** @throws ConfigurationError when `OTEL_METRICS_EXPORTER` names something else than `otlp` or `none`. */
export async function createMetering(environment: Environment): Promise<Metering> {
  const pull = new PullReader();
  const readers = [pull, ...(await exporters(environment))];
  const resource = detectResources({
    detectors: [envDetector, hostDetector, serviceInstanceIdDetector],
  });
  await resource.waitForAsyncAttributes?.();
  const provider = new MeterProvider({ resource, readers });
  const serializer = new PrometheusSerializer();
  return {
    provider,
    async text() {
      const { resourceMetrics } = await pull.collect();
      return serializer.serialize(resourceMetrics);
    },
  };
}

/** A collector that takes traces need not take metrics: they are asked for by name. */
async function exporters(environment: Environment): Promise<IMetricReader[]> {
  const name = environment['OTEL_METRICS_EXPORTER'] || 'none';
  if (name === 'none') return [];
  if (name !== 'otlp') {
    throw new ConfigurationError(
      `OTEL_METRICS_EXPORTER is ${JSON.stringify(name)}. Use otlp or none; Prometheus reads /metrics on the management side.`,
    );
  }
  const exporter = await createExporter(environment);
  const exportIntervalMillis = intervalOf(environment);
  return [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis })];
}

function intervalOf(environment: Environment): number {
  const text = environment['OTEL_METRIC_EXPORT_INTERVAL'] || '60000';
  const interval = Number(text);
  if (Number.isSafeInteger(interval) && interval >= 1) return interval;
  throw new ConfigurationError(
    `OTEL_METRIC_EXPORT_INTERVAL is ${JSON.stringify(text)}. Use a whole number of milliseconds, as in 60000.`,
  );
}

async function createExporter(environment: Environment) {
  const protocol =
    environment['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL'] ||
    environment['OTEL_EXPORTER_OTLP_PROTOCOL'] ||
    'http/protobuf';
  switch (protocol) {
    case 'http/protobuf':
      return new (await import('@opentelemetry/exporter-metrics-otlp-proto')).OTLPMetricExporter();
    case 'http/json':
      return new (await import('@opentelemetry/exporter-metrics-otlp-http')).OTLPMetricExporter();
    case 'grpc':
      return new (await import('@opentelemetry/exporter-metrics-otlp-grpc')).OTLPMetricExporter();
    default:
      throw new ConfigurationError(
        `OTEL_EXPORTER_OTLP_PROTOCOL is ${JSON.stringify(protocol)}. Use http/protobuf, http/json or grpc.`,
      );
  }
}
