/** The version of this package. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Reads package.json instead of importing it, which would make it part of the build. */
export function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version;
}
