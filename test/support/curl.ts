/** The real curl, as a client of gateways. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const isInstalled = spawnSync('curl', ['--version']).status === 0;

/** Where `CI` is set, a missing curl is a failure. */
export const isCurlSkipped = !isInstalled && !process.env['CI'];
if (isCurlSkipped)
  process.stdout.write('curl is not installed: the tests that need it are skipped\n');

export interface CurlAnswer {
  readonly body: string;
  /** As in `2 200`: the version of HTTP, and the status. */
  readonly outcome: string;
}

/** Runs `curl <args>`, and rejects if it fails. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  if (!isInstalled) throw new Error('curl is not installed: apt-get install curl');
  const format = '\n%{http_version} %{http_code}';
  const { stdout } = await promisify(execFile)('curl', ['-sS', '-w', format, ...args]);
  const at = stdout.lastIndexOf('\n');
  return { body: stdout.slice(0, at), outcome: stdout.slice(at + 1) };
}
