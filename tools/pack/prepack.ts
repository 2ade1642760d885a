/** Run by `npm pack` before it packs: builds `dist/` and writes the package.json of the package. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestPath, savedPath, toPublished } from './manifest.ts';

const root = join(import.meta.dirname, '../..');

// Left behind by an `npm pack` that was killed.
if (existsSync(savedPath)) copyFileSync(savedPath, manifestPath);
rmSync(join(root, 'dist'), { recursive: true, force: true });
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
copyFileSync(manifestPath, savedPath);
writeFileSync(manifestPath, toPublished(readFileSync(manifestPath, 'utf8')));
