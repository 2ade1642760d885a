/** The options of a gateway, and their defaults. */
import type { MiddlewareHandler } from 'hono';
import { basePathRule, parseBasePath } from './base-path.ts';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import type { UnknownQuery } from './dsl/composition.ts';
import type { EdgeOptions } from './edge/layers.ts';
import type { LimitStore } from './edge/limits/limit-store.ts';
import { createMemoryLimits } from './edge/limits/memory-limits.ts';
import { neverSheds } from './edge/overload.ts';
import type { Overload } from './edge/overload.ts';
import { ConfigurationError, toError } from './errors.ts';
import type { NotServed } from './plan/not-served.ts';
import type { Plan } from './plan/plan.ts';
import type { AccessLogOptions } from './telemetry/access-log.ts';
import { unobserved } from './telemetry/telemetry.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import type { CacheStore } from './upstream/caching/cache-store.ts';
import { noSecrets } from './upstream/credentials/secrets.ts';
import type { Secrets } from './upstream/credentials/secrets.ts';

export interface GatewayOptions {
  readonly plans: readonly Plan[];
  /**
   * Compositions that could not be loaded: their routes answer 503, and a gateway with nothing else
   * is not ready. Default: none.
   */
  readonly notServed?: readonly NotServed[];
  /** The base URLs of every service, by its name. */
  readonly addresses: ReadonlyMap<string, readonly URL[]>;
  /** The secrets that services are sent, as `openParts` reads them. Default: none are known. */
  readonly secrets?: Secrets;
  /**
   * Hono middleware around the compositions, the first one outermost: inside of telemetry, access
   * log and the edge, so that its responses are recorded too.
   */
  readonly middleware?: readonly MiddlewareHandler[];
  /** Called for unexpected errors, which are answered with 500. Default: a process warning. */
  readonly onInternalError?: (error: unknown) => void;
  /** Called at a stop with the operations whose writes are cut. Default: a process warning. */
  readonly onWritesCut?: (operations: readonly string[]) => void;
  /** Called if a cached answer could not be refreshed in the background, which fails no request. */
  readonly onRefreshError?: (error: unknown) => void;
  /** Writes a line for every request, and for what fails on the management side. */
  readonly accessLog?: Pick<AccessLogOptions, 'log' | 'headers' | 'withCauses'>;
  /** Called if the keys of an issuer could not be fetched; those that are known stay in use. */
  readonly onKeysError?: (error: unknown) => void;
  /** Stores answers of services; disposed with the gateway. Default: in this process. */
  readonly cacheStore?: CacheStore;
  /** Counts requests for rate limits; disposed with the gateway. Default: in this process. */
  readonly limitStore?: LimitStore;
  /** Disposed with the gateway. Default: none. */
  readonly telemetry?: Telemetry;
  /** Sheds load; disposed with the gateway. Default: never. */
  readonly overload?: Overload;
  /**
   * The fate of query parameters that no schema names, in compositions that do not say it. Default
   * `'refuse'`.
   */
  readonly unknownQuery?: UnknownQuery;
  /** The clients that are served, and how much of each at a time. Default: all, without limit. */
  readonly edge?: EdgeOptions;
  /** Stands before the routes of compositions, not of health checks: `/api`. Default: none. */
  readonly basePath?: string;
  /**
   * What operators send as `Authorization: Bearer …`, from any host. Default: the management side
   * answers requests for loopback hosts only.
   */
  readonly adminToken?: (() => string | Promise<string>) | undefined;
  readonly clock?: Clock;
}

/** The options, and the defaults of those that are absent. */
export type CompleteOptions = ReturnType<typeof withDefaults>;

/** @throws ConfigurationError for a base path that no route can begin with. */
export function withDefaults(options: GatewayOptions) {
  const { clock = systemClock, limitStore = createMemoryLimits({ clock }) } = options;
  const { notServed = [], middleware = [], unknownQuery = 'refuse' } = options;
  const { telemetry = unobserved, overload = neverSheds, secrets = noSecrets } = options;
  const { onInternalError = warnOf, onWritesCut = warnOfWrites, onKeysError = ignore } = options;
  const basePath = checkedBasePath(options.basePath);
  const parts = { clock, limitStore, telemetry, overload, secrets };
  const listeners = { onInternalError, onWritesCut, onKeysError };
  return { ...options, ...parts, ...listeners, notServed, middleware, unknownQuery, basePath };
}

function checkedBasePath(given = ''): string {
  const basePath = parseBasePath(given);
  if (basePath !== undefined) return basePath;
  throw new ConfigurationError(`basePath is ${JSON.stringify(given)}. Use ${basePathRule}.`);
}

function warnOfWrites(operations: readonly string[]): void {
  process.emitWarning(writesCut(operations));
}

/** The warning of writes that a stop has cut. */
export function writesCut(operations: readonly string[]): string {
  return `The stop cut writes whose outcome is unknown: ${operations.join(', ')}`;
}

function warnOf(error: unknown): void {
  process.emitWarning(toError(error));
}

function ignore(): void {}
