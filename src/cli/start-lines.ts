/** The log lines of `plait start` about its start and its stop. */
import type { Listening } from '../listen.ts';
import type { Settings } from '../settings/settings.ts';
import type { Log } from '../telemetry/log.ts';
import { readVersion } from '../version.ts';
import type { Served } from './load-plans.ts';

/** Says why compositions are not served, if some are not. */
export function logNotServed(
  log: Pick<Log, 'warn' | 'error'>,
  { plans, notServed, reasons }: Pick<Served, 'plans' | 'notServed' | 'reasons'>,
): void {
  for (const reason of reasons) log.warn({}, `Not served: ${reason}`);
  if (plans.length > 0 || notServed.length === 0) return;
  log.error({}, 'Nothing is served: /readyz answers 503 until the gateway is started again');
}

export interface Started extends Pick<Served, 'plans' | 'notServed'> {
  readonly settings: Pick<Settings, 'mode' | 'basePath' | 'server'>;
  readonly listening: Pick<Listening, 'url' | 'adminUrl'>;
}

/** Says what has started, where it listens, and what it serves. */
export function logStart(
  log: Pick<Log, 'info'>,
  { settings, listening, plans, notServed }: Started,
): void {
  const { mode, basePath, server } = settings;
  const { url, adminUrl } = listening;
  const fields = {
    version: readVersion(),
    node: process.version,
    mode,
    url,
    port: Number(new URL(url).port),
    ...(basePath !== '' && { base_path: basePath }),
    admin: adminUrl,
    tls: server.tls === undefined ? 'off' : 'on',
    ...clientCertificates(server.tls),
    compositions: plans.length,
    not_served: notServed.length,
    duration_ms: Math.round(performance.now()),
  };
  log.info(fields, 'The gateway has started');
}

function clientCertificates(tls: Settings['server']['tls']): object {
  if (tls?.files.clientCa === undefined) return {};
  return { client_certificates: tls.clientsMayLackOne ? 'requested' : 'required' };
}

export interface Stop {
  readonly requestsCut: number;
  readonly reason: string;
  readonly tookMs: number;
}

/** Says why the gateway has stopped, how long that took, and how many requests it has cut off. */
export function logStop(
  log: Pick<Log, 'info' | 'warn'>,
  { reason, tookMs, requestsCut }: Stop,
): void {
  const fields = { reason, duration_ms: Math.round(tookMs), requests_cut: requestsCut };
  log[requestsCut > 0 ? 'warn' : 'info'](fields, 'The gateway has stopped');
}
