/** Asks the management side of a gateway, for commands that show what it answers. */
import type { z } from 'zod';
import { withoutBlank } from '../environment.ts';
import { ConfigurationError } from '../errors.ts';
import { openToken, readAdminToken } from '../settings/admin.ts';
import { defaultAdminPort, parseSettings } from '../settings/settings.ts';
import { hostInUrl } from '../url.ts';
import { atStart } from '../settings/sources.ts';

/** The management side of a gateway that was started with the same environment. */
export function localAdminUrl(): string {
  const { host, port } = parseSettings(process.env, []).server.admin;
  const isAny = host === '0.0.0.0' || host === '::';
  return `http://${isAny ? '127.0.0.1' : hostInUrl(host)}:${port || defaultAdminPort}`;
}

/** What a gateway that was started with the same environment demands of operators. */
function adminHeaders(): Record<string, string> {
  const { problems, token } = readAdminToken(withoutBlank(process.env));
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'));
  return token === undefined ? {} : { authorization: `Bearer ${openToken(token, atStart)()}` };
}

export interface AdminQuestion<Answer> {
  /** The URL of the management side, as in the gateway's line `admin …`; its scheme may lack. */
  readonly adminUrl: string;
  readonly path: string;
  readonly answer: z.ZodType<Answer>;
  /** Completes "The gateway at …" where it has no such path. */
  readonly absent: string;
}

/** @throws ConfigurationError if no gateway answers there, or not so. */
export async function askAdmin<Answer>(question: AdminQuestion<Answer>): Promise<Answer> {
  const { adminUrl, path, answer, absent } = question;
  const address = /^https?:/.test(adminUrl) ? adminUrl : `http://${adminUrl}`;
  const url = `${address.replace(/\/+$/, '')}${path}`;
  const signal = AbortSignal.timeout(5_000);
  const headers = adminHeaders();
  const response = await fetch(url, { signal, headers }).catch((cause: unknown) => {
    throw new ConfigurationError(
      `No gateway answers at ${url}. Start one with \`npm run dev\`, or name it with --admin: ` +
        'it is the address that it prints after "admin" when it starts.',
      { cause },
    );
  });
  if (response.status === 401) {
    const demand = 'authorization' in headers ? 'does not take this token' : 'wants a token';
    throw new ConfigurationError(
      `The gateway at ${url} ${demand}. Set ADMIN_TOKEN, or ADMIN_TOKEN_FILE, as for the gateway.`,
    );
  }
  const { data } = answer.safeParse(await response.json().catch(() => undefined));
  if (data !== undefined) return data;
  throw new ConfigurationError(
    response.ok
      ? `The server at ${url} is not a Plait gateway. Name its management side with --admin.`
      : `The gateway at ${url} ${absent}`,
  );
}
