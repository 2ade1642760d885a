/**
 * The door to the SDK's metrics: read as Prometheus text, and exported where OTLP is configured.
 */
import { ValueType } from '@opentelemetry/api';
import type { Meter } from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  detectResources,
  emptyResource,
  envDetector,
  hostDetector,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  InstrumentType,
  MeterProvider,
  MetricReader,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type {
  HistogramMetricData,
  IMetricReader,
  MetricProducer,
  PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { createHistograms } from './histograms.ts';
import type { HistogramData, Histograms } from './histograms.ts';
import { withPrometheusNames } from './prometheus-names.ts';
import type { MetricsExport, OtlpProtocol } from './settings.ts';

/** Reads metrics on demand only. */
class PullReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const scope = { name: 'plait', version: '' };

export interface Metering {
  readonly provider: MeterProvider;
  /** Makes instruments that are not used by every request. */
  readonly meter: Meter;
  /** Makes the others; they are read together with those of the meter. */
  readonly histograms: Histograms;
  /** All metrics in the Prometheus text format. */
  text(): Promise<string>;
}

/** Makes metrics that can always be read, and with `sent` also go to a collector. */
export async function createMetering(sent: MetricsExport | undefined): Promise<Metering> {
  const histograms = createHistograms();
  const pull = new PullReader({ metricProducers: [producerOf(histograms)] });
  const readers = sent === undefined ? [pull] : [pull, await periodicExport(sent, histograms)];
  const resource = detectResources({
    detectors: [envDetector, hostDetector, serviceInstanceIdDetector],
  });
  await resource.waitForAsyncAttributes?.();
  const provider = new MeterProvider({ resource, readers });
  const serializer = new PrometheusSerializer();
  return {
    provider,
    meter: provider.getMeter(scope.name),
    histograms,
    async text() {
      const { resourceMetrics } = await pull.collect();
      return serializer.serialize(withPrometheusNames(resourceMetrics, DataPointType.GAUGE));
    },
  };
}

async function periodicExport(
  { protocol, intervalMs }: MetricsExport,
  histograms: Histograms,
): Promise<IMetricReader> {
  const exporter = await createExporter(protocol);
  return new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMs,
    metricProducers: [producerOf(histograms, exporter)],
  });
}

/**
 * Histograms as a source of metrics for one reader, with the temporality that its exporter asks
 * for.
 */
export function producerOf(
  histograms: Histograms,
  exporter?: Pick<PushMetricExporter, 'selectAggregationTemporality'>,
): MetricProducer {
  const temporality =
    exporter?.selectAggregationTemporality?.(InstrumentType.HISTOGRAM) ??
    AggregationTemporality.CUMULATIVE;
  const isDelta = temporality === AggregationTemporality.DELTA;
  const read = histograms.createReader(isDelta ? 'delta' : 'cumulative');
  return {
    async collect() {
      const metrics = read().map((data) => toMetricData(data, temporality));
      const scopeMetrics = metrics.length === 0 ? [] : [{ scope, metrics }];
      // The reader has a resource of its own, and ignores this one.
      return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
    },
  };
}

function toMetricData(
  { options, points }: HistogramData,
  aggregationTemporality: AggregationTemporality,
): HistogramMetricData {
  const { name, description, unit = '', boundaries } = options;
  return {
    descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality,
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: points.map(({ attributes, startTime, endTime, counts, ...value }) => ({
      attributes,
      startTime,
      endTime,
      value: { ...value, buckets: { boundaries: [...boundaries], counts } },
    })),
  };
}

/** Exporters read their address, headers and timeouts from `OTEL_*` themselves. */
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
