/** A trace as a picture, the way Jaeger shows it. */
import type { StoredSpan, StoredTrace } from '../../src/telemetry/trace-store.ts';
import { escape, faint, frame, ink, line, red } from './svg.ts';

type Span = StoredSpan & { readonly service: string };

const width = 1_000;
/** Lines are sharp between two whole numbers. */
const [timeLeft, timeRight] = [372.5, 988.5];
const [firstRow, rowHeight, indent] = [108, 30, 18];
/** Of a letter, about: fonts differ. */
const letterWidth = 7.2;
const colours = ['#17b8be', '#829ae3', '#da70bf', '#ddb27c', '#4dc19c', '#f89570'];

/** @throws Error when the spans are not one tree: some of the trace is missing. */
export function drawTrace({ traceId, spans }: StoredTrace & { spans: readonly Span[] }): string {
  const rows = rowsOf(spans);
  const root = rows[0]?.span;
  if (root === undefined || rows.length < spans.length)
    throw new Error(`Trace ${traceId}: only ${rows.length} of ${spans.length} spans are one tree.`);
  const services = [...new Set(rows.map(({ span }) => span.service))];
  const scale: Scale = {
    fromMs: Math.min(...spans.map(({ startMs }) => startMs)),
    untilMs: Math.max(...spans.map(({ endMs }) => endMs)),
    colourOf: ({ service }) => colours[services.indexOf(service) % colours.length] ?? ink,
  };
  const height = firstRow + rows.length * rowHeight + 6;
  const title = escape(`${root.service}: ${root.name}`);
  const errors = spans.filter(({ error }) => error !== undefined).length;
  const facts = `${milliseconds(root)} · ${services.length} services · ${spans.length} spans · ${errors} errors`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" fill="${ink}"
  font-family="-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif" font-size="13">
<title>${title}</title>
${frame(width, height)}
<text x="16" y="30" font-size="18" font-weight="600">${title}</text>
<text x="16" y="54">${facts}<tspan dx="12" fill="${faint}">trace ${traceId}</tspan></text>
${drawRuler(scale, height)}
${rows.map((row) => drawName(row, scale) + drawBar(row, scale)).join('\n')}
</svg>
`;
}

interface Scale {
  readonly fromMs: number;
  readonly untilMs: number;
  colourOf(span: Span): string;
}

interface Row {
  readonly span: Span;
  readonly depth: number;
  readonly index: number;
  readonly parentIndex: number;
}

/** Spans below the ones they belong to, by their start. */
function rowsOf(spans: readonly Span[]): Row[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const sorted = spans.toSorted((one, other) => one.startMs - other.startMs);
  const rows: Row[] = [];
  const add = (span: Span, depth: number, parentIndex: number): void => {
    const index = rows.push({ span, depth, index: rows.length, parentIndex }) - 1;
    const children = sorted.filter(({ parentSpanId }) => parentSpanId === span.spanId);
    for (const child of children) add(child, depth + 1, index);
  };
  const root = sorted.find(({ parentSpanId }) => !ids.has(parentSpanId ?? ''));
  if (root !== undefined) add(root, 0, 0);
  return rows;
}

function drawRuler({ fromMs, untilMs }: Scale, height: number): string {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const x = timeLeft + (timeRight - timeLeft) * part;
    const place = part < 1 ? `x="${x + 5}"` : `x="${x - 5}" text-anchor="end"`;
    return `<path d="M${x} 70V${height - 1}" stroke="${line}"/>
<text ${place} y="91">${milliseconds({ startMs: 0, endMs: (untilMs - fromMs) * part })}</text>`;
  });
  return `<rect x="1" y="70" width="${width - 2}" height="32" fill="#f6f8fa"/>
<text x="16" y="91" font-weight="600">Service &amp; operation</text>
${ticks.join('\n')}`;
}

function drawName({ span, depth, index, parentIndex }: Row, { colourOf }: Scale): string {
  const [x, y] = [16 + depth * indent, firstRow + (index + 0.5) * rowHeight];
  const drop = (index - parentIndex) * rowHeight - 9;
  const branch = `<path d="M${x - 16.5} ${y + 0.5 - drop}v${drop}h12" fill="none" stroke="#afb8c1"/>`;
  const mark = `<circle cx="${x + 17}" cy="${y}" r="7" fill="${red}"/>
<text x="${x + 17}" y="${y + 4}" font-size="11" font-weight="700" fill="#fff" text-anchor="middle">!</text>`;
  return `${depth === 0 ? '' : branch}${span.error === undefined ? '' : mark}
<rect x="${x}" y="${y - 9}" width="4" height="18" fill="${colourOf(span)}"/>
<text x="${x + (span.error === undefined ? 12 : 30)}" y="${y + 4.5}"><tspan
font-weight="600">${escape(span.service)}</tspan><tspan dx="8" fill="${faint}">${escape(span.name)}</tspan></text>`;
}

/** The label stands where there is room: after the bar, before it, or in it. */
function drawBar({ span, index }: Row, { fromMs, untilMs, colourOf }: Scale): string {
  const y = firstRow + index * rowHeight;
  const perMs = (timeRight - timeLeft) / (untilMs - fromMs);
  const from = timeLeft + (span.startMs - fromMs) * perMs;
  const until = timeLeft + (span.endMs - fromMs) * perMs;
  const note = span.error ?? ('plait.degraded' in span.attributes ? 'degraded' : '');
  const room = (milliseconds(span).length + note.length + 3) * letterWidth;
  const isAfter = until + room < timeRight;
  const isInside = !isAfter && from - room < timeLeft;
  const x = isAfter ? until + 6 : (isInside ? until : from) - 6;
  return `
<rect x="${from.toFixed(1)}" y="${y + 7}" width="${Math.max(2, until - from).toFixed(1)}" height="16" rx="2" fill="${colourOf(span)}"/>
<text x="${x.toFixed(1)}" y="${y + 19.5}" text-anchor="${isAfter ? 'start' : 'end'}">${milliseconds(span)}<tspan
dx="8" font-weight="600" fill="${isInside ? ink : red}">${escape(note)}</tspan></text>`;
}

function milliseconds({ startMs, endMs }: Pick<Span, 'startMs' | 'endMs'>): string {
  const ms = endMs - startMs;
  return ms === 0 ? '0' : `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}
