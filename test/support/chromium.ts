/** A real browser, without a window. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const isInstalled = spawnSync('chromium', ['--version']).status === 0;

/** Where `CI` is set, a missing Chromium is a failure. */
export const isChromiumSkipped = !isInstalled && !process.env['CI'];
if (isChromiumSkipped)
  process.stdout.write('chromium is not installed: the tests that need it are skipped\n');

/** Opens a page, and gives its document as HTML, as it is when its scripts have run. */
export async function openPage(url: string): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), 'plait-chromium-'));
  onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  const { stdout } = await promisify(execFile)('chromium', [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    `--user-data-dir=${profile}`,
    '--dump-dom',
    url,
  ]);
  return stdout;
}
