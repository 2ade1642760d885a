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
async function adminHeaders(): Promise<Record<string, string>> {
  const { problems, token } = readAdminToken(withoutBlank(process.env));
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'));
  return token === undefined
    ? {}
    : { authorization: `Bearer ${await openToken(token, atStart)()}` };
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
  const address = /^https?:/i.test(adminUrl) ? adminUrl : `http://${adminUrl}`;
  const url = `${address.replace(/\/+$/, '')}${path}`;
  const headers = await adminHeaders();
  const { status, body } = await read(url, headers);
  const { data } = answer.safeParse(body);
  if (data !== undefined) return data;
  throw new ConfigurationError(
    problemOf(url, status, { absent, hasToken: 'authorization' in headers }),
  );
}

/** The longest that an answer may take, to its end. */
const longestMs = 5_000;

interface Answered {
  readonly status: number;
  /** `undefined` if that is not JSON. */
  readonly body: unknown;
}

async function read(url: string, headers: Readonly<Record<string, string>>): Promise<Answered> {
  const signal = AbortSignal.timeout(longestMs);
  try {
    const response = await fetch(url, { signal, headers });
    const body: unknown = await response.json().catch(() => undefined);
    signal.throwIfAborted();
    return { status: response.status, body };
  } catch (cause) {
    throw new ConfigurationError(
      `No gateway answers at ${url}. Start one with \`npm run dev\`, or name it with --admin: ` +
        'it is the address that it prints after "admin" when it starts.',
      { cause },
    );
  }
}

interface Expected {
  readonly absent: string;
  readonly hasToken: boolean;
}

function problemOf(url: string, status: number, { absent, hasToken }: Expected): string {
  switch (status) {
    case 401:
      return (
        `The gateway at ${url} ${hasToken ? 'does not take this token' : 'wants a token'}. ` +
        'Set ADMIN_TOKEN, or ADMIN_TOKEN_FILE, as for the gateway.'
      );
    case 404:
      return (
        `The gateway at ${url} ${absent} ` +
        'Or that is not its management side: name it with --admin.'
      );
    case 421:
      return (
        `The gateway at ${url} answers by the names of this machine only. ` +
        'Write 127.0.0.1, or give it an ADMIN_TOKEN.'
      );
    case 200:
      return `The server at ${url} is not a Plait gateway. Name its management side with --admin.`;
    default:
      return `The server at ${url} answers with the status ${status}. Is it a Plait gateway?`;
  }
}
