/** Folders of compositions for `plait … --compositions`. */
import { cp, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { shippedFolder } from './shipped.ts';

/** The shipped compositions and `files`, in a folder where `plait` resolves as in the project. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(import.meta.dirname, '../..');
  const project = await mkdtemp(join(tmpdir(), 'plait-'));
  onTestFinished(() => rm(project, { recursive: true }));
  for (const part of ['src', 'node_modules']) await symlink(join(root, part), join(project, part));
  const shipped = (await readdir(shippedFolder)).map((name) => `compositions/${name}`);
  for (const part of ['package.json', 'compositions/upstreams', ...shipped])
    await cp(join(root, part), join(project, part), { recursive: true });
  for (const [name, text] of Object.entries(files))
    await writeFile(join(project, 'compositions', name), text);
  return join(project, 'compositions');
}
