/**
 * Fails tests that print errors or warnings, and has them wait as long as a busy machine may take.
 * Vitest itself fails on unhandled rejections.
 */
import { afterEach, beforeEach, expect, vi } from 'vitest';

// As `expect.poll` in vitest.config.ts, for what has no default there: vitest's own is one second.
const patient = { timeout: 20_000, interval: 10 };
const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, withPatience(options));
vi.waitUntil = (callback, options) => waitUntil(callback, withPatience(options));

function withPatience<Options extends object>(options: number | Options | undefined) {
  return { ...patient, ...(typeof options === 'number' ? { timeout: options } : options) };
}

beforeEach(() => {
  vi.spyOn(console, 'error');
  vi.spyOn(console, 'warn');
});

afterEach(() => {
  const said = [console.error, console.warn].flatMap((method) => vi.mocked(method).mock.calls);
  vi.restoreAllMocks();
  expect(said, 'nothing was printed as an error or a warning').toEqual([]);
});
