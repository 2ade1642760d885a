/** A program of ours in a process of its own. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Environment } from '../upstream/endpoint.ts';

export interface Child {
  /** What follows `ready` in its first such line; `undefined` when it ended before. */
  readonly ready: Promise<string | undefined>;
  /** Asks it to stop, and waits until it has. */
  stop(): Promise<void>;
}

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
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const ready = new Promise<string | undefined>((resolve) => {
    if (child.stdout !== null) onLine(child.stdout, resolve);
    void ended.then(() => resolve(undefined));
  });
  return {
    ready,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function onLine(output: NodeJS.ReadableStream, onReady: (rest: string) => void): void {
  createInterface({ input: output }).on('line', (line) => {
    if (line.startsWith('ready')) onReady(line.slice('ready'.length).trim());
    else console.log(line);
  });
}
