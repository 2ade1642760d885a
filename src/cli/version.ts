/** The version of this package. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Read, not imported: the compiler would take the file for a source, and build it. */
export function readVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version;
}
