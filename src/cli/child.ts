/** A program of ours in a process of its own. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Environment } from '../environment.ts';

export interface Child {
  /** What follows `ready` in its first such line; `undefined` when it ended before. */
  readonly ready: Promise<string | undefined>;
  /** Settles when it has ended; says whether that was asked for. */
  readonly ended: Promise<'stopped' | 'crashed'>;
  /** Asks it to stop, and waits until it has. One that does not listen is ended. */
  stop(): Promise<void>;
}

/** A program that is busy, as in an endless loop, does not hear that it should stop. */
const patienceMs = 4_000;

/**
 * Starts a TypeScript program with the Node that runs this one. Its output is passed on, but for the
 * line that says it is ready. It notices through its channel when this process is gone.
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
  let stopping = false;
  const ended = new Promise<'stopped' | 'crashed'>((resolve) => {
    const end = (): void => resolve(stopping ? 'stopped' : 'crashed');
    child.once('close', end);
    child.once('error', end);
  });
  // Whoever ends in a hurry leaves nothing behind that is too busy to notice.
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
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await ended;
      clearTimeout(force);
    },
  };
}

function onLine(output: NodeJS.ReadableStream, onReady: (rest: string) => void): void {
  createInterface({ input: output }).on('line', (line) => {
    if (line.startsWith('ready')) onReady(line.slice('ready'.length).trim());
    else console.log(line);
  });
}
