/** Telemetry as `plait start` starts it, a collector it sends to, and the traces that arrive there as text. */
import { randomBytes } from 'node:crypto';
import { afterAll, expect, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Clock } from '../../src/clock.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import { startTelemetry } from '../../src/telemetry/sdk.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { openSink } from '../support/otlp-sink.ts';
import type { Sink, SinkSpan } from '../support/otlp-sink.ts';

/** How often spans are sent. */
const exportMs = 10;

export interface Traced {
  readonly sink: Sink;
  /** For any number of gateways, one after the other: closing one leaves it as it is. */
  readonly telemetry: Telemetry;
  /**
   * Waits until the trace is as `expected`, a text as `drawTrace` makes it, indented as one likes, and
   * makes sure that nothing comes after it. Gives its spans.
   */
  expectTrace(
    traceId: string,
  ): (expected: TemplateStringsArray, ...parts: string[]) => Promise<readonly SinkSpan[]>;
}

export interface TracedOptions {
  /** That of the gateways. Default: the system's. */
  readonly clock?: Clock;
  readonly environment?: Readonly<Record<string, string>>;
  /** Default: there must be none. */
  readonly onWarning?: (message: string) => void;
}

/** Once in a file: the SDK reads the environment of the process, and registers itself there for good. */
export async function startTraced(options: TracedOptions = {}): Promise<Traced> {
  const warnings: string[] = [];
  const { clock = systemClock, environment } = options;
  const { onWarning = (message) => warnings.push(message) } = options;
  const sink = await openSink();
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: String(exportMs),
    ...environment,
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const telemetry = await startTelemetry({
    settings: { ...parseSettings(variables, []).telemetry, serverTiming: false },
    clock,
    onWarning,
  });
  // Processes that are started later, as the mocks, must not send telemetry.
  vi.unstubAllEnvs();
  afterAll(async () => {
    await telemetry.shutdown();
    sink.close();
    expect(warnings).toEqual([]);
  });

  const spansOf = (traceId: string): SinkSpan[] =>
    sink.spans.filter((span) => span.traceId === traceId);

  return {
    sink,
    telemetry: { ...telemetry, shutdown: async () => undefined },
    expectTrace:
      (traceId) =>
      async (text, ...parts) => {
        const expected = String.raw(text, ...parts);
        const check = (): void => expect(drawTrace(spansOf(traceId))).toBe(unindented(expected));
        await vi.waitFor(check);
        await new Promise((resolve) => setTimeout(resolve, exportMs * 3));
        check();
        return spansOf(traceId);
      },
  };
}

export interface ClientTrace {
  readonly traceId: string;
  readonly spanId: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The trace of a client, which sends it along. */
export function clientTrace(flag: '00' | '01' = '01'): ClientTrace {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${flag}` } };
}

/**
 * One line for each span, below its parent and in the order in which they began: kind, name, and what is
 * worth knowing, as in `CLIENT GET /payments  status=503 ERROR error.type=503`.
 */
export function drawTrace(spans: readonly SinkSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const draw = (span: SinkSpan, indent: string): string[] => [
    [`${indent}${span.kind} ${span.name}`, notesOf(span)].filter(Boolean).join('  '),
    ...childrenOf(spans, span).flatMap((child) => draw(child, `${indent}  `)),
  ];
  return byStart(spans.filter(({ parentSpanId }) => !ids.has(parentSpanId)))
    .flatMap((root) => draw(root, ''))
    .join('\n');
}

/** The span of that name. */
export function only(spans: readonly SinkSpan[], name: string): SinkSpan {
  const [span, ...more] = spans.filter((one) => one.name === name);
  if (span === undefined || more.length > 0) throw new Error(`not one span is named ${name}`);
  return span;
}

export function childrenOf(spans: readonly SinkSpan[], parent: SinkSpan): SinkSpan[] {
  return byStart(spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId));
}

function byStart(spans: readonly SinkSpan[]): SinkSpan[] {
  return spans.toSorted(
    (one, other) =>
      Number(one.startTimeUnixNano - other.startTimeUnixNano) || one.name.localeCompare(other.name),
  );
}

const shown = {
  'http.response.status_code': 'status',
  'error.type': 'error.type',
  'http.request.resend_count': 'resend',
  'plait.cancelled': 'cancelled',
  'plait.degraded': 'degraded',
  'plait.shed': 'shed',
  'plait.step.optional': 'optional',
  'plait.step.fallback': 'fallback',
  'plait.step.skipped': 'skipped',
  'plait.step.items': 'items',
  'plait.step.deduplicated': 'deduplicated',
  'plait.step.cache': 'cache',
  'plait.step.batched': 'batched',
  'plait.step.coalesced': 'coalesced',
  'plait.step.attempts': 'attempts',
  'plait.batch.size': 'size',
  'plait.batch.loads': 'loads',
  'plait.bulkhead.wait_ms': 'wait_ms',
  'plait.retry.delay_ms': 'delay_ms',
} as const;

function notesOf({ attributes, status, links, events }: SinkSpan): string {
  const notes = Object.entries(shown).flatMap(([name, word]) => {
    const value = attributes[name];
    return value === undefined ? [] : [value === true ? word : `${word}=${String(value)}`];
  });
  return [
    ...notes,
    ...(status.code === 'UNSET' ? [] : [status.code]),
    ...(links.length > 0 ? [`links=${links.length}`] : []),
    // A span that was cancelled says so already.
    ...events.filter(({ name }) => name !== 'cancelled').map(({ name }) => `@${name}`),
  ].join(' ');
}

function unindented(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const indent = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent)).join('\n');
}

/** Spans that do not begin and end within their parent, to the nanosecond: there should be none. */
export function strays(spans: readonly SinkSpan[]): string[] {
  return spans.flatMap((parent) =>
    [parent, ...childrenOf(spans, parent)]
      .filter((span) => !isWithin(span, parent))
      .map((span) => `${span.name} is not within ${parent.name}`),
  );
}

function isWithin(child: SinkSpan, parent: SinkSpan): boolean {
  return (
    child.startTimeUnixNano >= parent.startTimeUnixNano &&
    child.endTimeUnixNano >= child.startTimeUnixNano &&
    child.endTimeUnixNano <= parent.endTimeUnixNano
  );
}
