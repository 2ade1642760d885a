/** Prometheus' own promtool, if it is installed. */
import { spawnSync } from 'node:child_process';

const isInstalled = spawnSync('promtool', ['--version']).status === 0;

/** With `CI` set, tests fail for want of promtool instead of being skipped. */
export const isPromtoolSkipped = !isInstalled && !process.env['CI'];
if (isPromtoolSkipped) {
  process.stdout.write('promtool is not installed: the tests that need it are skipped\n');
}

export interface PromtoolOptions {
  readonly cwd?: string;
  /** Given to it as its standard input. */
  readonly input?: string;
}

/** Runs it, and returns its exit code and what it said. */
export function promtool(
  args: readonly string[],
  options: PromtoolOptions = {},
): { readonly code: number | null; readonly said: string } {
  if (!isInstalled) throw new Error('promtool is not installed: apt-get install prometheus');
  const { status, stdout, stderr } = spawnSync('promtool', args, { ...options, encoding: 'utf8' });
  return { code: status, said: stdout + stderr };
}
