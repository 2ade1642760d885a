/** `npm run profile -- --row <row>`: where the CPU time of a row's subject goes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findGenerator } from '../../bench/load/generators.ts';
import { describeMachine, toLine } from '../../bench/machine.ts';
import { startChild } from '../../bench/process/child.ts';
import { findPinning } from '../../bench/process/pinning.ts';
import { servicesLaunch } from '../../bench/programs.ts';
import { rows } from '../../bench/rows.ts';
import { runMain, temporaryFolder } from '../../bench/command.ts';
import { toTree } from './cpu-profile.ts';
import { drawFlameGraph } from './flame-graph.ts';
import type { Captions } from './flame-graph.ts';
import { findLoadedRow } from './loaded-row.ts';
import { readOptions } from './options.ts';
import { record } from './record.ts';
import { toReport } from './report.ts';

async function main(): Promise<void> {
  const { row: name, seconds, svg, cpuProfile } = readOptions(process.argv.slice(2));
  const row = findLoadedRow(rows, name);
  const generator = findGenerator();
  const { pin, note } = findPinning();
  console.error(toLine(describeMachine({ pinning: note, generator: generator.name })));
  const folder = temporaryFolder('plait-profile');
  await using services = await startChild(servicesLaunch, 'surroundings', pin);
  const place = { services: services.url, folder };
  const { profile, cpuMicros } = await record(row, { place, generator, pin, seconds });
  const tree = toTree(profile);
  console.log(toReport(tree, cpuMicros));
  if (svg !== undefined) await write(svg, drawFlameGraph(tree, captionsOf(row.name, cpuMicros)));
  if (cpuProfile !== undefined) await write(cpuProfile, JSON.stringify(profile));
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

function captionsOf(row: string, cpuMicros: number): Captions {
  const cost = `${cpuMicros.toFixed(0)} µs of CPU time per request`;
  return {
    title: `Where the time of ${row} goes`,
    facts: `${cost} · Node ${process.version} · width is time, callees are below their callers`,
  };
}

await runMain(main);
