/** The door to the OpenTelemetry SDK for traces. */
import type { TracerProvider } from '@opentelemetry/api';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import type { Clock } from '../clock.ts';
import { isWithin } from '../network.ts';
import { toError } from '../errors.ts';
import { onceAMinute } from '../quiet.ts';
import type { RequestSampler } from './sampler.ts';
import { complaintOf } from './sdk-complaint.ts';
import { serverTiming } from './server-timing.ts';
import { combine, propagation } from './telemetry.ts';
import type { Observer, Telemetry } from './telemetry.ts';
import type { SamplerSettings, SdkSettings, TelemetrySettings } from './settings.ts';
import type { Trust } from './trace-context.ts';

export interface SdkOptions {
  readonly settings: TelemetrySettings;
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
}

/** The longest that a stopping process waits for a dead collector; the SDK waits much longer. */
const longestShutdownMs = 3_000;

/**
 * Starts the telemetry that the settings ask for. Metrics are recorded unless telemetry is off.
 * Traces are sent to a collector if there is one; otherwise, in development, they are kept for
 * `plait trace`. Packages that are not needed are not imported.
 */
export async function startTelemetry(options: SdkOptions): Promise<Telemetry> {
  const { settings, clock } = options;
  const { sdk } = settings;
  const timing = settings.serverTiming ? [serverTiming(clock)] : [];
  const trust = { isTrusted: isWithin(settings.trustedPeers), onForeign: adviser(options) };
  if (sdk === undefined) return combine([propagation(trust), ...timing]);
  const [{ diag, DiagLogLevel }, { setGlobalErrorHandler }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
  ]);
  const mayComplain = onceAMinute(clock);
  // A collector that is down fails every batch of spans.
  const complain = (...parts: readonly unknown[]): void => {
    if (mayComplain()) options.onWarning(`Telemetry: ${complaintOf(parts)}`);
  };
  diag.setLogger(
    { error: complain, warn: complain, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  // By default, errors are logged as JSON with their stacks.
  setGlobalErrorHandler(complain);
  return combine([
    await startTraces(sdk, options, trust),
    await startMetrics(sdk, options),
    ...timing,
  ]);
}

/** Says once how traces of peers in front are continued, since it looks as if they were lost. */
function adviser({ onWarning }: SdkOptions): (peer: string) => void {
  let isSaid = false;
  return function advise(peer) {
    if (isSaid) return;
    isSaid = true;
    onWarning(
      `A request from ${peer || 'an unknown address'} has a traceparent. Its trace is linked to ` +
        'and not continued, since that address is not in TRUSTED_PEERS. Name there the proxies ' +
        'and services whose traces go on here; those of other clients should stay as they are.',
    );
  };
}

async function startMetrics(sdk: SdkSettings, options: SdkOptions): Promise<Observer> {
  setServiceName();
  const [{ createMetering }, { createMetrics }] = await Promise.all([
    import('./metrics-provider.ts'),
    import('./metrics.ts'),
  ]);
  const { provider, text, ...instruments } = await createMetering(sdk.metricsExport);
  return {
    ...createMetrics(instruments, options.clock),
    metrics: text,
    shutdown: () => shutdown('metrics', provider, options),
  };
}

async function startTraces(
  { traces, sampler }: SdkSettings,
  options: SdkOptions,
  trust: Trust,
): Promise<Observer> {
  if (traces === 'none') return propagation(trust);
  const { createTracing } = await import('./tracing.ts');
  const recorder = await (traces === 'sent'
    ? startSending(sampler, options)
    : startKeeping(sampler));
  const { observer, provider, sampler: own, ids } = recorder;
  const tracer = provider.getTracer('plait');
  const { clock, settings } = options;
  const { query } = settings;
  const tracing = createTracing({ tracer, sampler: own, ids, clock, query, ...trust });
  return { ...tracing, ...observer };
}

interface Recorder {
  readonly provider: TracerProvider;
  readonly sampler: RequestSampler;
  readonly ids: IdGenerator;
  readonly observer: Observer;
}

/**
 * To the collector, by the SDK's own reading of `OTEL_*`. It takes long and much memory to import.
 */
async function startSending(chosen: SamplerSettings, options: SdkOptions): Promise<Recorder> {
  setServiceName();
  // Not the process resource: its command line may hold secrets.
  process.env['OTEL_NODE_RESOURCE_DETECTORS'] ||= 'env,host,serviceinstance';
  const [{ NodeSDK }, { trace }, { sampler, ids }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/api'),
    samplerFor(chosen),
  ]);
  // No instrumentation by patching; metrics have their own provider, and logs are not exported.
  const sdk = new NodeSDK({
    sampler,
    idGenerator: ids,
    instrumentations: [],
    logRecordProcessors: [],
    metricReaders: [],
  });
  sdk.start();
  return {
    provider: trace.getTracerProvider(),
    sampler,
    ids,
    observer: { shutdown: () => shutdown('traces', sdk, options) },
  };
}

/** Keeps traces in this process. */
async function startKeeping(chosen: SamplerSettings): Promise<Recorder> {
  const [{ TracerProvider: Provider }, { createTraceStore }, { sampler, ids }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('./trace-store.ts'),
    samplerFor(chosen),
  ]);
  const { processor, ...traces } = createTraceStore();
  const provider = new Provider({ sampler, idGenerator: ids, spanProcessors: [processor] });
  return { provider, sampler, ids, observer: { traces } };
}

async function samplerFor(settings: SamplerSettings): Promise<Pick<Recorder, 'sampler' | 'ids'>> {
  const [{ createSampler }, { traceIdsOf }, { RandomIdGenerator }] = await Promise.all([
    import('./sampler.ts'),
    import('./trace-ids.ts'),
    import('@opentelemetry/sdk-trace'),
  ]);
  const ids = traceIdsOf(new RandomIdGenerator());
  return { ids, sampler: createSampler(settings, ids.nextTraceId) };
}

/** Set in the process environment, where the SDK reads it and lets it prevail over the other. */
function setServiceName(): void {
  const { OTEL_RESOURCE_ATTRIBUTES: attributes = '' } = process.env;
  if (/(?:^|,)\s*service\.name\s*=/.test(attributes)) return;
  process.env['OTEL_SERVICE_NAME'] ||= 'plait';
}

function silent(): void {}

async function shutdown(
  what: string,
  provider: { shutdown(): Promise<void> },
  { clock, onWarning }: SdkOptions,
): Promise<void> {
  const handedOver = provider.shutdown().then(
    () => undefined,
    (error: unknown) => toError(error).message,
  );
  const problem = await problemInTime(handedOver, clock);
  if (problem !== undefined) onWarning(`The last ${what} could not be handed over: ${problem}`);
}

/** The problem of a shutdown, which may also be that it takes too long. */
function problemInTime(
  result: Promise<string | undefined>,
  clock: Clock,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const cancelTimer = clock.after(longestShutdownMs, () =>
      resolve(`not within ${longestShutdownMs} ms`),
    );
    void result.then(resolve).finally(cancelTimer);
  });
}
