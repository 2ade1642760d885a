/** The Prometheus text format, and selectors as in `plait_loads_total{plait_result="sent"}`. */

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function seriesOf(text: string): Series[] {
  return Array.from(
    text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm),
    ([, name = '', labels = '', value]) => ({
      name,
      labels: labelsIn(labels),
      value: Number(value),
    }),
  );
}

/** The sum of all series that a selector selects; 0 if there are none. */
export function sumOf(selector: string, series: readonly Series[]): number {
  const [, name, labels = ''] = /^(\w+)(?:\{(.+)\})?$/.exec(selector) ?? [];
  if (name === undefined) throw new Error(`\`${selector}\` selects no metric`);
  const wanted = Object.entries(labelsIn(labels));
  return series
    .filter((one) => one.name === name && wanted.every(([key, text]) => one.labels[key] === text))
    .reduce((sum, { value }) => sum + value, 0);
}

function labelsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(text.matchAll(/(\w+)="([^"]*)"/g), ([, key = '', value = '']) => [key, value]),
  );
}
