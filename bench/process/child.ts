/** A Node program in a process of its own, on a core of its own, that can be asked for figures. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Core, Pin } from './pinning.ts';
import type { Answers } from './questions.ts';

/** The script to start and its environment, to which only our PATH is added. */
export interface Launch {
  /** The checkout it belongs to; this one where it is absent. */
  readonly checkout?: string;
  /** From the root of the checkout. */
  readonly script: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Child extends AsyncDisposable {
  /** The address in its `ready` line. */
  readonly url: string;
  /** From its start to that line. */
  readonly readyMs: number;
  ask<Q extends keyof Answers>(question: Q): Promise<Answers[Q]>;
}

export const thisCheckout = join(import.meta.dirname, '..', '..');
const usage = join(import.meta.dirname, 'usage.ts');
const startLimitMs = 60_000;
const askLimitMs = 10_000;

/** @throws Error when it ends, or takes too long, before it prints `ready`. */
export async function startChild(launch: Launch, core: Core, pin: Pin): Promise<Child> {
  const { checkout = thisCheckout, script, args, environment } = launch;
  const program = [process.execPath, '--import', usage, join(checkout, script), ...args];
  const startedAt = performance.now();
  const [command = '', ...rest] = pin(core, program);
  const child = spawn(command, rest, {
    cwd: checkout,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const ended = endWithUs(child).then(() => Promise.reject(new Error(`${script} has ended`)));
  ended.catch(() => undefined);
  const orEnded = <T>(limitMs: number, work: Promise<T>): Promise<T> =>
    within(limitMs, Promise.race([work, ended]), script);
  const stop = async (): Promise<void> => {
    // No program of the bench has anything to save.
    child.kill('SIGKILL');
    await ended.catch(() => undefined);
  };
  try {
    const url = await orEnded(startLimitMs, readyLine(child));
    return {
      url,
      readyMs: performance.now() - startedAt,
      async ask<Q extends keyof Answers>(question: Q) {
        const message = once(child, 'message');
        child.send(question);
        const [answer] = await orEnded(askLimitMs, message);
        return answer as Answers[Q]; // both ends of the channel are ours
      },
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves when `child` has ended, which it does at the latest when this process does. */
export async function endWithUs(child: ChildProcess): Promise<void> {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  await once(child, 'close').finally(() => process.off('exit', kill));
}

/** @throws Error that names what was late. */
export function within<T>(limitMs: number, work: Promise<T>, name: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${name} took more than ${limitMs} ms`)),
    limitMs,
  );
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function readyLine({ stdout }: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  if (stdout === null) throw new Error('The output of a child is not piped.');
  createInterface({ input: stdout }).on('line', (line) => {
    if (line.startsWith('ready ')) resolve(line.slice('ready '.length));
  });
  return promise;
}
