/** The series that the collector's Prometheus exporter makes of OTLP, by its documented rules. */
import type { SinkPoint } from '../support/otlp-sink.ts';

/** The units of Prometheus' otlptranslator; others than these are not used here. */
const units = new Map([
  ['', ''],
  ['1', ''],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['By', 'bytes'],
]);

function wordOf(unit: string): string {
  if (/^\{\w+\}$/.test(unit)) return '';
  const word = units.get(unit);
  if (word === undefined) throw new Error(`No word is known for the unit "${unit}"`);
  return word;
}

function nameOf({ name, unit, type }: SinkPoint): string {
  const tokens = name.split(/[^a-zA-Z0-9:]+/);
  const word = wordOf(unit);
  if (word !== '' && !tokens.includes(word)) tokens.push(word);
  const last = type === 'counter' ? 'total' : unit === '1' && type === 'gauge' ? 'ratio' : '';
  return [...tokens.filter((token) => token !== last), last].filter((token) => token).join('_');
}

/** `name type{labels}`; of the labels only the names, but for the scope's. */
export function seriesOf(point: SinkPoint): string {
  const labels = Object.keys(point.attributes).map((label) => label.replaceAll(/\W/g, '_'));
  // A sum that may fall is a gauge in Prometheus.
  const type = point.type === 'sum' ? 'gauge' : point.type;
  return `${nameOf(point)} ${type}{${[...labels, 'otel_scope_name'].toSorted().join()}}`;
}

/** The same of a text in the Prometheus format. */
export function seriesIn(text: string): string[] {
  const types = new Map(
    Array.from(text.matchAll(/^# TYPE (\w+) (\w+)$/gm), ([, name = '', type = '']) => [name, type]),
  );
  return Array.from(text.matchAll(/^(\w+?)(_bucket|_sum)?(?:\{(.*)\})? \S+$/gm)).flatMap(
    ([, sample = '', part, labels = '']) => {
      if (part !== undefined || sample === 'target_info') return [];
      const name = types.has(sample) ? sample : sample.replace(/_count$/, '');
      const names = Array.from(labels.matchAll(/(\w+)="/g), ([, label]) => label);
      return [`${name} ${types.get(name)}{${names.toSorted().join()}}`];
    },
  );
}
