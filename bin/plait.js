#!/usr/bin/env node
// Plain JavaScript of an old dialect, so that a Node that is too old can still say so.
import { existsSync } from 'node:fs';

const major = Number(process.versions.node.split('.')[0]);
if (major >= 24) {
  // The repository has the sources, the package what was built of them.
  const source = new URL('../src/cli/main.ts', import.meta.url);
  import(existsSync(source) ? source.href : '../dist/cli/main.js');
} else {
  console.error(
    `plait needs Node 24 or newer, and this is ${process.versions.node}. ` +
      'Inside the project, `npx plait` and the npm scripts use the Node that npm ci installed.',
  );
  process.exitCode = 1;
}
