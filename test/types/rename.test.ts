/** The promise of the types, kept end to end: a field that an upstream renames breaks the build where it is used. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '../..');

describe('the compiler', () => {
  it('accepts the compositions as they are', async () => {
    const { code, output } = await typeCheck(await copyOfProject());
    expect(output).toBe('');
    expect(code).toBe(0);
  });

  it('names every composition that uses a field after the upstream renamed it', async () => {
    const folder = await copyOfProject();
    const upstream = join(folder, 'compositions/upstreams/orders.ts');
    const schema = await readFile(upstream, 'utf8');
    const renamed = schema.replace('  total: z.number(),', '  totalAmount: z.number(),');
    expect(renamed).not.toBe(schema);
    await writeFile(upstream, renamed);

    const { code, output } = await typeCheck(folder);
    expect(code).not.toBe(0);
    expect(output).toMatch(/^compositions\/order-summary\.ts.*"total"/m);
    expect(output).toMatch(/^compositions\/customer-orders\.ts.*"total"/m);
    expect(output).not.toMatch(/^(?:src|compositions\/order-tracking)/m);
  });
});

/** What type checking needs of the project, elsewhere, until the test is over. */
async function copyOfProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plait-rename-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const part of ['src', 'compositions', 'tsconfig.json', 'package.json'])
    await cp(join(root, part), join(folder, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function typeCheck(folder: string): Promise<{ code: number; output: string }> {
  const compiler = join(root, 'node_modules/.bin/tsc');
  return new Promise((resolve) => {
    execFile(compiler, ['--pretty', 'false'], { cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}
