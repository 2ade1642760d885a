/** Traces of several requests, as those of a page in a browser are. */
import { expect, it } from 'vitest';
import { requestOf, requestsIn } from '../../src/telemetry/requests-in-trace.ts';
import type { StoredSpan, StoredTrace } from '../../src/telemetry/trace-store.ts';
import { listTraces } from '../../src/telemetry/waterfall.ts';

function span(spanId: string, parentSpanId: string, endMs: number): StoredSpan {
  const attributes = spanId.startsWith('GET') ? { 'plait.request_id': spanId } : {};
  return { spanId, parentSpanId, name: spanId, startMs: 0, endMs, attributes };
}

const traceOf = (...spans: readonly StoredSpan[]): StoredTrace => ({ traceId: 'abc', spans });

it('are taken apart, the latest request first, each with the spans below it', () => {
  const step = span('step', 'GET /a', 5);
  const attempt = { ...span('attempt', 'step', 4), error: '503' };
  const first = span('GET /a', 'client', 6);
  const second = span('GET /b', 'client', 9);
  const whole = traceOf(attempt, step, first, span('other', 'GET /b', 8), second);
  const taken = requestsIn(whole);
  expect(taken.map(({ spans }) => spans.map(({ spanId }) => spanId))).toEqual([
    ['GET /b', 'other'],
    ['GET /a', 'step', 'attempt'],
  ]);
  expect(taken.map((one) => requestOf(one)?.spanId)).toEqual(['GET /b', 'GET /a']);
  expect(listTraces(taken).split('\n')).toEqual([
    expect.stringContaining('GET /b'),
    expect.stringContaining('GET /a'),
  ]);
});

it('have a request inside of another one, which a service has sent', () => {
  const inner = span('GET /inner', 'step', 4);
  const whole = traceOf(inner, span('step', 'GET /outer', 5), span('GET /outer', 'client', 6));
  expect(requestsIn(whole).map(({ spans }) => spans.map(({ spanId }) => spanId))).toEqual([
    ['GET /outer', 'step', 'GET /inner'],
    ['GET /inner'],
  ]);
});

it('stay as they are with one request, or none that has ended', () => {
  const one = traceOf(span('step', 'GET /a', 5), span('GET /a', 'client', 6));
  const none = traceOf(span('step', 'GET /a', 5));
  expect([one, none].map(requestsIn)).toEqual([[one], [none]]);
  expect(requestOf(none)).toBeUndefined();
});
