/** Results → tables: everything, as text or Markdown, and a short one for the README. */
import { byHand } from './programs.ts';
import { cpuTime } from './result.ts';
import type { Compared, Figures, Judged, Result } from './result.ts';

type Cells = readonly string[];

const heading: Cells = [
  'row',
  'measured',
  'program',
  'value',
  'subject to it',
  'quartiles',
  'calls/request',
  'p50 ms',
  'p99 ms',
  'target',
];

export function toText(results: readonly Result[]): string {
  const lines = linesOf(results);
  const widths = heading.map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  return lines
    .map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

export function toMarkdown(results: readonly Result[]): string {
  const [first = [], ...lines] = linesOf(results);
  return markdown(first, lines);
}

/** The heading; for each result a line of its subject, and one for each program beside it. */
function linesOf(results: readonly Result[]): readonly Cells[] {
  return [
    heading,
    ...results.flatMap(({ name, measured, subject, others }) => [
      [name, measured, ...cellsOf(subject)],
      ...others.map((other) => ['', '', ...cellsOf(other)]),
    ]),
  ];
}

function cellsOf(figures: Figures | Compared): Cells {
  const { program, value, underLoad, targets } = figures;
  const comparison = 'comparison' in figures ? comparisonCells(figures) : ['', ''];
  return [
    program,
    rounded(value),
    ...comparison,
    ...[underLoad?.calls, underLoad?.p50Ms, underLoad?.p99Ms].map((figure) =>
      figure === undefined ? '' : rounded(figure),
    ),
    targets.map(targetCell).join(', '),
  ];
}

function targetCell({ of, atMost, isMet }: Judged): string {
  const limit = { subject: `${atMost}`, ratio: `${atMost}×`, difference: `+${atMost}` }[of];
  return `≤ ${limit}: ${isMet ? 'met' : 'missed'}`;
}

function comparisonCells({ comparison: { of, median, lower, upper } }: Compared): Cells {
  const compared =
    of === 'ratio' ? `${median.toFixed(2)}×` : `${median < 0 ? '' : '+'}${rounded(median)}`;
  return [compared, `${rounded(lower)} … ${rounded(upper)}`];
}

/**
 * CPU time of Plait and of the programs one would write or pick instead: a line for each such row.
 */
export function toReadme(results: readonly Result[]): string {
  const costs = results.filter(
    ({ measured, others }) =>
      measured === cpuTime && others.some(({ program }) => program === byHand.name),
  );
  const programs = [
    ...new Set(costs.flatMap(({ others }) => others.map(({ program }) => program))),
  ];
  const lines = costs.map(({ about, subject, others }) => [
    about,
    `${rounded(subject.value)} µs`,
    ...programs.map((program) => ratioTo(others.find((other) => other.program === program))),
  ]);
  return markdown(['CPU time per request', 'Plait', ...programs], lines);
}

function ratioTo(other: Compared | undefined): string {
  if (other === undefined) return '';
  const { value, comparison } = other;
  return `${comparison.median.toFixed(2)}× of ${rounded(value)} µs`;
}

function markdown(first: Cells, lines: readonly Cells[]): string {
  return [first, first.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** Three digits are more than a bench can tell. */
function rounded(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
