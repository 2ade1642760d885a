/**
 * Names of metrics in Prometheus, equal to those that the collector's exporter makes of OTLP: the
 * unit is the end of the name (OpenTelemetry's "Prometheus and OpenMetrics compatibility").
 */
import type { DataPointType, MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';

/** The units that metrics here are in. UCUM's annotations, as `{request}`, have no word. */
const words = new Map([
  ['s', 'seconds'],
  ['By', 'bytes'],
]);

/**
 * Gives metrics the names of Prometheus; its serializer adds `_total`. `gauge` is the SDK's type of
 * points that are gauges. The unit is in the name only: `# UNIT` is a line of OpenMetrics, which
 * neither this text format nor the collector's exporter has.
 */
export function withPrometheusNames(
  resourceMetrics: ResourceMetrics,
  gauge: DataPointType,
): ResourceMetrics {
  const scopeMetrics = resourceMetrics.scopeMetrics.map(({ scope, metrics }) => ({
    scope,
    metrics: metrics.map((metric) => renamed(metric, metric.dataPointType === gauge)),
  }));
  return { ...resourceMetrics, scopeMetrics };
}

function renamed(metric: MetricData, isGauge: boolean): MetricData {
  const { descriptor } = metric;
  const name = withSuffix(descriptor.name, wordFor(descriptor.unit, isGauge));
  return { ...metric, descriptor: { ...descriptor, name, unit: '' } };
}

/** The word at the end of the name; a number without a unit is called a ratio if it is a gauge. */
function wordFor(unit: string, isGauge: boolean): string | undefined {
  if (unit === '1') return isGauge ? 'ratio' : undefined;
  return words.get(unit);
}

/** A word that the name has already is not added. */
function withSuffix(name: string, word: string | undefined): string {
  return word === undefined || name.split(/[^a-z0-9]+/i).includes(word) ? name : `${name}.${word}`;
}
