/** What one line of the results is about. Rows are the files of `rows/`. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request } from './load/request-file.ts';
import type { Program } from './programs.ts';

export interface Row {
  /** As the file is called. */
  readonly name: string;
  readonly subject: Program;
  readonly baseline: Program;
  readonly load: Load;
  readonly target?: Target;
}

/**
 * What is done to both programs, and what is measured of them.
 * - `full`: 64 clients that send as fast as they are answered; CPU time per request.
 * - `half`: half the rate that the subject reaches under full load; the 99th percentile of latency.
 * - `start`: it is started again in each round; the time until it is ready, or its memory then.
 */
export type Load =
  | {
      readonly kind: 'full';
      /** Sent in turn. */
      readonly requests: readonly Request[];
      /** Clients have the response already, and say so. */
      readonly revalidates?: true;
    }
  | { readonly kind: 'half'; readonly requests: readonly Request[] }
  | { readonly kind: 'start'; readonly measures: 'readyMs' | 'rssMiB' };

/** What is to be reached: of the subject's own figure, of its ratio to the baseline's, or of their difference. */
export interface Target {
  readonly of: 'subject' | 'ratio' | 'difference';
  readonly atMost: number;
}

/** All rows, or the one called `wanted`, or those it is the first word of: `telemetry`. By name. */
export async function loadRows(wanted?: string): Promise<readonly Row[]> {
  const folder = join(import.meta.dirname, 'rows');
  const files = (await readdir(folder)).toSorted();
  const modules: { default: Row }[] = await Promise.all(
    files.map((file) => import(join(folder, file))),
  );
  const rows = modules.map((module) => module.default);
  if (wanted === undefined) return rows;
  const found = rows.filter(({ name }) => name === wanted || name.startsWith(`${wanted}-`));
  if (found.length > 0) return found;
  const names = rows.map(({ name }) => name).join(', ');
  throw new Error(`There is no row ${JSON.stringify(wanted)}. There are: ${names}.`);
}
