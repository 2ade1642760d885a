/** Finds a row that can be profiled: one that puts load on a program. */
import type { Row, Traffic } from '../../bench/row.ts';

export interface LoadedRow extends Row {
  readonly load: Traffic;
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
  const names = loaded.map((row) => row.name).toSorted();
  throw new Error(`${problem} There are: ${names.join(', ')}.`);
}

function isLoaded(row: Row): row is LoadedRow {
  return row.load.kind !== 'start';
}
