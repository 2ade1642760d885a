/** Programs of the project as processes of their own. */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join, relative } from 'node:path';
import { onTestFinished } from 'vitest';
import { shippedFolder } from './shipped.ts';

const root = join(import.meta.dirname, '../..');

/** Options of a command that loads compositions. */
export const shipped = ['--compositions', relative(root, shippedFolder)] as const;

/** On a free port, since tests run side by side. */
const quiet = { ADMIN_PORT: '0', LOG_LEVEL: 'warn' };

export interface Program {
  /** The rest of the line that began with `ready `; rejects with what it said when it ended before. */
  readonly ready: Promise<string>;
  readonly lines: readonly string[];
  readonly errors: () => string;
  /** When it and all it has started have ended. */
  readonly exitCode: Promise<number | null>;
  kill(signal?: NodeJS.Signals): void;
  /** As Ctrl-C in a terminal does: everything that it has started gets the signal too. */
  interrupt(): void;
}

/**
 * Runs `node <program> <args>` in the project, or in the folder `cwd`, with nothing but `environment`;
 * stops it with the test.
 * Unless told otherwise it logs nothing but what went wrong.
 */
export function run(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
  { cwd = root }: { readonly cwd?: string } = {},
): Program {
  if (cwd === root) refuseUnnamedFolder(program, args);
  return observe(
    program,
    fork(join(cwd, program), args, {
      cwd,
      env: { PATH: process.env['PATH'], ...quiet, ...environment },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    }),
  );
}

/** What lies in `compositions/` may be anybody's, and call services that no test knows. */
function refuseUnnamedFolder(program: string, [command = '', ...options]: readonly string[]): void {
  const loads = ['check', 'dev', 'explain', 'start'].includes(command);
  if (!loads || options.includes('--compositions')) return;
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
      env: { PATH, HOME, ...npm, ...quiet, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    }),
  );
}

/** `child` leads a process group: what it has started, and perhaps left behind, ends with the test too. */
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
    // Until nobody holds its output any more; afterwards the number may be somebody else's.
    if (!ended && child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    await exitCode;
  });
  return {
    ready,
    lines,
    errors: () => errors,
    exitCode,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    interrupt() {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGINT');
    },
  };
}

function signalGroup(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-id, signal);
  } catch (error) {
    // It has just ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The mock services as one process, and the variables that lead a gateway to them. */
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
