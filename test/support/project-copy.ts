/** Copies of the project, to change and type-check. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Copies what type checking needs to a folder that is removed with the test. */
export async function copyOfProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plait-types-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const part of ['src', 'compositions', 'tsconfig.json', 'package.json'])
    await cp(join(root, part), join(folder, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Replaces `from`, which must be there, by `to` in one file. */
export async function change(path: string, from: string, to: string): Promise<void> {
  const before = await readFile(path, 'utf8');
  const after = before.replace(from, to);
  expect(after, `${path} does not contain: ${from}`).not.toBe(before);
  await writeFile(path, after);
}

export function typeCheck(folder: string): Promise<{ code: number; output: string }> {
  const compiler = join(root, 'node_modules/.bin/tsc');
  return new Promise((resolve) => {
    execFile(compiler, ['--pretty', 'false'], { cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}
