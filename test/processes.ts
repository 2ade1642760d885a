/** Programs of the project as processes of their own. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '..');

export interface Program {
  /** The rest of the line that began with `ready `; rejects with what it said when it ended before. */
  readonly ready: Promise<string>;
  readonly lines: readonly string[];
  readonly errors: () => string;
  readonly exitCode: Promise<number | null>;
  kill(signal?: NodeJS.Signals): void;
}

/**
 * Runs `node <program> <args>` in the project with nothing but `environment`; stops it with the test.
 * Unless told otherwise its management side takes a free port: tests run side by side.
 */
export function run(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
): Program {
  const child = fork(join(root, program), args, {
    cwd: root,
    env: { PATH: process.env['PATH'], ADMIN_PORT: '0', ...environment },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const lines: string[] = [];
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
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
    child.kill('SIGKILL');
    await exitCode;
  });
  return {
    ready,
    lines,
    errors: () => errors,
    exitCode,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
  };
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
