/** The door to the OpenTelemetry SDK, which is configured by the standard `OTEL_*` variables. */
import type { Clock } from '../clock.ts';
import type { Environment } from '../upstream/endpoint.ts';
import { unobserved } from './telemetry.ts';
import type { Telemetry } from './telemetry.ts';

export interface SdkOptions {
  readonly mode: 'development' | 'production';
  readonly environment: Environment;
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
}

/** The SDK waits for a dead collector for many seconds; a process that stops does not. */
const longestShutdownMs = 3_000;

/** Where traces go; `undefined` when telemetry is off. */
export function collectorOf(environment: Environment): string | undefined {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined;
  const endpoint =
    environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return endpoint === '' ? undefined : endpoint;
}

/**
 * Telemetry as the environment wants it. The SDK takes half a second and much memory to import, so it
 * is imported only where an endpoint for traces is set.
 */
export async function startTelemetry(options: SdkOptions): Promise<Telemetry> {
  if (collectorOf(options.environment) === undefined) return unobserved;
  setDefaults(options.mode);
  const [{ NodeSDK }, { metrics, trace }, { createTracing }, { createMetrics }] = await Promise.all(
    [
      import('@opentelemetry/sdk-node'),
      import('@opentelemetry/api'),
      import('./tracing.ts'),
      import('./metrics.ts'),
    ],
  );
  // Nothing is instrumented by patching, and logs do not go this way.
  const sdk = new NodeSDK({ instrumentations: [], logRecordProcessors: [] });
  sdk.start();
  const tracing = createTracing(trace.getTracer('plait'), options.clock);
  const counting = createMetrics(metrics.getMeter('plait'));
  return {
    ...tracing,
    aroundLoad: counting.aroundLoad,
    aroundCall: (next) => tracing.aroundCall(counting.aroundCall(next)),
    shutdown: () => shutdown(sdk, options),
  };
}

/** Defaults for variables that are not set; the SDK reads them from the process. */
function setDefaults(mode: SdkOptions['mode']): void {
  process.env['OTEL_SERVICE_NAME'] ??= 'plait';
  // Not parent-based: whether a client's trace is recorded is not the client's decision.
  process.env['OTEL_TRACES_SAMPLER'] ??= mode === 'production' ? 'traceidratio' : 'always_on';
  process.env['OTEL_TRACES_SAMPLER_ARG'] ??= '0.1';
  // A collector that takes traces need not take metrics: they are asked for by name.
  process.env['OTEL_METRICS_EXPORTER'] ??= 'none';
  // Not the process: its command line may hold what does not belong into a trace.
  process.env['OTEL_NODE_RESOURCE_DETECTORS'] ??= 'env,host,serviceinstance';
}

async function shutdown(
  sdk: { shutdown(): Promise<void> },
  { clock, onWarning }: SdkOptions,
): Promise<void> {
  const handedOver = sdk.shutdown().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const problem = await within(handedOver, clock);
  if (problem !== undefined) onWarning(`The last traces could not be handed over: ${problem}`);
}

function within(result: Promise<string | undefined>, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const cancelTimer = clock.after(longestShutdownMs, () =>
      resolve(`not within ${longestShutdownMs} ms`),
    );
    void result.then(resolve).finally(cancelTimer);
  });
}
