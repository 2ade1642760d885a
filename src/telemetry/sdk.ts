/** The door to the OpenTelemetry SDK for traces, and what the standard `OTEL_*` variables ask for. */
import type { TracerProvider } from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import { ConfigurationError } from '../errors.ts';
import type { Environment } from '../environment.ts';
import { serverTiming } from './server-timing.ts';
import { combine, propagation } from './telemetry.ts';
import type { Observer, Telemetry } from './telemetry.ts';
import { createTrust } from './trust.ts';

export interface SdkOptions {
  readonly mode: 'development' | 'production';
  readonly environment: Environment;
  readonly clock: Clock;
  /** Whether responses say how long each step took. */
  readonly serverTiming: boolean;
  readonly onWarning: (message: string) => void;
}

/** The SDK waits for a dead collector for many seconds; a process that stops does not. */
const longestShutdownMs = 3_000;

/** A collector that is gone is gone for every batch of spans: it is said once in this time. */
const quietMs = 60_000;

/**
 * Where traces go; `undefined` when they have nowhere to go.
 *
 * @throws ConfigurationError when the address cannot be used.
 */
export function collectorOf(environment: Environment): string | undefined {
  if (isDisabled(environment) || environment['OTEL_TRACES_EXPORTER'] === 'none') return undefined;
  const names = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
  const name = names.find((one) => Boolean(environment[one]));
  if (name === undefined) return undefined;
  const endpoint = environment[name] ?? '';
  if (/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) return endpoint;
  // What is written there is not repeated: it may hold a password.
  throw new ConfigurationError(
    `${name} is not an http or https address. Write one as in http://127.0.0.1:4318.`,
  );
}

function isDisabled(environment: Environment): boolean {
  return environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true';
}

/**
 * Telemetry as the environment wants it. Metrics are kept in any case, traces sent to a collector where
 * one is named, and kept for `plait trace` in development where none is. What is not used is not imported.
 *
 * @throws ConfigurationError when a variable cannot be used.
 */
export async function startTelemetry(options: SdkOptions): Promise<Telemetry> {
  const timing = options.serverTiming ? [serverTiming(options.clock)] : [];
  const isTrusted = createTrust(options.environment['TRUSTED_PEERS']);
  if (isDisabled(options.environment)) return combine([propagation(isTrusted), ...timing]);
  const { diag, DiagLogLevel } = await import('@opentelemetry/api');
  const complain = atMostOnceIn(quietMs, options);
  diag.setLogger(
    { error: complain, warn: complain, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  return combine([await startTraces(options, isTrusted), await startMetrics(options), ...timing]);
}

async function startMetrics(options: SdkOptions): Promise<Observer> {
  setServiceName();
  const [{ createMetering }, { createMetrics }] = await Promise.all([
    import('./metrics-provider.ts'),
    import('./metrics.ts'),
  ]);
  const { provider, text } = await createMetering(options.environment);
  return {
    ...createMetrics(provider.getMeter('plait'), options.clock),
    metrics: text,
    shutdown: () => shutdown('metrics', provider, options),
  };
}

async function startTraces(
  options: SdkOptions,
  isTrusted: (peer: string) => boolean,
): Promise<Observer> {
  const isSent = collectorOf(options.environment) !== undefined;
  if (!isSent && options.mode === 'production') return propagation(isTrusted);
  const { createTracing } = await import('./tracing.ts');
  const recorder = await (isSent ? startSending(options) : startKeeping(options));
  const tracer = recorder.provider.getTracer('plait');
  return { ...createTracing({ tracer, clock: options.clock, isTrusted }), ...recorder.observer };
}

interface Recorder {
  readonly provider: TracerProvider;
  readonly observer: Observer;
}

/** To the collector, by the SDK's own reading of `OTEL_*`. It takes long and much memory to import. */
async function startSending(options: SdkOptions): Promise<Recorder> {
  setServiceName();
  // Not the process: its command line may hold what does not belong into a trace.
  process.env['OTEL_NODE_RESOURCE_DETECTORS'] ||= 'env,host,serviceinstance';
  const [{ NodeSDK }, { trace }, sampler] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/api'),
    samplerFor(options),
  ]);
  // Nothing is instrumented by patching; metrics have a provider of their own, and logs do not go this way.
  const sdk = new NodeSDK({
    sampler,
    instrumentations: [],
    logRecordProcessors: [],
    metricReaders: [],
  });
  sdk.start();
  return {
    provider: trace.getTracerProvider(),
    observer: { shutdown: () => shutdown('traces', sdk, options) },
  };
}

/** In this process. */
async function startKeeping(options: SdkOptions): Promise<Recorder> {
  const [{ TracerProvider: Provider }, { createTraceStore }, sampler] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('./trace-store.ts'),
    samplerFor(options),
  ]);
  const { processor, ...traces } = createTraceStore();
  const provider = new Provider({ sampler, spanProcessors: [processor] });
  return { provider, observer: { traces } };
}

async function samplerFor({ environment, mode }: SdkOptions) {
  const [{ createSampler }, { RandomIdGenerator }] = await Promise.all([
    import('./sampler.ts'),
    import('@opentelemetry/sdk-trace'),
  ]);
  const ids = new RandomIdGenerator();
  return createSampler(environment, mode, () => ids.generateTraceId());
}

/** The SDK reads it from the process. */
function setServiceName(): void {
  process.env['OTEL_SERVICE_NAME'] ||= 'plait';
}

function silent(): void {}

function atMostOnceIn(
  periodMs: number,
  { clock, onWarning }: SdkOptions,
): (message: string) => void {
  let saidAt = -Infinity;
  return (message) => {
    if (clock.now() - saidAt < periodMs) return;
    saidAt = clock.now();
    onWarning(`Telemetry: ${message}`);
  };
}

async function shutdown(
  what: string,
  provider: { shutdown(): Promise<void> },
  { clock, onWarning }: SdkOptions,
): Promise<void> {
  const handedOver = provider.shutdown().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const problem = await within(handedOver, clock);
  if (problem !== undefined) onWarning(`The last ${what} could not be handed over: ${problem}`);
}

function within(result: Promise<string | undefined>, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const cancelTimer = clock.after(longestShutdownMs, () =>
      resolve(`not within ${longestShutdownMs} ms`),
    );
    void result.then(resolve).finally(cancelTimer);
  });
}
