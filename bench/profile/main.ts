/** `npm run profile -- --row <row>`: where the CPU time of a row's subject goes; see bench/README.md. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findGenerator } from '../load/generators.ts';
import { describeMachine, toLine } from '../machine.ts';
import { startChild } from '../process/child.ts';
import { findPinning } from '../process/pinning.ts';
import { servicesLaunch } from '../programs.ts';
import { loadRows } from '../row.ts';
import { runMain } from '../run-main.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { toTree } from './cpu-profile.ts';
import { drawFlameGraph } from './flame-graph.ts';
import type { Captions } from './flame-graph.ts';
import { findLoadedRow } from './loaded-row.ts';
import { readOptions } from './options.ts';
import { record } from './record.ts';
import { toReport } from './report.ts';

async function main(): Promise<void> {
  const { row: name, seconds, svg } = readOptions(process.argv.slice(2));
  const row = findLoadedRow(await loadRows(), name);
  const generator = findGenerator();
  const { pin, note } = findPinning();
  console.error(toLine(describeMachine({ pinning: note, generator: generator.name })));
  const folder = temporaryFolder('plait-profile');
  await using services = await startChild(servicesLaunch, 'surroundings', pin);
  const place = { services: services.url, folder };
  const { profile, cpuMicros } = await record(row, { place, generator, pin, seconds });
  const tree = toTree(profile);
  console.log(toReport(tree, cpuMicros));
  if (svg === undefined) return;
  await mkdir(dirname(svg), { recursive: true });
  await writeFile(svg, drawFlameGraph(tree, captionsOf(row.name, cpuMicros)));
}

function captionsOf(row: string, cpuMicros: number): Captions {
  const cost = `${cpuMicros.toFixed(0)} µs of CPU time per request`;
  return {
    title: `Where the time of ${row} goes`,
    facts: `${cost} · Node ${process.version} · width is time, callees are below their callers`,
  };
}

await runMain(main);
