/** Draws a trace as a waterfall for the terminal: when each span ran, how long, and failures. */
import { largestShare } from './critical-path.ts';
import { culpritsOf, failureOf } from './culprits.ts';
import { oneLine } from './log-format.ts';
import type { StoredSpan, StoredTrace } from './trace-store.ts';

const barWidth = 40;

/**
 * Lists spans below their parents, by start; the bar shows when a span ran within the trace. Below
 * them is why it failed.
 */
export function drawWaterfall({ traceId, spans }: StoredTrace): string {
  const rows = rowsOf(spans);
  const from = Math.min(...spans.map(({ startMs }) => startMs));
  const until = Math.max(...spans.map(({ endMs }) => endMs));
  const nameWidth = Math.max(...rows.map(({ label }) => label.length));
  const lines = rows.map(({ label, span }) =>
    [
      label.padEnd(nameWidth),
      barOf(span, { from, until }),
      `${milliseconds(span.endMs - span.startMs).padStart(9)}`,
      ...notesOf(span),
    ].join('  '),
  );
  return [`trace ${traceId}`, ...lines, ...reasonsIn(spans)].map(oneLine).join('\n');
}

/** The most reasons of a trace; further ones are seldom of another kind. */
const mostReasons = 3;

/** The descriptions of failures: of the request, or else of the parts that its response lacks. */
function reasonsIn(spans: readonly StoredSpan[]): string[] {
  const ofRequest = rootsOf(spans).flatMap(({ message }) => message ?? []);
  const all = ofRequest.length > 0 ? ofRequest : spans.flatMap(({ message }) => message ?? []);
  return [...new Set(all)].slice(0, mostReasons).map((message) => `✗ ${message}`);
}

/** One line for each trace; `nameWidth`: that of the longest name of a request in the list. */
export function listTraces(
  traces: readonly StoredTrace[],
  nameWidth: number = nameWidthOf(traces),
): string {
  return traces
    .flatMap(({ traceId, spans }) => {
      const root = rootsOf(spans)[0];
      if (root === undefined) return [];
      const status = String(root.attributes['http.response.status_code'] ?? '').padEnd(3);
      const took = milliseconds(root.endMs - root.startMs).padStart(9);
      const name = root.name.padEnd(nameWidth);
      return [[traceId, status, took, name, ...outcomeOf(root, spans)].join('  ').trimEnd()];
    })
    .map(oneLine)
    .join('\n');
}

/** Of the column with the names of requests, as wide as `listTraces` makes it. */
export function nameWidthOf(traces: readonly StoredTrace[]): number {
  return Math.max(0, ...traces.map(({ spans }) => rootsOf(spans)[0]?.name.length ?? 0));
}

interface Row {
  readonly label: string;
  readonly span: StoredSpan;
}

function rowsOf(spans: readonly StoredSpan[]): Row[] {
  const below = (parent: StoredSpan, depth: number): Row[] =>
    sorted(spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId)).flatMap((span) => [
      { label: `${'  '.repeat(depth)}${span.name}`, span },
      ...below(span, depth + 1),
    ]);
  return rootsOf(spans).flatMap((root) => [{ label: root.name, span: root }, ...below(root, 1)]);
}

/** Spans whose parent is not in this trace store: the client's, or another process's. */
function rootsOf(spans: readonly StoredSpan[]): StoredSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return sorted(spans.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? '')));
}

function sorted(spans: readonly StoredSpan[]): StoredSpan[] {
  return spans.toSorted((one, other) => one.startMs - other.startMs);
}

function barOf({ startMs, endMs }: StoredSpan, { from, until }: { from: number; until: number }) {
  const scale = barWidth / Math.max(until - from, 0.001);
  const start = Math.min(barWidth - 1, Math.floor((startMs - from) * scale));
  const length = Math.max(1, Math.round((endMs - startMs) * scale));
  const bar = '█'.repeat(Math.min(length, barWidth - start));
  return `${' '.repeat(start)}${bar}`.padEnd(barWidth);
}

/** The facts worth seeing at a glance; `#` is the value, which otherwise stands behind the word. */
const shown = {
  'plait.denied': 'denied,',
  'plait.shed': 'shed',
  'plait.limit': 'limit',
  'plait.degraded': 'degraded',
  'plait.step.cache': 'cache',
  'plait.step.deduplicated': 'deduplicated',
  'plait.step.skipped': 'skipped',
  'plait.batch.size': '# keys',
  'plait.cancelled': 'called off',
  'plait.token.wait_ms': 'waited # ms for a token',
  'plait.bulkhead.wait_ms': 'waited # ms',
  'plait.retry.delay_ms': 'after a pause of # ms',
  'plait.batch.wait_ms': 'collected for # ms',
  'http.request.resend_count': 'resend',
  'plait.redirects': 'redirects',
  'plait.lookup.doubt': 'doubt',
  'plait.client_trace_id': 'client trace',
} as const;

function notesOf(span: StoredSpan): string[] {
  const { error, attributes } = span;
  const isServed = attributes['plait.step.batched'] === true;
  const notes = Object.entries(shown).flatMap(([name, word]) => {
    if (isServed && name.startsWith('plait.batch.')) return [];
    const value = attributes[name];
    return value === undefined || value === 0 ? [] : [value === true ? word : noteOf(word, value)];
  });
  // The name of an attempt does not say whose it is.
  const isAttempt = attributes['url.template'] !== undefined;
  const words = isAttempt ? (failureOf(span) ?? error) : error;
  const failure = words === undefined ? [] : [`✗ ${words}`];
  const place = isAttempt && error !== undefined ? placeIn(attributes) : [];
  return [...failure, ...place, ...serverIn(attributes), ...notes];
}

/** `at 10.0.0.7:4002`: a service may have several addresses, of which one is broken. */
function placeIn(attributes: StoredSpan['attributes']): string[] {
  const { 'server.address': host, 'server.port': port } = attributes;
  return host === undefined ? [] : [`at ${[host, port].filter(Boolean).join(':')}`];
}

function noteOf(word: string, value: unknown): string {
  const text = String(value);
  // A function, since `$` in a replacement text is a pattern.
  return word.includes('#') ? word.replace('#', () => text) : `${word} ${text}`;
}

/** What the span of a request says, and which services are to blame for it. */
function outcomeOf(request: StoredSpan, spans: readonly StoredSpan[]): string[] {
  const isWhole = request.error === undefined && request.attributes['plait.degraded'] === undefined;
  const culprits = isWhole ? [] : culpritsOf(spans, request);
  const slow = slownessOf(request, spans, culprits);
  if (culprits.length === 0) return [...notesOf(request), ...slow];
  const { error: _, ...others } = request;
  return [`✗ ${culprits.join(', ')}`, ...notesOf(others), ...slow];
}

/** As for the collector, which keeps the traces of slow requests. */
const slowMs = 500;

/** `slow: payments 640.2 ms`, unless that service is among the culprits. */
function slownessOf(
  request: StoredSpan,
  spans: readonly StoredSpan[],
  culprits: readonly string[],
): string[] {
  if (request.endMs - request.startMs < slowMs) return [];
  const { service, ms } = largestShare(spans, request);
  if (culprits.some((culprit) => culprit.startsWith(`${service} `))) return [];
  return [`slow: ${service ?? 'the gateway itself'} ${milliseconds(ms)}`];
}

/** `served by batch of 12 · payments 503`: the dispatch of another step that answered this one. */
function serverIn(attributes: StoredSpan['attributes']): string[] {
  const isBatch = attributes['plait.step.batched'] === true;
  if (!isBatch && attributes['plait.step.coalesced'] !== true) return [];
  const server = isBatch
    ? `batch of ${String(attributes['plait.batch.size'])}`
    : 'the call of another request';
  const answer = attributes['http.response.status_code'] ?? attributes['error.type'];
  const service = String(attributes['service.peer.name']);
  const words = answer === undefined ? service : `${service} ${String(answer)}`;
  return [`served by ${server} · ${words}`];
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}
