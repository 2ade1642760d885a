/** Child processes of the command line: the gateway and the mock services in `plait dev`. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Environment } from '../environment.ts';

export interface Child {
  /** The URL in its line `ready …`; `undefined` when it ended without one. */
  readonly ready: Promise<string | undefined>;
  /** Settles when it has ended: `stopped` if `stop` was called, `crashed` otherwise. */
  readonly ended: Promise<'stopped' | 'crashed'>;
  /** The claims of what it serves, once it has said so. */
  readonly claims: () => readonly string[] | undefined;
  /** Sends SIGTERM, and SIGKILL to one that has not ended in time; settles when it has ended. */
  stop(): Promise<void>;
}

/** Has the claims of the gateway that ran before, so that newcomers that collide are known. */
export const runningVariable = 'PLAIT_DEV_RUNNING';

/** A program in an endless loop handles no SIGTERM. */
const patienceMs = 4_000;

/**
 * Starts a program with the Node that runs this one. Its output is passed on, except for the line
 * that says it is ready. It notices through its IPC channel when this process is gone.
 */
export function startChild(
  program: string,
  args: readonly string[],
  environment: Environment,
): Child {
  const child = fork(program, args, {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let claims: readonly string[] | undefined;
  child.on('message', (message) => (claims = claimsIn(message) ?? claims));
  let stopping = false;
  const ended = new Promise<'stopped' | 'crashed'>((resolve) => {
    const end = (): void => resolve(stopping ? 'stopped' : 'crashed');
    child.once('close', end);
    child.once('error', end);
  });
  // On process.exit() the child may be too busy to notice the closed channel.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  void ended.then(() => process.off('exit', kill));
  const ready = new Promise<string | undefined>((resolve) => {
    if (child.stdout !== null) onLine(child.stdout, resolve);
    void ended.then(() => resolve(undefined));
  });
  return {
    ready,
    ended,
    claims: () => claims,
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await ended;
      clearTimeout(force);
    },
  };
}

/** Only the first line that begins so is the program's own: a composition may print others. */
function onLine(output: NodeJS.ReadableStream, onReady: (rest: string) => void): void {
  let isReady = false;
  createInterface({ input: output }).on('line', (line) => {
    if (isReady || !line.startsWith('ready ')) return console.log(line);
    isReady = true;
    onReady(line.slice('ready '.length).trim());
  });
}

function claimsIn(message: unknown): readonly string[] | undefined {
  if (typeof message !== 'object' || message === null || !('claims' in message)) return undefined;
  const { claims } = message;
  return Array.isArray(claims) ? claims.map(String) : undefined;
}
