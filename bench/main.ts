/** `npm run bench`: measures Plait beside what one would write or pick instead; see README.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { runMain, temporaryFolder } from './command.ts';
import { compare } from './compare.ts';
import { findGenerator } from './load/generators.ts';
import { describeMachine, toLine } from './machine.ts';
import type { Machine } from './machine.ts';
import type { Bench } from './measure.ts';
import { readOptions } from './options.ts';
import type { Options } from './options.ts';
import { startChild } from './process/child.ts';
import { findPinning } from './process/pinning.ts';
import { servicesLaunch } from './programs.ts';
import { toResult } from './result.ts';
import type { Result } from './result.ts';
import type { Row } from './row.ts';
import { against, coveringRows, findRows } from './rows.ts';
import { toMarkdown, toReadme, toText } from './table.ts';

/** Everything a run has measured; what `--json` writes and `--from` reads. */
interface Measured {
  readonly machine: Machine;
  readonly options: Options;
  readonly results: readonly Result[];
}

const tables = { text: toText, markdown: toMarkdown, readme: toReadme };

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const { from, json, format } = options;
  const measured = from === undefined ? await measure(options) : await readMeasured(from);
  console.log(tables[format](measured.results));
  if (json !== undefined) await writeFile(json, JSON.stringify(measured, null, 2));
}

async function readMeasured(file: string): Promise<Measured> {
  const measured = JSON.parse(await readFile(file, 'utf8')) as Measured; // as `main` writes it
  console.error(toLine(measured.machine));
  return measured;
}

async function measure(options: Options): Promise<Measured> {
  const rows = rowsFor(options);
  const generator = findGenerator();
  const { pin, note } = findPinning();
  const machine = describeMachine({ pinning: note, generator: generator.name });
  console.error(toLine(machine));
  const folder = temporaryFolder('plait-bench');
  await using services = await startChild(servicesLaunch, 'surroundings', pin);
  const place = { services: services.url, folder };
  const results = await measureAll(rows, { place, services, generator, pin, ...options });
  if (results.length < rows.length) process.exitCode = 1;
  return { machine, options, results };
}

function rowsFor({ only, isSmoke, against: other }: Options): readonly Row[] {
  const rows = isSmoke && only === undefined ? coveringRows() : findRows(only);
  return other === undefined ? rows : rows.map((row) => against(row, other));
}

/** The results of all rows that could be measured; prints what went wrong with the others. */
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
