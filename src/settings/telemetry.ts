/** The variables of telemetry: ours, and those of OpenTelemetry that Plait reads as well. */
import { z } from 'zod';
import { longestTimerMs } from '../clock.ts';
import type { Environment } from '../environment.ts';
import { otlpProtocols, samplerRoots } from '../telemetry/settings.ts';
import type { MetricsExport, SamplerSettings, SdkSettings } from '../telemetry/settings.ts';
import { parseHttpUrl } from '../url.ts';
import { isNot, listOf, oneOf, share, soundsSecret, wholeNumber } from './kinds.ts';
import { loopback, parseNetwork } from '../network.ts';
import type { Network } from '../network.ts';

const samplers = samplerRoots.flatMap((root) => [root, `parentbased_${root}`] as const);
const protocol = oneOf(otlpProtocols);
const endpoint = z
  .string()
  .refine(
    (text) => parseHttpUrl(text) !== undefined,
    isNot('Use an http or https URL, as in http://127.0.0.1:4318.'),
  );

export const telemetryVariables = z.object({
  SERVER_TIMING: oneOf(['on', 'off']).optional(),
  TRUSTED_PEERS: listOf(
    parseNetwork,
    'Use addresses and networks separated by commas, as in 10.0.0.0/8, ::1.',
    { skipBlank: true },
  ).default([]),
  TRACE_QUERY: listOf(
    (name) => (/^[\w.[\]~-]+$/.test(name) && !soundsSecret(name) ? name : undefined),
    'Use names of query parameters whose values are no secrets, separated by commas, ' +
      'as in limit, page.',
  ).default([]),
  /** Case does not matter, and any other value is `false` (OpenTelemetry's own rule). */
  OTEL_SDK_DISABLED: z.string().optional(),
  /** Only `none` matters here; the SDK knows the other exporters. */
  OTEL_TRACES_EXPORTER: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.optional(),
  OTEL_TRACES_SAMPLER: oneOf(samplers).optional(),
  OTEL_TRACES_SAMPLER_ARG: share({ zero: true, example: 0.1 }).default(0.1),
  OTEL_METRICS_EXPORTER: oneOf(
    ['otlp', 'none'],
    '; Prometheus reads /metrics on the management side',
  ).default('none'),
  OTEL_METRIC_EXPORT_INTERVAL: wholeNumber(1, longestTimerMs, 'milliseconds').default(60_000),
  OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: protocol.optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol.optional(),
});

type Variables = z.output<typeof telemetryVariables>;

/** Leaves out variables of OpenTelemetry that are not used: they may be meant for others. */
export function withoutUnread(environment: Environment): Environment {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_SAMPLER: sampler } = environment;
  const unread = (name: string): boolean =>
    (name.startsWith('OTEL_') && name !== 'OTEL_SDK_DISABLED' && isDisabled(disabled)) ||
    (name === 'OTEL_TRACES_SAMPLER_ARG' && sampler?.endsWith('traceidratio') === false);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !unread(name)));
}

function isDisabled(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true';
}

/** The peers whose traces continue. Of X-Forwarded-For, this machine is not believed. */
export function continuedPeers(
  { TRUSTED_PEERS: peers }: Variables,
  mode: 'development' | 'production',
): readonly Network[] {
  return mode === 'production' ? peers : [...peers, ...loopback];
}

/** Settings for OpenTelemetry; `undefined` when it is switched off. */
export function toSdkSettings(
  variables: Variables,
  mode: 'development' | 'production',
): SdkSettings | undefined {
  if (isDisabled(variables.OTEL_SDK_DISABLED)) return undefined;
  const collector = collectorIn(variables);
  const unsent = mode === 'production' ? 'none' : 'kept';
  return {
    traces: collector === undefined ? unsent : 'sent',
    collector,
    sampler: samplerIn(variables, mode),
    metricsExport: metricsExportIn(variables),
  };
}

/** The collector's origin, without credentials; `undefined` when traces are not sent. */
function collectorIn(variables: Variables): string | undefined {
  if (variables.OTEL_TRACES_EXPORTER === 'none') return undefined;
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_EXPORTER_OTLP_ENDPOINT: common } =
    variables;
  return parseHttpUrl(own ?? common ?? '')?.origin;
}

/** By default everything is recorded in development, and a tenth in production. */
function samplerIn(variables: Variables, mode: 'development' | 'production'): SamplerSettings {
  const preferred = mode === 'production' ? 'parentbased_traceidratio' : 'parentbased_always_on';
  const { OTEL_TRACES_SAMPLER: name = preferred, OTEL_TRACES_SAMPLER_ARG: ratio } = variables;
  const root = samplerRoots.find((one) => name.endsWith(one)) ?? 'always_on';
  return { root, parentBased: name.startsWith('parentbased_'), ratio };
}

/** A collector that takes traces need not take metrics: they are asked for by name. */
function metricsExportIn(variables: Variables): MetricsExport | undefined {
  if (variables.OTEL_METRICS_EXPORTER === 'none') return undefined;
  return {
    protocol:
      variables.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL ??
      variables.OTEL_EXPORTER_OTLP_PROTOCOL ??
      'http/protobuf',
    intervalMs: variables.OTEL_METRIC_EXPORT_INTERVAL,
  };
}
