/** The environment variables of the gateway itself: the form and default of each. */
import { z } from 'zod';
import { basePathRule, parseBasePath } from '../base-path.ts';
import { defaultLimits } from '../edge/overload.ts';
import { isHeaderName } from '../headers.ts';
import { defaultSocketLimits } from '../http/socket-limits.ts';
import { logLevels } from '../telemetry/log.ts';
import { adminVariables } from './admin.ts';
import {
  isNot,
  listOf,
  oneOf,
  port,
  share,
  soundsSecret,
  wholeNumber,
  wholeNumberOrOff,
} from './kinds.ts';
import { parseRedisUrl } from './redis-address.ts';
import { telemetryVariables } from './telemetry.ts';
import { tlsVariables } from './tls.ts';

function parseLoggedHeader(text: string): string | undefined {
  const name = text.toLowerCase();
  return isHeaderName(name) && !soundsSecret(name) ? name : undefined;
}

/** A time limit for clients. At least a second, since connections are checked once a second. */
const time = wholeNumber(1_000, 3_600_000, 'milliseconds');

function parseHostName(text: string): string | undefined {
  const name = text.toLowerCase();
  return /^(?:[a-z\d_.-]+|\[[\da-f:.]+\])$/.test(name) ? name : undefined;
}

const redis = z.string().transform((text, context) => {
  const address = parseRedisUrl(text);
  if (address !== undefined) return address;
  const message =
    'is not the URL of a Redis. Use redis://127.0.0.1:6379, or rediss:// for TLS, ' +
    'with user:password@ before the host and /1 for a database where needed.';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const basePath = z
  .string()
  .refine((text) => parseBasePath(text) !== undefined, isNot(`Use ${basePathRule}.`))
  .transform((text) => parseBasePath(text) ?? '');

export const variables = z.object({
  NODE_ENV: oneOf(['production', 'development', 'test']).default('development'),
  HOST: z.string().optional(),
  PORT: port.default(8080),
  BASE_PATH: basePath.default(''),
  UNKNOWN_QUERY: oneOf(['refuse', 'ignore']).default('refuse'),
  SHUTDOWN_DELAY_MS: wholeNumber(0, 60_000, 'milliseconds').optional(),
  HANG_LIMIT_MS: wholeNumberOrOff(1_000, 600_000, 'milliseconds').optional(),
  ALLOWED_HOSTS: listOf(
    parseHostName,
    'Use host names separated by commas, without scheme and port, as in api.example.com.',
    { skipBlank: true },
  ).optional(),
  REQUESTS_IN_PROGRESS: wholeNumberOrOff(1, 1_000_000, 'requests').default(4_096),
  REQUESTS_PER_ADDRESS: wholeNumberOrOff(1, 1_000_000, 'requests').default(100),
  CONNECTIONS_PER_ADDRESS: wholeNumberOrOff(1, 1_000_000, 'connections').default('off'),
  HEADERS_TIMEOUT_MS: time.default(defaultSocketLimits.headersTimeoutMs),
  REQUEST_TIMEOUT_MS: time.default(defaultSocketLimits.requestTimeoutMs),
  KEEP_ALIVE_TIMEOUT_MS: time.default(defaultSocketLimits.keepAliveTimeoutMs),
  WRITE_TIMEOUT_MS: time.default(defaultSocketLimits.writeTimeoutMs),
  SHED_DELAY_MS: wholeNumber(1, Infinity, 'milliseconds').default(defaultLimits.delayMs),
  SHED_UTILISATION: share({ zero: false, example: 0.95 }).default(defaultLimits.utilisation),
  LOG_LEVEL: oneOf(logLevels).default('info'),
  LOG_FORMAT: oneOf(['json', 'text']).optional(),
  LOG_HEADERS: listOf(
    parseLoggedHeader,
    'Use header names whose values are no secrets, separated by commas, ' +
      'as in user-agent, x-tenant.',
  ).default([]),
  REDIS_URL: redis.optional(),
  MOCKS_BASE_PORT: port.default(4001),
  ...adminVariables.shape,
  ...tlsVariables.shape,
  ...telemetryVariables.shape,
});

/** The variables, parsed. */
export type Variables = z.output<typeof variables>;
