/** Results → a table, for a terminal or for a README. */
import type { Figures, Result } from './result.ts';

const columns: Readonly<Record<string, (result: Result) => string>> = {
  row: ({ name }) => name,
  measured: ({ measured }) => measured,
  subject: ({ subject }) => valueOf(subject),
  baseline: ({ baseline }) => valueOf(baseline),
  compared: ({ comparison: { of, median } }) =>
    of === 'ratio' ? `${median.toFixed(2)}×` : `${median < 0 ? '' : '+'}${rounded(median)}`,
  'min … max': ({ comparison: { least, most } }) => `${rounded(least)} … ${rounded(most)}`,
  'calls/request': pairOf(({ calls }) => calls),
  'p50 ms': pairOf(({ p50Ms }) => p50Ms),
  'p99 ms': pairOf(({ p99Ms }) => p99Ms),
  target: ({ target }) =>
    target === undefined
      ? ''
      : `${target.of} ≤ ${target.atMost}: ${target.isMet ? 'met' : 'missed'}`,
};

/** The heading, and a line for each result. */
function cellsOf(results: readonly Result[]): readonly (readonly string[])[] {
  return [
    Object.keys(columns),
    ...results.map((result) => Object.values(columns).map((cellOf) => cellOf(result))),
  ];
}

export function toText(results: readonly Result[]): string {
  const lines = cellsOf(results);
  const widths = Object.keys(columns).map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  return lines
    .map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

export function toMarkdown(results: readonly Result[]): string {
  const [heading = [], ...lines] = cellsOf(results);
  return [heading, heading.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function valueOf({ program, value }: Figures): string {
  return `${rounded(value)} (${program})`;
}

/** Of subject and baseline. */
function pairOf(pick: (underLoad: NonNullable<Figures['underLoad']>) => number) {
  return ({ subject, baseline }: Result): string =>
    [subject, baseline]
      .map(({ underLoad }) => (underLoad === undefined ? '' : rounded(pick(underLoad))))
      .join(' / ')
      .replace(/^ \/ $/, '');
}

/** Three digits are more than a bench can tell. */
function rounded(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
