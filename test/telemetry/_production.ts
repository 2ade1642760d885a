/** A gateway as a process of its own, as in production, and a search of all that it says for secrets. */
import { expect } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { adminOf, run } from '../support/processes.ts';
import type { Program } from '../support/processes.ts';
import type { TestRedis } from '../support/redis.ts';
import { compositions, secrets, startLeaky } from './_leaky.ts';

/** Errors of a parser quote a few characters: the beginnings differ too. */
export const beginnings = Object.entries(secrets).map(
  ([name, word]) => [name, word.slice(0, 10)] as const,
);

/** Everything that somebody could read: all that was ever written, by the place where it is. */
export type Sinks = Readonly<Record<string, string>>;

export const nowhere = {
  ORDERS_URL: 'http://127.0.0.1:9',
  PAYMENTS_URL: 'http://127.0.0.1:9',
  SHIPPING_URL: 'http://127.0.0.1:9',
};

export const production = {
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  LOG_LEVEL: 'trace',
  SHUTDOWN_DELAY_MS: '0',
  OTEL_TRACES_SAMPLER: 'always_on',
};

export async function startProcess(
  environment: Record<string, string>,
  files: Record<string, string> = {},
) {
  const folder = await folderWith({ ...compositions, ...files });
  const gateway = run('bin/plait.js', ['start', '--compositions', folder], {
    ...nowhere,
    ...environment,
    LEAKY_URL: await startLeaky(),
    PORT: '0',
    SERVER_TIMING: 'on',
  });
  const url = await gateway.ready;
  return { gateway, url, admin: adminOf(gateway) };
}

interface Questions {
  readonly admin: string;
  readonly redis: Pick<TestRedis, 'ask'>;
  /** The names in Redis; asked for until the gateway has stored something. */
  readonly storedNames: () => Promise<string>;
  /** Options and variables of commands that read the same compositions. */
  readonly options: readonly string[];
  readonly environment: Record<string, string>;
}

/** The names in Redis, and all that Redis, the management side and commands tell of a gateway. */
export async function toldOf({ admin, redis, storedNames, options, environment }: Questions) {
  const fetched = async (path: string) => (await fetch(admin + path)).text();
  const [metrics = '', upstreams = '', traces = ''] = await Promise.all(
    ['/metrics', '/upstreams', '/traces'].map(fetched),
  );
  await expect.poll(storedNames).toContain('plait:');
  const keys = (await redis.ask('KEYS *')).match(/^plait\S*/gm) ?? [];
  const stored = await Promise.all(
    keys.flatMap((key) => [`GET ${key}`, `HGETALL ${key}`]).map((command) => redis.ask(command)),
  );
  const said = await Promise.all(
    [['explain'], ['explain', '--json'], ['explain', '--mermaid'], ['check', '--env']].map(
      async (command) => {
        const program = run('bin/plait.js', [...command, ...options], environment);
        await program.exitCode;
        return program.lines.join('\n') + program.errors();
      },
    ),
  );
  const sinks = {
    redis: [...keys, ...stored].join('\n'),
    metrics,
    upstreams,
    traces,
    commands: said.join('\n'),
  };
  return { keys, sinks };
}

export async function stopped(gateway: Program): Promise<string> {
  gateway.kill('SIGTERM');
  expect(await gateway.exitCode).toBe(0);
  return `${gateway.lines.join('\n')}\n${gateway.errors()}`;
}

export function text(response: Response): Promise<string> {
  return response.text();
}

export function leaksIn(sinks: Sinks, words: readonly (readonly [string, string])[]): string[] {
  return Object.entries(sinks).flatMap(([sink, all]) =>
    words.flatMap(([name, word]) => {
      const at = all.indexOf(word);
      if (at === -1) return [];
      return [`${name} in ${sink}: …${all.slice(Math.max(0, at - 150), at + 60)}…`];
    }),
  );
}
