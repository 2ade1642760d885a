/** Spans that were cancelled do not look like the cause: they end before the step that failed. */
import { call, defineComposition, each, fallback, given } from 'plait';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../support/fake-clock.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { SinkSpan } from '../support/otlp-sink.ts';
import { items, list, maybe, part, priceOf } from '../support/serve.ts';
import { startUpstream } from '../support/upstream.ts';
import { childrenOf, clientTrace, startTraced, strays } from './_traced.ts';

/** It stands still. */
const clock = createFakeClock();
const { telemetry, sink } = await startTraced({
  clock,
  environment: { TRUSTED_PEERS: '127.0.0.0/8' },
});

const none = items(1);

/** Parts that the upstream never answers, of each kind of step. */
const hanging = () => ({
  plain: call(part, { name: 'slow' }),
  rows: each(call(list, { name: 'all' }), ({ id }) => call(priceOf, { id })),
  // Its second source is never asked, and has no span.
  inner: given(call(list, { name: 'all' }), () =>
    fallback(call(part, { name: 'slower' }), () => call(part, { name: 'never' })),
  ),
});

const failing = {
  'a step': () => call(maybe, { name: 'culprit' }),
  'a step inside given': () =>
    given(call(list, { name: 'all' }), () => call(maybe, { name: 'culprit' })),
  'a step for one of many items': () =>
    each(call(list, { name: 'all' }), () => call(maybe, { name: 'culprit' })),
} as const;

/** Fails while all others wait; returns the spans of the request. */
async function failWhileOthersWait(kind: keyof typeof failing): Promise<readonly SinkSpan[]> {
  const upstream = await startUpstream();
  const composition = defineComposition({
    route: 'GET /test',
    compose: () => ({ culprit: failing[kind](), ...hanging() }),
  });
  const { get } = await startWithMocks({
    compositions: { composition },
    telemetry,
    clock,
    environment: { UPSTREAM_URL: upstream.url },
  });
  const { traceId, headers } = clientTrace();
  const answer = get('/test', { headers });
  await upstream.answer('GET /lists/all', none);
  const waiting = ['GET /parts/slow', 'GET /parts/slower', 'GET /prices?ids=1'];
  const arrivals = await Promise.all(waiting.map((request) => upstream.next(request)));
  await upstream.answer('GET /maybe/culprit', {}, 501);
  expect((await answer).status).toBe(502);
  await Promise.all(arrivals.map(({ abandoned }) => abandoned));
  await expect.poll(() => ended(traceId).length).toBeGreaterThan(9);
  return ended(traceId);
}

function ended(traceId: string): SinkSpan[] {
  const spans = sink.spans.filter((span) => span.traceId === traceId);
  return spans.some(({ kind }) => kind === 'SERVER') ? spans : [];
}

describe('what a failure cancels', () => {
  it.each(Object.keys(failing) as (keyof typeof failing)[])(
    'ends before the step that failed: %s',
    async (kind) => {
      const spans = await failWhileOthersWait(kind);
      expect(strays(spans)).toEqual([]);
      const cancelled = spans.filter(({ attributes }) => attributes['plait.cancelled'] === true);
      expect(cancelled.map(({ name }) => name).toSorted()).toEqual([
        'GET /parts/{name}',
        'GET /parts/{name}',
        'GET /prices',
        'step inner',
        'step inner.part',
        'step plain',
        'step rows',
      ]);
      const failed = spans.filter(
        ({ kind: role, status }) => role === 'INTERNAL' && status.code === 'ERROR',
      );
      expect(failed.length).toBeGreaterThan(0);
      const firstEnd = failed.map(({ endTimeUnixNano }) => endTimeUnixNano).toSorted()[0] ?? 0n;
      for (const { name, endTimeUnixNano, events, status } of cancelled) {
        expect(endTimeUnixNano < firstEnd, `${name} ends first`).toBe(true);
        expect(status.code, name).toBe('UNSET');
        const event = { name: 'cancelled', timeUnixNano: endTimeUnixNano, attributes: {} };
        expect(events, name).toEqual([event]);
      }
    },
  );

  it('leaves the culprit on the path of what ended last', async () => {
    const spans = await failWhileOthersWait('a step inside given');
    let at = spans.find(({ kind }) => kind === 'SERVER');
    const path: string[] = [];
    while (at !== undefined) {
      path.push(at.name);
      at = childrenOf(spans, at).toSorted((one, other) =>
        Number(other.endTimeUnixNano - one.endTimeUnixNano),
      )[0];
    }
    expect(path).toEqual(['GET /test', 'step culprit', 'step culprit.maybe', 'GET /maybe/{name}']);
  });
});
