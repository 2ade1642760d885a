/** `npm run bench`: measures Plait against what one would write by hand, row by row; see README.md. */
import { writeFile } from 'node:fs/promises';
import type { Bench } from './bench.ts';
import { compare } from './compare.ts';
import { findGenerator } from './load/generators.ts';
import { describeMachine, toLine } from './machine.ts';
import { readOptions } from './options.ts';
import { startChild } from './process/child.ts';
import { findPinning } from './process/pinning.ts';
import { servicesLaunch } from './programs.ts';
import { toResult } from './result.ts';
import type { Result } from './result.ts';
import { loadRows } from './row.ts';
import type { Row } from './row.ts';
import { runMain } from './run-main.ts';
import { toMarkdown, toText } from './table.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function main(): Promise<void> {
  const { only, json, format, ...lengths } = readOptions(process.argv.slice(2));
  const rows = await loadRows(only);
  const generator = findGenerator();
  const { pin, note } = findPinning();
  const machine = describeMachine({ pinning: note, generator: generator.name });
  console.error(toLine(machine));
  const folder = temporaryFolder('plait-bench');
  await using services = await startChild(servicesLaunch, 'surroundings', pin);
  const place = { services: services.url, folder };
  const results = await measureAll(rows, { place, services, generator, pin, ...lengths });
  console.log(format === 'markdown' ? toMarkdown(results) : toText(results));
  if (json !== undefined) await writeFile(json, JSON.stringify({ machine, results }, null, 2));
  if (results.length < rows.length) process.exitCode = 1;
}

/** The results of all rows that could be measured; of the others, what went wrong is said. */
async function measureAll(rows: readonly Row[], bench: Bench): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const row of rows) {
    console.error(row.name);
    try {
      // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
      results.push(toResult(row, await compare(row, bench)));
    } catch (error) {
      console.error(`FAILED ${row.name}:`, error);
    }
  }
  return results;
}

await runMain(main);
