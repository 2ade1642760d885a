/** The package, as `npm pack` makes it, installed in a folder that has nothing else. */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');

/** The parts of the project that `npm pack` needs. */
const parts = ['LICENSE', 'README.md', 'bin', 'package.json', 'src', 'tools', 'tsconfig.json'];

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plait-package-'));
  afterAll(() => rm(folder, { recursive: true }));
  return folder;
}

/**
 * Packs a copy of the project, since other tests run the project meanwhile. `manifest` is the
 * package.json of the copy before and after.
 */
export async function packed() {
  const copy = await temporaryFolder();
  for (const part of [...parts, 'tsconfig.build.json'])
    await cp(join(root, part), join(copy, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const before = await readFile(join(copy, 'package.json'), 'utf8');
  execFileSync('npm', ['pack', '--silent'], { cwd: copy, stdio: ['ignore', 'ignore', 'inherit'] });
  const after = await readFile(join(copy, 'package.json'), 'utf8');
  const tarball = (await readdir(copy)).find((name) => name.endsWith('.tgz')) ?? '';
  const listing = execFileSync('tar', ['tzf', tarball], { cwd: copy, encoding: 'utf8' });
  const files = listing.trim().split('\n');
  return { tarball: join(copy, tarball), files, manifest: { before, after } };
}

const manifestSchema = z.looseObject({ dependencies: z.record(z.string(), z.string()) });

/**
 * Installs the tarball in an empty folder, without a registry: unpacks it, and links the packages
 * that it depends on, which the project has.
 */
export async function install(
  tarball: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await temporaryFolder();
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'plait'), { recursive: true });
  execFileSync('tar', ['xzf', tarball, '--strip-components=1'], { cwd: join(modules, 'plait') });
  const text = await readFile(join(modules, 'plait/package.json'), 'utf8');
  const { dependencies } = manifestSchema.parse(JSON.parse(text));
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}
