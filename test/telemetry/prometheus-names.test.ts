import { ValueType } from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { emptyResource } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import { withPrometheusNames } from '../../src/telemetry/prometheus-names.ts';

const kinds = {
  counter: { dataPointType: DataPointType.SUM, isMonotonic: true },
  gauge: { dataPointType: DataPointType.GAUGE },
  sum: { dataPointType: DataPointType.SUM, isMonotonic: false },
} as const;

function written(name: string, unit: string, kind: keyof typeof kinds): string {
  const metric = {
    descriptor: { name, unit, description: '', valueType: ValueType.INT },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints: [{ attributes: {}, startTime: [0, 0], endTime: [1, 0], value: 1 }],
    ...kinds[kind],
  } as const;
  const scopeMetrics = [{ scope: { name: 'test' }, metrics: [metric] }];
  // The SDK's types want lists that can be changed; nothing here changes them.
  const resourceMetrics = { resource: emptyResource(), scopeMetrics } as unknown as Parameters<
    typeof withPrometheusNames
  >[0];
  const text = new PrometheusSerializer('', false, undefined, true, true).serialize(
    withPrometheusNames(resourceMetrics, DataPointType.GAUGE),
  );
  return /^\w+(?= 1$)/m.exec(text)?.[0] ?? text;
}

// Expected by the rules of Prometheus's otlptranslator, which the collector's exporter uses.
it.each([
  ['http.server.request.duration', 's', 'gauge', 'http_server_request_duration_seconds'],
  ['process.memory.usage', 'By', 'gauge', 'process_memory_usage_bytes'],
  ['nodejs.eventloop.utilization', '1', 'gauge', 'nodejs_eventloop_utilization_ratio'],
  ['cache.hit.ratio', '1', 'gauge', 'cache_hit_ratio'],
  ['plait.share', '1', 'counter', 'plait_share_total'],
  ['plait.loads', '{call}', 'counter', 'plait_loads_total'],
  ['http.server.active_requests', '{request}', 'sum', 'http_server_active_requests'],
  ['time.in.seconds', 's', 'counter', 'time_in_seconds_total'],
  ['plait.breaker.state', '', 'gauge', 'plait_breaker_state'],
] as const)('%s in "%s" as a %s is %s', (name, unit, kind, expected) => {
  expect(written(name, unit, kind)).toBe(expected);
});
