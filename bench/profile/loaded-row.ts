/** Which rows can be profiled: those that put load on a program. */
import type { Load, Row } from '../row.ts';

export interface LoadedRow extends Row {
  readonly load: Exclude<Load, { kind: 'start' }>;
}

/** @throws Error that lists the rows there are. */
export function findLoadedRow(rows: readonly Row[], name: string): LoadedRow {
  const loaded = rows.filter(isLoaded);
  const found = loaded.find((row) => row.name === name);
  if (found !== undefined) return found;
  const isThere = rows.some((row) => row.name === name);
  const problem = isThere
    ? `The row ${JSON.stringify(name)} only starts a program: there is no load to profile.`
    : `There is no row ${JSON.stringify(name)}.`;
  throw new Error(`${problem} There are: ${loaded.map((row) => row.name).join(', ')}.`);
}

function isLoaded(row: Row): row is LoadedRow {
  return row.load.kind !== 'start';
}
