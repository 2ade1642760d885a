/** Settings → the parts of a gateway that hold resources: log, telemetry, cache, load shedding. */
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { toError } from './errors.ts';
import { createLagMeter } from './edge/lag-meter.ts';
import { openLimitStore } from './edge/limits/open-limit-store.ts';
import { createOverload } from './edge/overload.ts';
import { writesCut } from './gateway-options.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { openCertificate } from './http/certificate.ts';
import type { Certificate } from './http/certificate.ts';
import { openToken } from './settings/admin.ts';
import { onceAMinute } from './quiet.ts';
import type { Settings } from './settings/settings.ts';
import { logFailures } from './telemetry/connection-failures.ts';
import { createLog } from './telemetry/log.ts';
import type { Log } from './telemetry/log.ts';
import { warnOfDoubts } from './telemetry/lookup-doubts.ts';
import { startTelemetry } from './telemetry/sdk.ts';
import { reportChanges } from './telemetry/state-changes.ts';
import { combine } from './telemetry/telemetry.ts';
import type { Observer } from './telemetry/telemetry.ts';
import { openCacheStore } from './upstream/caching/open-cache-store.ts';

/** All that `createGateway` takes besides plans and middleware. */
export interface Parts extends Required<
  Omit<GatewayOptions, 'plans' | 'notServed' | 'middleware'>
> {
  /** To be closed after the gateway, which closes everything else. */
  readonly log: Log;
  /** For `listen`; `undefined` where TLS is off. */
  readonly certificate: Certificate | undefined;
}

export interface PartsOptions {
  readonly clock?: Clock | undefined;
  /** Default: one on standard error, as the settings say. */
  readonly log?: Log;
  /** Records spans and metrics. Default: as the settings say. */
  readonly observer?: Observer;
}

/** Opens the parts that the settings ask for. If one cannot be opened, the others are closed. */
export async function openParts(settings: Settings, options: PartsOptions = {}): Promise<Parts> {
  const { mode, addresses, openSecrets, overload: limits } = settings;
  const { clock = systemClock, log = createLog(settings.log) } = options;
  await using opened = new AsyncDisposableStack();
  opened.defer(() => log.close());
  const warn = (message: string): void => log.warn({}, message);
  const recording = { settings: settings.telemetry, clock, onWarning: warn };
  const observed = options.observer ?? (await startTelemetry(recording));
  const telemetry = combine([
    observed,
    warnOfDoubts(clock, warn),
    reportChanges(clock, log),
    logFailures(clock, log),
  ]);
  opened.defer(() => telemetry.shutdown());
  const redis = { redis: settings.redis, clock };
  const cacheStore = await openCacheStore({ ...redis, ...linesOfRedis(log, 'cache') });
  opened.defer(() => cacheStore.close());
  const limitStore = await openLimitStore({ ...redis, ...linesOfRedis(log, 'rate limits') });
  opened.defer(() => limitStore.close());
  const { tls, admin } = settings.server;
  const warning = { clock, onWarning: warn };
  // May throw: a file can be gone since it was read.
  const certificate =
    tls && openCertificate({ ...tls, secrets: tls.openSecrets(warning), ...warning });
  opened.move();
  return {
    log,
    certificate,
    telemetry,
    cacheStore,
    limitStore,
    addresses,
    secrets: openSecrets(warning),
    clock,
    basePath: settings.basePath,
    adminToken: admin.token && openToken(admin.token, warning),
    unknownQuery: settings.unknownQuery,
    overload: createOverload({ limits, meter: createLagMeter(), clock }),
    edge: settings.edge,
    accessLog: { log, headers: settings.log.headers, withCauses: mode === 'development' },
    // The access log contains the error, together with its request.
    onInternalError: () => undefined,
    onRefreshError: refreshReporter(clock, warn),
    onKeysError: keysReporter(clock, warn),
    onWritesCut: (operations) => warn(writesCut(operations)),
  };
}

/** Logs when Redis goes and comes; `usedFor`: by what it is missed. */
function linesOfRedis(log: Log, usedFor: string) {
  return {
    onWarning: (message: string) => log.warn({ redis: 'down', used_for: usedFor }, message),
    onReturn: (message: string) => log.info({ redis: 'up', used_for: usedFor }, message),
  };
}

/** Warns of keys that could not be fetched, once a minute for each reason. */
function keysReporter(clock: Clock, warn: (message: string) => void): (error: unknown) => void {
  const mayWarn = onceAMinute(clock, { most: 100 });
  return function reportKeysError(error) {
    const reason = toError(error).message;
    if (mayWarn(reason)) warn(`The keys of tokens could not be fetched: ${reason}`);
  };
}

/** Warns of answers that could not be refreshed, once a minute for each reason. */
function refreshReporter(clock: Clock, warn: (message: string) => void): (error: unknown) => void {
  // Reasons may contain texts from outside.
  const mayWarn = onceAMinute(clock, { most: 100 });
  return function reportRefreshError(error) {
    const reason = toError(error).message;
    if (mayWarn(reason)) warn(`A cached answer could not be refreshed: ${reason}`);
  };
}
