#!/usr/bin/env node
// Plain JavaScript of an old dialect, so that a Node that is too old can still say so.
const major = Number(process.versions.node.split('.')[0]);
if (major >= 24) {
  import('../src/cli/main.ts');
} else {
  console.error(
    `plait needs Node 24 or newer, and this is ${process.versions.node}. ` +
      'Inside the project, `npx plait` and the npm scripts use the Node that npm ci installed.',
  );
  process.exitCode = 1;
}
