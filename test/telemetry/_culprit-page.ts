/** The tables of `docs/find-the-culprit.md`, and what its words claim about a situation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SinkSpan } from '../support/otlp-sink.ts';
import { hasPhrase, untruePhrases } from './_culprit-phrases.ts';
import type { Evidence } from './_evidence.ts';
import { sumOf } from './_prometheus.ts';

const columns = ['jaeger', 'trace', 'metrics', 'log'] as const;

type Column = (typeof columns)[number];

export interface Row extends Readonly<Record<Column, string>> {
  /** As it is to be read, without links. */
  readonly text: string;
  /** The names of the situations that it links to. */
  readonly situations: readonly string[];
}

const page = readFileSync(join(import.meta.dirname, '../../docs/find-the-culprit.md'), 'utf8');

/** The targets of links, by the names of situations. */
export const targets = new Map(
  Array.from(page.matchAll(/^\[(.+)\]: (.+)$/gm), ([, name = '', target = '']) => [name, target]),
);

/** What the list below the tables quotes: its situations end a process, and have tests of their own. */
export const quotedBelow: readonly string[] = page
  .split('\n- ')
  .slice(1)
  .flatMap((item) => Array.from(item.split('\n\n')[0]?.matchAll(/`([^`]+)`/g) ?? []))
  .map(([, quoted = '']) => quoted);

/** The tables of situations are below the headings of the third level. */
export const rows: readonly Row[] = page
  .slice(page.indexOf('\n### '))
  .split('\n')
  .filter((line) => /^\| (?!situation \||---)/.test(line))
  .map(toRow);

function toRow(line: string): Row {
  const [text = '', jaeger = '', trace = '', metrics = '', log = '', ...more] = line
    .slice(2, -2)
    .split(' | ');
  if (more.length > 0) throw new Error(`more than five cells: ${line}`);
  const situations = Array.from(text.matchAll(/\]\[([\w-]+)\]/g), ([, name = '']) => name);
  const plain = text.replaceAll(/\[([^\]]+)\](?:\[[^\]]+\])?/g, '$1');
  return { text: plain, situations, jaeger, trace, metrics, log };
}

/**
 * The claims of a row that its situations do not bear out. All that is quoted has to be seen in one of
 * them, and more often than where all is well; phrases that are known have to be true of each.
 */
export function untrueIn(row: Row, seen: readonly Evidence[], well: Evidence): string[] {
  return columns.flatMap((column) => {
    const cell = row[column];
    const isSeen = (quoted: string): boolean =>
      seen.some((one) => timesIn(column, quoted, one) > timesIn(column, quoted, well));
    const quotes = Array.from(cell.matchAll(/`([^`]+)`/g), ([, quoted = '']) => quoted);
    const saysNothing = quotes.length === 0 && !cell.startsWith('none') && !hasPhrase(cell);
    return [
      ...quotes.filter((quoted) => !isSeen(quoted)),
      ...(column === 'jaeger' ? untruePhrases(cell, seen) : []),
      ...(column === 'log' && cell === 'none' && seen.some(isTold) ? ['none'] : []),
      ...(saysNothing ? [cell] : []),
    ].map((claim) => `${column}: ${claim}`);
  });
}

/** How often, or how much of it, is seen. */
function timesIn(column: Column, quoted: string, evidence: Evidence): number {
  switch (column) {
    case 'jaeger':
      return evidence.traces.flat().filter((span) => isIn(span, quoted)).length;
    case 'trace':
      return evidence.drawn.split(quoted).length - 1;
    case 'metrics':
      return Math.max(...evidence.metrics.map((series) => amountOf(quoted, series)));
    case 'log':
      return evidence.lines.filter((line) => isInLine(line, quoted)).length;
    default:
      return column satisfies never;
  }
}

/** `key=value` and `key` are attributes; other words are names, or a part of the description. */
function isIn({ name, attributes, events, status }: SinkSpan, quoted: string): boolean {
  const [, key, value] = /^([a-z_]+(?:\.[a-z_]+)+)(?:=(.+))?$/.exec(quoted) ?? [];
  if (key === undefined) {
    const names = [name, ...events.map((event) => event.name)];
    return names.includes(quoted) || status.message.includes(quoted);
  }
  return value === undefined ? key in attributes : String(attributes[key]) === value;
}

/** `a >= b`: 1 if that is so and 0 otherwise. */
function amountOf(quoted: string, series: Evidence['metrics'][number]): number {
  const [one = '', other] = quoted.split(' >= ');
  if (other === undefined) return sumOf(one, series);
  return sumOf(one, series) >= sumOf(other, series) ? 1 : 0;
}

/** `name=value` and `name` are fields; anything else is a part of a text. */
function isInLine(line: Evidence['lines'][number], quoted: string): boolean {
  const [, field = '', value] = /^([a-z_.]+)(?:=(.+))?$/.exec(quoted) ?? [];
  if (field === '') return JSON.stringify(line).replaceAll('\\"', '"').includes(quoted);
  const found = field.split('.').reduce<unknown>(fieldIn, line);
  return value === undefined ? found !== undefined : String(found) === value;
}

function fieldIn(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

/** Whether a line says more than that a request was answered. */
function isTold({ lines }: Evidence): boolean {
  return lines.some(({ level, status }) => level !== 'info' || status === undefined);
}
