/** Environment variables → typed settings, or one error that lists everything wrong with them. */
import type { UnknownQuery } from '../dsl/composition.ts';
import type { Service } from '../dsl/service.ts';
import type { EdgeOptions } from '../edge/layers.ts';
import type { OverloadLimits } from '../edge/overload.ts';
import { withoutBlank } from '../environment.ts';
import type { Environment } from '../environment.ts';
import { ConfigurationError } from '../errors.ts';
import type { SocketLimits } from '../http/socket-limits.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { TelemetrySettings } from '../telemetry/settings.ts';
import type { RedisAddress } from '../redis.ts';
import type { ReadSecrets } from '../upstream/credentials/secrets.ts';
import type { Authenticator } from '../dsl/authenticators.ts';
import { readAdminToken } from './admin.ts';
import type { AdminToken } from './admin.ts';
import type { Addresses } from './addresses.ts';
import { linesOf } from './kinds.ts';
import { readServices } from './sources.ts';
import type { ReadOfServices } from './sources.ts';
import { continuedPeers, toSdkSettings, withoutUnread } from './telemetry.ts';
import { readTls } from './tls.ts';
import type { TlsSettings } from './tls.ts';
import { variables } from './variables.ts';
import type { Variables } from './variables.ts';

export interface Settings {
  readonly mode: Mode;
  readonly server: ServerSettings;
  /** The fate of query parameters that no schema names. */
  readonly unknownQuery: UnknownQuery;
  /** The clients that are served, and how much of each at a time. */
  readonly edge: EdgeOptions;
  /** Stands before the routes of compositions: `/api`, or nothing. */
  readonly basePath: string;
  /** Thresholds of load shedding. */
  readonly overload: OverloadLimits;
  readonly log: LogSettings;
  readonly telemetry: TelemetrySettings;
  /** The Redis in which answers are cached. Absent: they are cached in this process. */
  readonly redis: RedisAddress | undefined;
  readonly addresses: Addresses;
  /** Opens the secrets that services are sent: an object of functions, which shows none. */
  readonly openSecrets: ReadSecrets['open'];
  /** The first of the mock services' three ports, for `plait dev`. */
  readonly mocksBasePort: number;
  /** How long the event loop may stand still before the process is ended; absent: for ever. */
  readonly hangLimitMs: number | undefined;
}

export type Mode = 'development' | 'production';

/** Where the management side listens when nothing else is set. */
export const defaultAdminPort = 8081;

export interface ServerSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly admin: AdminSettings;
  /** Of the clients' connections. */
  readonly sockets: SocketLimits;
  /** Absent: the public side speaks plain HTTP. */
  readonly tls: TlsSettings | undefined;
  /** How long a stopping gateway goes on taking requests, so that load balancers notice. */
  readonly shutdownDelayMs: number;
}

/** The management side. */
export interface AdminSettings {
  readonly host: string;
  /** 0: any free port. Absent: 8081, on this machine a free port if that is taken. */
  readonly port: number | undefined;
  /** Absent: operators are on this machine. */
  readonly token: AdminToken | undefined;
}

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** The request headers that are logged. */
  readonly headers: readonly string[];
}

/**
 * Reads every variable, including those that hold the addresses of `services`, and the variables
 * and files of their headers and credentials, and of `authenticators`.
 *
 * @throws ConfigurationError with a line for everything that is wrong: the variable, what it holds
 *   unless that may be a secret, and what would be right.
 */
export function parseSettings(
  environment: Environment,
  services: readonly Service[],
  authenticators: readonly Authenticator[] = [],
): Settings {
  const set = withoutUnread(withoutBlank(environment));
  const own = variables.safeParse(set);
  const { problems: ofTls, tls } = readTls(set);
  const { problems: ofAdmin, token } = readAdminToken(set);
  const { problems, read } = readServices({ services, authenticators }, set, environment);
  const ofServer = [...ofTls, ...ofAdmin];
  if (own.success && ofServer.length === 0 && read !== undefined)
    return toSettings(own.data, { tls, token }, read);
  const lines = [...(own.success ? [] : [linesOf(own.error.issues)]), ...ofServer, ...problems];
  throw new ConfigurationError(lines.join('\n'));
}

/** The contents of files besides those of the services. */
interface ReadFiles {
  readonly tls: TlsSettings | undefined;
  readonly token: AdminToken | undefined;
}

function toSettings(
  read: Variables,
  { tls, token }: ReadFiles,
  ofServices: ReadOfServices,
): Settings {
  const mode = read.NODE_ENV === 'production' ? 'production' : 'development';
  const inProduction = mode === 'production';
  return {
    mode,
    server: { ...serverIn(read, inProduction), tls, admin: adminIn(read, token) },
    edge: {
      ...(read.ALLOWED_HOSTS && { allowedHosts: read.ALLOWED_HOSTS }),
      trustedPeers: read.TRUSTED_PEERS,
      isDevelopment: !inProduction,
      ...(tls && inProduction && { isSecure: true }),
      requestsPerAddress: limitIn(read.REQUESTS_PER_ADDRESS) ?? Infinity,
      requests: limitIn(read.REQUESTS_IN_PROGRESS) ?? Infinity,
    },
    basePath: read.BASE_PATH,
    unknownQuery: read.UNKNOWN_QUERY,
    overload: { delayMs: read.SHED_DELAY_MS, utilisation: read.SHED_UTILISATION },
    log: {
      level: read.LOG_LEVEL,
      format: read.LOG_FORMAT ?? (inProduction ? 'json' : 'text'),
      headers: read.LOG_HEADERS,
    },
    telemetry: {
      serverTiming: (read.SERVER_TIMING ?? (inProduction ? 'off' : 'on')) === 'on',
      trustedPeers: continuedPeers(read, mode),
      query: read.TRACE_QUERY,
      sdk: toSdkSettings(read, mode),
    },
    redis: read.REDIS_URL,
    ...ofServices,
    mocksBasePort: read.MOCKS_BASE_PORT,
    hangLimitMs: limitIn(read.HANG_LIMIT_MS ?? (inProduction ? 10_000 : 'off')),
  };
}

function serverIn(read: Variables, inProduction: boolean): Omit<ServerSettings, 'tls' | 'admin'> {
  return {
    host: read.HOST ?? (inProduction ? '0.0.0.0' : '127.0.0.1'),
    port: read.PORT,
    shutdownDelayMs: read.SHUTDOWN_DELAY_MS ?? (inProduction ? 5_000 : 0),
    sockets: {
      headersTimeoutMs: read.HEADERS_TIMEOUT_MS,
      requestTimeoutMs: read.REQUEST_TIMEOUT_MS,
      keepAliveTimeoutMs: read.KEEP_ALIVE_TIMEOUT_MS,
      writeTimeoutMs: read.WRITE_TIMEOUT_MS,
      connectionsPerAddress: limitIn(read.CONNECTIONS_PER_ADDRESS),
      trustedPeers: read.TRUSTED_PEERS,
    },
  };
}

function adminIn(
  { ADMIN_HOST: host, ADMIN_PORT: at }: Variables,
  token: AdminToken | undefined,
): AdminSettings {
  return { host, port: at, token };
}

function limitIn(limit: number | 'off'): number | undefined {
  return limit === 'off' ? undefined : limit;
}
