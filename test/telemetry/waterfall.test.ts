import { TracerProvider } from '@opentelemetry/sdk-trace';
import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTraceStore } from '../../src/telemetry/trace-store.ts';
import type { StoredSpan, StoredTrace } from '../../src/telemetry/trace-store.ts';
import { drawWaterfall, listTraces } from '../../src/telemetry/waterfall.ts';

/** When the made-up traces begin, as times of spans are: milliseconds since 1970. */
const begins = 1_700_000_000_000;

/** `[name, from, until]`, below `parent`. */
function span(
  [name, from, until]: readonly [string, number, number],
  parent?: string,
  more: Partial<StoredSpan> = {},
): StoredSpan {
  return {
    spanId: name,
    ...(parent !== undefined && { parentSpanId: parent }),
    name,
    startMs: begins + from,
    endMs: begins + until,
    attributes: {},
    ...more,
  };
}

function traceOf(...spans: readonly StoredSpan[]): StoredTrace {
  return { traceId: 'abc', spans };
}

/** Names with their indentation, the bars, and what comes after them. */
function rowsOf(text: string): { name: string; bar: string; rest: string }[] {
  const [, ...lines] = text.split('\n');
  const width = Math.max(...lines.map((line) => line.search(/ {2}[ █]{40} {2}/)));
  return lines.map((line) => ({
    name: line.slice(0, width).trimEnd(),
    bar: line.slice(width + 2, width + 42),
    rest: line.slice(width + 42).trim(),
  }));
}

describe('a waterfall', () => {
  it('has a row for every span, below the one it belongs to, by when it began', () => {
    const drawn = drawWaterfall(
      traceOf(
        span(['late', 60, 80], 'root'),
        span(['inner', 65, 75], 'late'),
        span(['early', 10, 20], 'root'),
        span(['root', 0, 100]),
      ),
    );
    expect(drawn.split('\n')[0]).toBe('trace abc');
    expect(rowsOf(drawn).map(({ name }) => name)).toEqual([
      'root',
      '  early',
      '  late',
      '    inner',
    ]);
  });

  it('shows when each was under way, and for how long', () => {
    const drawn = drawWaterfall(
      traceOf(
        span(['root', 0, 100]),
        span(['half', 50, 100], 'root'),
        span(['first', 0, 25], 'root'),
        span(['instant', 99.999, 100], 'root'),
      ),
    );
    const bars = Object.fromEntries(rowsOf(drawn).map(({ name, bar }) => [name.trim(), bar]));
    expect(bars).toEqual({
      root: '█'.repeat(40),
      first: '█'.repeat(10) + ' '.repeat(30),
      half: ' '.repeat(20) + '█'.repeat(20),
      instant: `${' '.repeat(39)}█`,
    });
    expect(rowsOf(drawn).map(({ rest }) => rest)).toEqual([
      '100.0 ms',
      '25.0 ms',
      '50.0 ms',
      '0.00 ms',
    ]);
  });

  it('is as wide for a trace that took no time', () => {
    const [row] = rowsOf(drawWaterfall(traceOf(span(['root', 0, 0]))));
    expect(row?.bar).toBe(`█${' '.repeat(39)}`);
  });

  it('begins with spans whose parent is in another process, and with what has lost its parent', () => {
    const drawn = drawWaterfall(
      traceOf(
        span(['lost', 5, 9], 'gone'),
        span(['root', 0, 4], 'client'),
        span(['x', 1, 2], 'root'),
      ),
    );
    expect(rowsOf(drawn).map(({ name }) => name)).toEqual(['root', '  x', 'lost']);
  });

  it('says what went wrong, and what else is of interest', () => {
    const attributes = {
      'plait.degraded': ['payment', 'rows.shipment'],
      'plait.step.cache': 'hit',
      'plait.step.deduplicated': true,
      'plait.step.skipped': true,
      'plait.batch.size': 7,
      'plait.cancelled': true,
      'plait.bulkhead.wait_ms': 3.5,
      'http.request.resend_count': 1,
      'http.response.status_code': 503,
    };
    const [row] = rowsOf(
      drawWaterfall(traceOf(span(['root', 0, 5], undefined, { error: '503', attributes }))),
    );
    expect(row?.rest).toBe(
      '5.00 ms  ✗ 503  degraded payment,rows.shipment  cache hit  deduplicated  skipped  7 keys  called off  waited 3.5 ms  resend 1',
    );
  });

  it('says which dispatch of others served a step, and how the service answered', () => {
    const follower = {
      'service.peer.name': 'payments',
      'http.response.status_code': 503,
    };
    const batched = { ...follower, 'plait.step.batched': true, 'plait.batch.size': 12 };
    const coalesced = { ...follower, 'plait.step.coalesced': true };
    const left = { 'plait.step.coalesced': true, 'service.peer.name': 'payments' };
    const drawn = drawWaterfall(
      traceOf(
        span(['root', 0, 5]),
        span(['a', 1, 5], 'root', { error: '503', attributes: batched }),
        span(['b', 2, 5], 'root', { attributes: coalesced }),
        span(['c', 3, 5], 'root', { attributes: left }),
      ),
    );
    expect(rowsOf(drawn).map(({ rest }) => rest)).toEqual([
      '5.00 ms',
      '4.00 ms  ✗ 503  served by batch of 12 · payments 503',
      '3.00 ms  served by the call of another request · payments 503',
      '2.00 ms  served by the call of another request · payments',
    ]);
  });
});

/** The lines that come after those of the spans. */
function below(...spans: readonly StoredSpan[]): string[] {
  const lines = drawWaterfall(traceOf(...spans)).split('\n');
  return lines.slice(1 + spans.length);
}

describe('below a waterfall', () => {
  it('is why the request failed', () => {
    const failed = span(['part', 1, 4], 'root', { error: '503', message: 'answered 503' });
    const root = span(['root', 0, 5], undefined, { error: '503', message: 'part: answered 503' });
    expect(below(failed, root)).toEqual(['✗ part: answered 503']);
  });

  it('is why parts are missing, each reason once and three at most, on a line each', () => {
    const parts = ['1', '1', '2\n\u001b[2J', '3', '4'].map((message, index) =>
      span([`part ${index}`, index, 9], 'root', { error: '503', message }),
    );
    expect(below(...parts, span(['root', 0, 9]))).toEqual(['✗ 1', '✗ 2\\n\\u001b[2J', '✗ 3']);
  });

  it('is nothing where all is well', () => {
    expect(below(span(['root', 0, 5]))).toEqual([]);
  });
});

it('commands no terminal, whatever a gateway says', () => {
  const hostile = 'a\u001b[2J\u202e\nb';
  const root = span([hostile, 0, 10], undefined, {
    error: hostile,
    attributes: { 'service.peer.name': hostile, 'plait.degraded': [hostile] },
  });
  for (const drawn of [drawWaterfall(traceOf(root)), listTraces([traceOf(root)])]) {
    expect(drawn.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(drawn).toContain(String.raw`a\u001b[2J\u202e\nb`);
  }
});

describe('the list of traces', () => {
  it('has a line for each, with what its first span says', () => {
    const attributes = { 'http.response.status_code': 200, 'plait.degraded': ['payment'] };
    const good = traceOf(
      span(['child', 1, 2], 'GET /a'),
      span(['GET /a', 0, 12.34], undefined, { attributes }),
    );
    const bad = span(['GET /b', 0, 1.2], undefined, {
      error: 'timeout',
      attributes: { 'http.response.status_code': 504 },
    });
    expect(listTraces([good, { traceId: 'def', spans: [bad] }]).split('\n')).toEqual([
      'abc  200    12.3 ms  GET /a  degraded payment',
      'def  504    1.20 ms  GET /b  ✗ timeout',
    ]);
  });

  it('says which services a request has failed for, and what was left out', () => {
    const failing = (name: string, until: number, service: string, error: string) =>
      span([name, 1, until], 'root', { error, attributes: { 'service.peer.name': service } });
    const request = (more: Partial<StoredSpan>) => span(['root', 0, 9], undefined, more);
    const step = { attributes: { 'plait.step.operation': 'shop.of.parts.partOf' } };
    const lines = [
      traceOf(failing('a', 8, 'payments', '404'), failing('b', 5, 'invoicing', 'connect'), {
        ...request({ error: 'connect' }),
      }),
      traceOf(
        failing('a', 8, 'payments', '503'),
        failing('b', 7, 'payments', '503'),
        failing('c', 5, 'shipping', 'timeout'),
        request({ attributes: { 'plait.degraded': ['payment'] } }),
      ),
      traceOf(
        span(['d', 1, 9], 'root', { ...step, error: 'breaker-open' }),
        request({ error: 'breaker-open' }),
      ),
      // A retry has made it good.
      traceOf(failing('a', 8, 'payments', '503'), request({})),
    ];
    expect(lines.map((one) => listTraces([one]).split('  root')[1]?.trim())).toEqual([
      '✗ invoicing connect',
      '✗ shipping timeout, payments 503  degraded payment',
      '✗ shop.of.parts breaker-open',
      '',
    ]);
  });

  const ask = (
    [service, from, until]: readonly [string, number, number],
    parent = 'root',
    more: Partial<StoredSpan> = {},
  ): StoredSpan =>
    span([`${service} ${from}`, from, until], parent, {
      ...more,
      attributes: { 'service.peer.name': service },
    });
  const request = (until: number, more: Partial<StoredSpan> = {}): StoredSpan =>
    span(['root', 0, until], undefined, more);
  const stepOf = (operation: string, [from, until]: readonly [number, number]): StoredSpan =>
    span([operation, from, until], 'root', { attributes: { 'plait.step.operation': operation } });

  it.each<[string, string, StoredSpan[]]>([
    ['not a fast one', '', [ask(['a', 0, 499]), request(499.9)]],
    ['the only one', 'slow: a 600.0 ms', [ask(['a', 10, 610]), request(620)]],
    [
      'the longer of two that follow each other',
      'slow: b 400.0 ms',
      [ask(['a', 0, 200]), ask(['b', 200, 600]), request(600)],
    ],
    [
      'the one that was waited for, and not many that ran beside it',
      'slow: a 600.0 ms',
      [...[0, 1, 2].map((from) => ask(['b', from, 550])), ask(['a', 0, 600]), request(600)],
    ],
    [
      'one that was asked often, for all of its calls together',
      'slow: a 400.0 ms',
      [ask(['a', 0, 200]), ask(['b', 200, 500]), ask(['a', 500, 700]), request(700)],
    ],
    [
      'one whose permit or retry was waited for',
      'slow: a 590.0 ms',
      [stepOf('a.get', [10, 600]), ask(['a', 590, 600], 'a.get'), request(610)],
    ],
    [
      'another request had asked',
      'slow: a 500.0 ms',
      [
        span(['step', 0, 500], 'root', {
          attributes: { 'service.peer.name': 'a', 'plait.step.batched': true },
        }),
        request(510),
      ],
    ],
    [
      'one that begins a little before the other has ended',
      'slow: a 450.0 ms',
      [ask(['a', 0, 450.4]), ask(['b', 450, 600]), request(600)],
    ],
    [
      'none that goes on after the answer',
      'slow: b 500.0 ms',
      [ask(['b', 0, 500]), ask(['a', 500, 900], 'b 0'), request(500)],
    ],
    ['the gateway', 'slow: the gateway itself 550.0 ms', [ask(['a', 0, 50]), request(600)]],
    [
      'one beside another that has failed',
      '✗ b timeout  slow: a 600.0 ms',
      [
        ask(['b', 0, 90], 'root', { error: 'timeout' }),
        ask(['a', 0, 600]),
        request(600, { error: 'timeout' }),
      ],
    ],
    [
      'one that has failed only once',
      '✗ a timeout',
      [ask(['a', 0, 600], 'root', { error: 'timeout' }), request(600, { error: 'timeout' })],
    ],
  ])('says of a slow request which service it has waited for: %s', (_, expected, spans) => {
    expect(
      listTraces([traceOf(...spans)])
        .split('  root')[1]
        ?.trim(),
    ).toBe(expected);
  });

  it('is empty where there is none, and leaves out traces without a span', () => {
    expect(listTraces([])).toBe('');
    expect(listTraces([{ traceId: 'abc', spans: [] }])).toBe('');
  });
});

function startStore() {
  const { processor, ...store } = createTraceStore();
  const provider = new TracerProvider({ spanProcessors: [processor] });
  onTestFinished(() => provider.shutdown());
  const tracer = provider.getTracer('test');
  return { store, tracer };
}

describe('the traces that are kept', () => {
  it('are the latest 200, the latest first', () => {
    const { store, tracer } = startStore();
    for (let index = 0; index < 250; index += 1) tracer.startSpan(`request ${index}`).end();
    const kept = store.latest();
    expect(kept).toHaveLength(200);
    expect(kept[0]?.spans[0]?.name).toBe('request 249');
    expect(kept.at(-1)?.spans[0]?.name).toBe('request 50');
    const [{ traceId } = { traceId: '' }] = kept;
    expect(store.find(traceId)).toEqual(kept[0]);
    expect(store.find('none')).toBeUndefined();
  });

  it('have the description of a failure', () => {
    const { store, tracer } = startStore();
    const failing = tracer.startSpan('request');
    failing.setStatus({ code: SpanStatusCode.ERROR, message: 'answered 503' });
    failing.end();
    expect(store.latest()[0]?.spans).toMatchObject([{ message: 'answered 503' }]);
  });

  it('have 1,000 spans at most', () => {
    const { store, tracer } = startStore();
    const root = tracer.startSpan('root');
    const context = trace.setSpan(ROOT_CONTEXT, root);
    for (let index = 0; index < 1_500; index += 1) tracer.startSpan('child', {}, context).end();
    root.end();
    expect(store.latest().map(({ spans }) => spans.length)).toEqual([1_000]);
  });

  // The root is the last to end: it is the one that is left out.
  it('have the span of the request, however many others there are', () => {
    const { store, tracer } = startStore();
    const root = tracer.startSpan('root');
    const context = trace.setSpan(ROOT_CONTEXT, root);
    for (let index = 0; index < 1_500; index += 1) tracer.startSpan('child', {}, context).end();
    root.end();
    expect(listTraces(store.latest()).split('\n')).toEqual([expect.stringContaining('root')]);
  });

  it('know their parents, times below a millisecond, and what went wrong', () => {
    const { store, tracer } = startStore();
    const root = tracer.startSpan('root', { startTime: [1_700_000_000, 250_500_000] });
    const child = tracer.startSpan(
      'child',
      { startTime: [1_700_000_000, 250_750_000] },
      trace.setSpan(ROOT_CONTEXT, root),
    );
    child.setAttribute('error.type', 'timeout');
    child.end([1_700_000_000, 251_000_000]);
    root.end([1_700_000_000, 252_000_000]);
    const [kept] = store.latest();
    expect(kept?.spans).toEqual([
      {
        spanId: child.spanContext().spanId,
        parentSpanId: root.spanContext().spanId,
        name: 'child',
        startMs: 1_700_000_000_250.75,
        endMs: 1_700_000_000_251,
        error: 'timeout',
        attributes: { 'error.type': 'timeout' },
      },
      expect.objectContaining({ name: 'root', startMs: 1_700_000_000_250.5 }),
    ]);
    expect(kept?.spans[1]).not.toHaveProperty('parentSpanId');
  });
});

it('says why credentials were refused, in the list and in the trace', () => {
  const attributes = { 'http.response.status_code': 401, 'plait.denied': 'token: audience' };
  const refused = traceOf(span(['GET /me', 0, 1], undefined, { attributes }));
  expect(listTraces([refused])).toMatch(/401 .* GET \/me {2}denied, token: audience$/);
  expect(drawWaterfall(refused)).toMatch(/ {2}denied, token: audience$/);
});
