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
import type { MetricsExport, OtlpProtocol } from './settings.ts';

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

/** Metrics can be read in any case; with `sent` they go to a collector, too. */
export async function createMetering(sent: MetricsExport | undefined): Promise<Metering> {
  const pull = new PullReader();
  const readers = sent === undefined ? [pull] : [pull, await periodicExport(sent)];
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

async function periodicExport({ protocol, intervalMs }: MetricsExport): Promise<IMetricReader> {
  const exporter = await createExporter(protocol);
  return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: intervalMs });
}

/** Where to, with which headers and in which time, the exporters read from `OTEL_*` themselves. */
async function createExporter(protocol: OtlpProtocol) {
  switch (protocol) {
    case 'http/protobuf':
      return new (await import('@opentelemetry/exporter-metrics-otlp-proto')).OTLPMetricExporter();
    case 'http/json':
      return new (await import('@opentelemetry/exporter-metrics-otlp-http')).OTLPMetricExporter();
    case 'grpc':
      return new (await import('@opentelemetry/exporter-metrics-otlp-grpc')).OTLPMetricExporter();
    default:
      return protocol satisfies never;
  }
}
