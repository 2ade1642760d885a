/** The settings of telemetry. */
import type { Network } from '../network.ts';

export interface TelemetrySettings {
  /** Whether responses carry `Server-Timing`. */
  readonly serverTiming: boolean;
  /** Peers whose traces are continued; in development, those on this machine are among them. */
  readonly trustedPeers: readonly Network[];
  /** The query parameters that spans may have. */
  readonly query: readonly string[];
  /** Absent: no traces and no metrics, and nothing of OpenTelemetry is imported. */
  readonly sdk?: SdkSettings | undefined;
}

export interface SdkSettings {
  /** Sent to a collector, kept in this process for `plait trace`, or not recorded at all. */
  readonly traces: 'sent' | 'kept' | 'none';
  /** The collector's origin, for messages: the SDK reads the variables itself. */
  readonly collector?: string | undefined;
  readonly sampler: SamplerSettings;
  /** Absent: metrics are read from the management side only. */
  readonly metricsExport?: MetricsExport | undefined;
}

/** `OTEL_TRACES_SAMPLER`, as OpenTelemetry defines it. */
export interface SamplerSettings {
  readonly root: SamplerRoot;
  /** Whether a parent's decision is followed where there is a parent. */
  readonly parentBased: boolean;
  /** For `traceidratio`: the share of requests that is recorded, from 0 to 1. */
  readonly ratio: number;
}

export const samplerRoots = ['always_on', 'always_off', 'traceidratio'] as const;
export type SamplerRoot = (typeof samplerRoots)[number];

export interface MetricsExport {
  readonly protocol: OtlpProtocol;
  readonly intervalMs: number;
}

export const otlpProtocols = ['http/protobuf', 'http/json', 'grpc'] as const;
export type OtlpProtocol = (typeof otlpProtocols)[number];
