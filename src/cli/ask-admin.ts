/** Asks the management side of a gateway, for commands that show what it answers. */
import type { z } from 'zod';
import { ConfigurationError } from '../errors.ts';
import { defaultAdminPort, parseSettings } from '../settings/settings.ts';

/** The management side of a gateway that was started with the same environment. */
export function localAdminUrl(): string {
  const { adminPort } = parseSettings(process.env, []).server;
  return `http://127.0.0.1:${adminPort || defaultAdminPort}`;
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
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(
    (cause: unknown) => {
      throw new ConfigurationError(
        `No gateway answers at ${url}. Start one with \`npm run dev\`, or name it with --admin: ` +
          'it is the address that it prints after "admin" when it starts.',
        { cause },
      );
    },
  );
  const { data } = answer.safeParse(await response.json().catch(() => undefined));
  if (data !== undefined) return data;
  throw new ConfigurationError(
    response.ok
      ? `The server at ${url} is not a Plait gateway. Name its management side with --admin.`
      : `The gateway at ${url} ${absent}`,
  );
}
