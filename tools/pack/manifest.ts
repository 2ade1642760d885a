/** The package.json of the package, made from the one of the repository. */
import { join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');
export const manifestPath = join(root, 'package.json');
/** The repository's own package.json while the package is being packed. */
export const savedPath = join(root, 'package.json.saved');

const repositoryOnly = new Set(['scripts', 'devDependencies', 'allowScripts']);

const schema = z.looseObject({ publishConfig: z.object({ exports: z.unknown() }) });

/**
 * Replaces `exports` by `publishConfig.exports`, as pnpm does and npm does not, and leaves out what
 * is only for the repository.
 */
export function toPublished(text: string): string {
  const { publishConfig, ...manifest } = schema.parse(JSON.parse(text));
  const kept = Object.entries(manifest).filter(([name]) => !repositoryOnly.has(name));
  const published = { ...Object.fromEntries(kept), exports: publishConfig.exports };
  return `${JSON.stringify(published, null, 2)}\n`;
}
