/** `ADMIN_HOST` and its like → where the management side listens, and who may ask it. */
import { z } from 'zod';
import type { Source } from '../dsl/source.ts';
import { recentText } from '../edge/identity/recent-text.ts';
import type { Environment } from '../environment.ts';
import { isWithin, loopback } from '../network.ts';
import { readSecrets } from '../upstream/credentials/secrets.ts';
import type { ReadSecrets, SecretsOptions } from '../upstream/credentials/secrets.ts';
import { port } from './kinds.ts';

export const adminVariables = z.object({
  ADMIN_HOST: z.string().default('127.0.0.1'),
  ADMIN_PORT: port.optional(),
  ADMIN_TOKEN: z.string().optional(),
  ADMIN_TOKEN_FILE: z.string().optional(),
});

/** The token that operators send from any host: its source, and the function that opens it. */
export interface AdminToken {
  readonly source: Source;
  readonly openSecrets: ReadSecrets['open'];
}

export interface ReadAdminToken {
  /** A line for everything that is wrong. */
  readonly problems: readonly string[];
  /** Absent: operators are known by being on this machine. */
  readonly token?: AdminToken;
}

/** Reads the token once; one is needed where other machines can reach the management side. */
export function readAdminToken(environment: Environment): ReadAdminToken {
  const { ADMIN_HOST: host, ADMIN_TOKEN: text, ADMIN_TOKEN_FILE: file } = environment;
  if (text !== undefined && file !== undefined)
    return { problems: ['ADMIN_TOKEN and ADMIN_TOKEN_FILE are set. Set one of them.'] };
  const source = file === undefined ? { env: 'ADMIN_TOKEN' } : { file };
  if (text === undefined && file === undefined) {
    return { problems: host === undefined || isHere(host) ? [] : [needsToken(host)] };
  }
  const { problems, open } = readSecrets([{ source, carriedBy: tokenProblem }], environment);
  const named = problems.map((line) => (file === undefined ? line : `ADMIN_TOKEN_FILE: ${line}`));
  return problems.length > 0
    ? { problems: named }
    : { problems, token: { source, openSecrets: open } };
}

/** The token as it was a second ago at most: once a file has another one, that one counts. */
export function openToken(
  { source, openSecrets }: AdminToken,
  options: SecretsOptions,
): () => string | Promise<string> {
  return recentText(openSecrets(options)(source), options.clock);
}

const isLoopback = isWithin(loopback);

/** Whether only this machine can reach `host`. */
export function isHere(host: string): boolean {
  return host === 'localhost' || isLoopback(host);
}

function needsToken(host: string): string {
  return (
    `ADMIN_HOST is ${JSON.stringify(host)}, which other machines can reach, but ADMIN_TOKEN is ` +
    `not set. Set it, or ADMIN_TOKEN_FILE, to ${tokenAdvice}.`
  );
}

const tokenAdvice = 'at least 32 random characters, as `openssl rand -hex 32` prints them';

/** As credentials of the scheme Bearer may be (RFC 6750, 2.1), and too long to be guessed. */
function tokenProblem(text: string): string | undefined {
  const fits = /^[\w.~+/-]{32,}=*$/.test(text);
  return fits ? undefined : `is not a token. Use ${tokenAdvice}`;
}
