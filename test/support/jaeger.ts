/** Traces as Jaeger's API gives them and its "Upload" takes them, the same for every run. */
import type { SinkSpan } from './otlp-sink.ts';

/** When the first span of a file begins, in microseconds since 1970. */
const begin = 1_767_225_600_000_000;

/** Traces as one file. Ids are numbered, and times are relative: whole milliseconds and an order. */
export function toJaeger(traces: readonly (readonly SinkSpan[])[]): string {
  const all = traces.flat();
  const idOf = numbered(all);
  const timeOf = relative(all);
  const portOf = portsIn(all);
  const data = traces.map((spans) => ({
    traceID: idOf(spans[0]?.traceId ?? '', 32),
    spans: inOrder(spans).map((span) => toSpan(span, spans, { idOf, timeOf, portOf })),
    processes: { p1: { serviceName: 'plait', tags: [] } },
    warnings: null,
  }));
  const answer = { data, total: 0, limit: 0, offset: 0, errors: null };
  return `${JSON.stringify(answer, undefined, 1)}\n`;
}

interface Normal {
  readonly idOf: (id: string, length: 16 | 32) => string;
  readonly timeOf: (nanoseconds: bigint) => number;
  readonly portOf: (port: unknown) => number;
}

function toSpan(span: SinkSpan, spans: readonly SinkSpan[], { idOf, timeOf, portOf }: Normal) {
  // A client's span is in no file; a reference to it would make the trace incomplete.
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  const reference = (refType: string, of: { traceId: string; spanId: string }) => ({
    refType,
    traceID: idOf(of.traceId, 32),
    spanID: idOf(of.spanId, 16),
  });
  const isError = span.status.code === 'ERROR';
  return {
    traceID: idOf(span.traceId, 32),
    spanID: idOf(span.spanId, 16),
    operationName: span.name,
    references: [
      ...(parent === undefined ? [] : [reference('CHILD_OF', parent)]),
      ...span.links.map((link) => reference('FOLLOWS_FROM', link)),
    ],
    startTime: timeOf(span.startTimeUnixNano),
    duration: timeOf(span.endTimeUnixNano) - timeOf(span.startTimeUnixNano),
    tags: [
      tag('otel.scope.name', span.scope),
      tag('span.kind', span.kind.toLowerCase()),
      ...(isError ? [tag('error', true), tag('otel.status_code', 'ERROR')] : []),
      ...(span.status.message === ''
        ? []
        : [tag('otel.status_description', withoutPort(span.status.message))]),
      ...Object.entries(span.attributes).map(([key, value]) =>
        tag(key, key in usual ? usual[key]?.(value, { idOf, portOf }) : value),
      ),
    ].toSorted((one, other) => one.key.localeCompare(other.key)),
    logs: span.events.map(({ name, timeUnixNano, attributes }) => ({
      timestamp: timeOf(timeUnixNano),
      fields: [
        tag('event', name),
        ...Object.entries(attributes).map(([key, value]) => tag(key, value)),
      ],
    })),
    processID: 'p1',
    warnings: null,
  };
}

/** The values that differ from run to run. */
const usual: Readonly<
  Record<string, (value: unknown, normal: Pick<Normal, 'idOf' | 'portOf'>) => unknown>
> = {
  'server.port': (port, { portOf }) => portOf(port),
  'plait.request_id': () => 'request-1',
  'plait.client_trace_id': (id, { idOf }) => idOf(String(id), 32),
};

/** The ports of services are numbered from that of the first mock on. */
function portsIn(spans: readonly SinkSpan[]): Normal['portOf'] {
  const ports = inOrder(spans).flatMap(({ attributes }) => attributes['server.port'] ?? []);
  const known: readonly unknown[] = [...new Set(ports)];
  return (port) => 4_001 + known.indexOf(port);
}

function withoutPort(text: string): string {
  return text.replace(/(127\.0\.0\.1|localhost):\d+/g, '$1:4001');
}

function tag(key: string, value: unknown) {
  if (typeof value === 'boolean') return { key, type: 'bool', value };
  if (typeof value === 'number') {
    return { key, type: Number.isInteger(value) ? 'int64' : 'float64', value };
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { key, type: 'string', value: withoutPort(text) };
}

/** Parents before their children, children by name where they began at once. */
function inOrder(spans: readonly SinkSpan[]): SinkSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const below = (one: SinkSpan): SinkSpan[] => [
    one,
    ...sorted(spans.filter(({ parentSpanId }) => parentSpanId === one.spanId)).flatMap(below),
  ];
  return sorted(spans.filter(({ parentSpanId }) => !ids.has(parentSpanId))).flatMap(below);
}

function sorted(spans: readonly SinkSpan[]): SinkSpan[] {
  return spans.toSorted(
    (one, other) =>
      Number(one.startTimeUnixNano - other.startTimeUnixNano) || one.name.localeCompare(other.name),
  );
}

/**
 * Numbers in order of first use, of the traces first. An id of 32 digits has its number twice, since
 * Jaeger leaves 16 zeros at its beginning out.
 */
function numbered(spans: readonly SinkSpan[]): Normal['idOf'] {
  const known = new Map<string, number>();
  const idOf: Normal['idOf'] = (id, length) => {
    if (!known.has(id)) known.set(id, known.size + 1);
    const number = (known.get(id) ?? 0).toString(16).padStart(16, '0');
    return number.repeat(length / 16);
  };
  for (const { traceId } of spans) idOf(traceId, 32);
  for (const { spanId } of inOrder(spans)) idOf(spanId, 16);
  return idOf;
}

/** Microseconds: whole milliseconds since the first span, and the order within one. */
function relative(spans: readonly SinkSpan[]): Normal['timeOf'] {
  const times = spans.flatMap((span) => [
    span.startTimeUnixNano,
    span.endTimeUnixNano,
    ...span.events.map(({ timeUnixNano }) => timeUnixNano),
  ]);
  const distinct = [...new Set(times)].toSorted((one, other) => Number(one - other));
  const first = distinct[0] ?? 0n;
  const known = new Map<bigint, number>();
  let [millisecond, order] = [-1, 0];
  for (const time of distinct) {
    // The first may be some microseconds into its millisecond.
    const at = Math.round(Number(time - first) / 1e6);
    order = at === millisecond ? order + 1 : 0;
    millisecond = at;
    known.set(time, begin + at * 1_000 + order);
  }
  return (time) => known.get(time) ?? begin;
}

interface Timed {
  readonly span: SinkSpan;
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * The spans on the critical path as Jaeger's interface computes it, the latest first: of each span
 * the child that ends last, then the one that ended before that began. Start and duration are cut
 * to whole microseconds.
 */
export function criticalPath(spans: readonly SinkSpan[]): SinkSpan[] {
  const timed = spans.map((span): Timed => {
    const start = span.startTimeUnixNano / 1_000n;
    const tookNs = span.endTimeUnixNano - span.startTimeUnixNano;
    return { span, start, end: start + tookNs / 1_000n };
  });
  const follow = (parent: Timed, before?: bigint): SinkSpan[] => {
    const [last] = timed
      .filter(({ span }) => span.parentSpanId === parent.span.spanId)
      .filter(({ end }) => before === undefined || end < before)
      .toSorted((one, other) => Number(other.end - one.end));
    return last === undefined ? [] : [last.span, ...follow(last), ...follow(parent, last.start)];
  };
  const root = timed.find(({ span }) => span.kind === 'SERVER');
  return root === undefined ? [] : [root.span, ...follow(root)];
}
