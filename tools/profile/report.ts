/** A profile as two tables of Markdown: the time of owners, and of functions. */
import { byFunction, byOwner } from './cpu-profile.ts';
import type { Frame } from './cpu-profile.ts';

const mostFunctions = 25;

/** `cpuMicros` is the CPU time of a request; shares are of it. */
export function toReport(tree: Frame, cpuMicros: number): string {
  const percent = (micros: number): string => ((micros / tree.totalMicros) * 100).toFixed(1);
  const perRequest = (micros: number): string =>
    ((micros / tree.totalMicros) * cpuMicros).toFixed(1);
  const owners = byOwner(tree)
    .map(({ owner, micros }) => [owner, percent(micros), perRequest(micros)])
    .filter(([, share]) => share !== '0.0');
  const functions = byFunction(tree)
    .slice(0, mostFunctions)
    .map(({ name, place, owner, micros }) => [
      name,
      place || `no file, for ${owner}`,
      percent(micros),
    ]);
  return [
    toTable(['owner', 'share %', 'µs/request'], [...owners, ['all', '100', cpuMicros.toFixed(1)]]),
    toTable(['function', 'where', 'self %'], functions),
  ].join('\n\n');
}

function toTable(heading: readonly string[], lines: readonly (readonly string[])[]): string {
  return [heading, heading.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.map(escape).join(' | ')} |`)
    .join('\n');
}

function escape(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
