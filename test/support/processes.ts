/** Programs of the project as processes of their own. */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join, relative } from 'node:path';
import { onTestFinished } from 'vitest';
import { shippedFolder } from './shipped.ts';

const root = join(import.meta.dirname, '../..');

/** Options of a command that loads compositions. */
export const shipped = ['--compositions', relative(root, shippedFolder)] as const;

/** A free port for the management side, since tests run side by side. */
const quiet = { ADMIN_PORT: '0', LOG_LEVEL: 'warn' };

/** On a busy machine, a gateway would answer some requests with 503 and leave out steps of others. */
const neverSheds = { SHED_DELAY_MS: '60000', SHED_UTILISATION: '1' };

export interface Program {
  /** The URL in its line `ready …`; rejects with its errors if it ends without one. */
  readonly ready: Promise<string>;
  readonly lines: readonly string[];
  readonly errors: () => string;
  /** Settles when it and all that it has started have ended. */
  readonly exitCode: Promise<number | null>;
  /** Its resident memory, in MiB. */
  memory(): number;
  kill(signal?: NodeJS.Signals): void;
  /** Sends SIGINT to it and to all that it has started, as Ctrl-C in a terminal does. */
  interrupt(): void;
}

export interface RunOptions {
  readonly cwd?: string;
  /** The most files and sockets that it may have open. */
  readonly openFiles?: number;
}

/**
 * Runs `node <program> <args>` in the project, or in the folder `cwd`, with `environment` only. It
 * logs no more than warnings, unless `LOG_LEVEL` is set, and is stopped with the test.
 */
export function run(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
  { cwd = root, openFiles }: RunOptions = {},
): Program {
  if (cwd === root) refuseUnnamedFolder(program, args);
  const limited = openFiles !== undefined && {
    execPath: 'prlimit',
    execArgv: [`--nofile=${openFiles}:${openFiles}`, process.execPath],
  };
  return observe(
    program,
    fork(join(cwd, program), args, {
      cwd,
      env: { PATH: process.env['PATH'], ...quiet, ...neverSheds, ...environment },
      execArgv: [],
      ...limited,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    }),
  );
}

/** Refuses `compositions/` as a whole: a user's own files there call services no test knows. */
function refuseUnnamedFolder(program: string, [command = '', ...options]: readonly string[]): void {
  const loads = ['check', 'dev', 'explain', 'start'].includes(command);
  if (!loads || options.includes('--compositions') || options.includes('--help')) return;
  throw new Error(`${program} ${command}: name a folder of compositions, as in ...shipped`);
}

/** Runs `npm <args>` as `run` does a program; a signal is for npm only. */
export function runNpm(
  args: readonly string[],
  environment: Record<string, string>,
  { cwd = root }: { readonly cwd?: string } = {},
): Program {
  if (cwd === root) refuseUnnamedFolder('npm', args);
  const npm = { npm_config_update_notifier: 'false', npm_config_logs_max: '0' };
  const { PATH, HOME } = process.env;
  return observe(
    'npm',
    spawn('npm', args, {
      cwd,
      env: { PATH, HOME, ...npm, ...quiet, ...neverSheds, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    }),
  );
}

/** `child` leads a process group, so that all that it has started ends with the test, too. */
function observe(program: string, child: ChildProcess): Program {
  const lines: string[] = [];
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  let ended = false;
  const exitCode = new Promise<number | null>((resolve) =>
    child.once('close', (code) => {
      ended = true;
      resolve(code);
    }),
  );
  const ready = new Promise<string>((resolve, reject) => {
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        if (line.startsWith('ready ')) resolve(line.slice('ready '.length));
      });
    }
    void exitCode.then((code) => reject(new Error(`${program} ended with ${code}: ${errors}`)));
  });
  ready.catch(() => undefined);
  onTestFinished(async () => {
    // Only while its output is open: afterwards the pid may belong to another process.
    if (!ended && child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    await exitCode;
  });
  return {
    ready,
    lines,
    errors: () => errors,
    exitCode,
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1_024;
    },
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    interrupt() {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGINT');
    },
  };
}

/** The URL of the management side, in a gateway's line `admin …`; empty while there is none. */
export function adminOf({ lines }: Pick<Program, 'lines'>): string {
  return lines.find((line) => line.startsWith('admin '))?.slice('admin '.length) ?? '';
}

function signalGroup(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-id, signal);
  } catch (error) {
    // It has just ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Runs the mock services as one process; gives variables with their addresses. */
export async function runMocks(
  environment: Record<string, string> = {},
): Promise<Record<string, string>> {
  const mocks = run('mocks/server.ts', [], { ...environment, MOCKS_BASE_PORT: '0' });
  await mocks.ready;
  const urls = mocks.lines
    .map((line) => line.split(/\s+/))
    .filter(([, url]) => url?.startsWith('http'));
  return Object.fromEntries(urls.map(([name, url]) => [`${name?.toUpperCase()}_URL`, url ?? '']));
}
