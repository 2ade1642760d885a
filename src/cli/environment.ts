/** The process's environment → configuration, or one error that lists everything wrong with it. */
import { z } from 'zod';
import { ConfigurationError } from '../errors.ts';
import type { Environment } from '../upstream/endpoint.ts';

export interface Configuration {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly mode: 'development' | 'production';
  readonly environment: Environment;
}

const port = z.coerce.number().int().min(0).max(65_535);

const variables = z.object({
  HOST: z.string().min(1).optional(),
  PORT: port.default(8080),
  NODE_ENV: z.string().optional(),
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
  const { HOST, PORT, NODE_ENV } = result.data;
  const mode = NODE_ENV === 'production' ? 'production' : 'development';
  return {
    host: HOST ?? (mode === 'production' ? '0.0.0.0' : '127.0.0.1'),
    port: PORT,
    mode,
    environment,
  };
}

/** `PORT=` in a file of variables means that it is not set. */
function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}
