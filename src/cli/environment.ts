/** The process's environment → configuration, or one error that lists everything wrong with it. */
import { z } from 'zod';
import { isHeaderName } from '../dsl/service.ts';
import { defaultLimits } from '../edge/overload.ts';
import type { OverloadLimits } from '../edge/overload.ts';
import { ConfigurationError } from '../errors.ts';
import { logLevels } from '../telemetry/log.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { Environment } from '../environment.ts';

export interface Configuration {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Of the management side; 0: any free port. Absent: the default, or another one where that is taken. */
  readonly adminPort: number | undefined;
  /** How long a gateway that is told to stop still takes requests, so that whoever sends them can notice. */
  readonly shutdownDelayMs: number;
  /** From when on it has too much to do. */
  readonly overload: OverloadLimits;
  readonly log: { readonly level: LogLevel; readonly format: 'json' | 'text' };
  /** The request headers that are logged. */
  readonly loggedHeaders: readonly string[];
  /** Whether responses say how long each step took. */
  readonly serverTiming: boolean;
  readonly mode: 'development' | 'production';
  readonly environment: Environment;
}

const port = z.coerce.number().int().min(0).max(65_535);

/** Names of headers whose values open doors. */
const secretName = /auth|cookie|csrf|token|secret|session|passw|api-?key/;

function toHeaderNames(text: string, context: z.RefinementCtx): string[] {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  for (const name of names) {
    const isName = isHeaderName(name);
    if (isName && !secretName.test(name)) continue;
    const message = isName ? `${name} holds secrets` : `${JSON.stringify(name)} is no header name`;
    context.addIssue({ code: 'custom', message });
  }
  return names;
}

const variables = z.object({
  HOST: z.string().min(1).optional(),
  PORT: port.default(8080),
  ADMIN_PORT: port.optional(),
  SHED_DELAY_MS: z.coerce.number().int().min(1).default(defaultLimits.delayMs),
  SHED_UTILISATION: z.coerce.number().gt(0).max(1).default(defaultLimits.utilisation),
  LOG_LEVEL: z.enum(logLevels).default('info'),
  LOG_FORMAT: z.enum(['json', 'text']).optional(),
  LOG_HEADERS: z.string().transform(toHeaderNames).default([]),
  SERVER_TIMING: z.enum(['on', 'off']).optional(),
  SHUTDOWN_DELAY_MS: z.coerce.number().int().min(0).max(60_000).optional(),
  NODE_ENV: z.enum(['production', 'development', 'test']).default('development'),
});

/** @throws ConfigurationError naming every variable that cannot be used, what it holds and what it may. */
export function readConfiguration(environment: Environment): Configuration {
  const result = variables.safeParse(withoutEmpty(environment));
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      return `${name} is ${JSON.stringify(environment[name])}: ${message}.`;
    });
    throw new ConfigurationError(lines.join('\n'));
  }
  const { HOST, PORT, ADMIN_PORT, NODE_ENV, SHUTDOWN_DELAY_MS } = result.data;
  const { SHED_DELAY_MS, SHED_UTILISATION, LOG_LEVEL, LOG_HEADERS } = result.data;
  const mode = NODE_ENV === 'production' ? 'production' : 'development';
  const { LOG_FORMAT = mode === 'production' ? 'json' : 'text' } = result.data;
  const { SERVER_TIMING = mode === 'production' ? 'off' : 'on' } = result.data;
  return {
    host: HOST ?? (mode === 'production' ? '0.0.0.0' : '127.0.0.1'),
    port: PORT,
    adminPort: ADMIN_PORT,
    shutdownDelayMs: SHUTDOWN_DELAY_MS ?? (mode === 'production' ? 5_000 : 0),
    overload: { delayMs: SHED_DELAY_MS, utilisation: SHED_UTILISATION },
    log: { level: LOG_LEVEL, format: LOG_FORMAT },
    loggedHeaders: LOG_HEADERS,
    serverTiming: SERVER_TIMING === 'on',
    mode,
    environment,
  };
}

/** `PORT=` in a file of variables means that it is not set. */
function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}
