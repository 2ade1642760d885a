/** Jaeger's critical path leads to the attempt that failed, whatever else a request was waiting for. */
import * as fc from 'fast-check';
import { call, defineComposition, each, given, optional } from 'plait';
import type { Reference } from 'plait';
import { expect, it } from 'vitest';
import { createFakeClock } from '../support/fake-clock.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { criticalPath } from '../support/jaeger.ts';
import type { SinkSpan } from '../support/otlp-sink.ts';
import { assertProperty } from '../support/property.ts';
import { list, part, priceOf } from '../support/serve.ts';
import { startServer } from '../support/servers.ts';
import { clientTrace, startTraced, strays } from './_traced.ts';

const { telemetry, sink } = await startTraced({ environment: { TRUSTED_PEERS: '127.0.0.0/8' } });

const kinds = ['call', 'lookup', 'each', 'each of both', 'given'] as const;
/** Of those that are not transient: time stands still, and so would the pause before a retry. */
const ways = ['501', 'other body'] as const;

interface Part {
  readonly kind: (typeof kinds)[number];
  readonly isOptional: boolean;
}

interface Case {
  readonly parts: readonly Part[];
  /** The part with what fails; it is not optional. */
  readonly guilty: number;
  readonly item: number;
  readonly how: (typeof ways)[number];
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    parts: fc.array(fc.record({ kind: fc.constantFrom(...kinds), isOptional: fc.boolean() }), {
      minLength: 1,
      maxLength: 5,
    }),
    guilty: fc.nat(),
    item: fc.nat(2),
    how: fc.constantFrom(...ways),
  })
  .map((one) => ({ ...one, guilty: one.guilty % one.parts.length }));

/** The items of the list of a part: one of them is the culprit where the part is guilty. */
function idsOf({ guilty, item }: Case, at: number): string[] {
  return [0, 1, 2].map((index) => (at === guilty && index === item ? 'culprit' : `${at}-${index}`));
}

function composed(tried: Case) {
  const single = (at: number): string => (at === tried.guilty ? 'culprit' : `only-${at}`);
  const reference = ({ kind }: Part, at: number) => {
    const name = String(at);
    switch (kind) {
      case 'call':
        return call(part, { name: single(at) });
      case 'lookup':
        return call(priceOf, { id: single(at) });
      case 'each':
        return each(call(list, { name }), ({ id }) => call(part, { name: id }));
      case 'each of both':
        return each(call(list, { name }), ({ id }) => ({
          part: call(part, { name: id }),
          other: call(part, { name: id, after: 'other' }),
        }));
      case 'given':
        return given(call(list, { name }), () => ({
          part: call(part, { name: single(at) }),
          price: call(priceOf, { id: `${at}-price` }),
        }));
      default:
        return kind satisfies never;
    }
  };
  return () =>
    Object.fromEntries(
      tried.parts.map((one, at) => {
        const made: Reference<unknown> = reference(one, at);
        return [`part${at}`, one.isOptional && at !== tried.guilty ? optional(made) : made];
      }),
    );
}

/** Everything is asked for and nothing answered, but for the lists; then the culprit fails. */
async function spansOfFailure(tried: Case): Promise<readonly SinkSpan[]> {
  const fail = Promise.withResolvers<void>();
  const { url, requests } = await startServer(async ({ url: target = '' }, response) => {
    const [, listName] = /^\/lists\/(\d+)$/.exec(target) ?? [];
    if (listName !== undefined) {
      const ids = idsOf(tried, Number(listName)).map((id) => ({ id }));
      return void response.end(JSON.stringify(ids));
    }
    if (!target.includes('culprit') || target.includes('after')) return undefined;
    await fail.promise;
    const status = tried.how === 'other body' ? 200 : Number(tried.how);
    return void response.writeHead(status).end('{}');
  });
  const app = await startWithMocks({
    compositions: { test: defineComposition({ route: 'GET /test', compose: composed(tried) }) },
    telemetry,
    clock: createFakeClock(),
    environment: { UPSTREAM_URL: url },
  });
  const { traceId, headers } = clientTrace();
  const answer = app.get('/test', { headers });
  const targets = (): string => requests.map(({ target }) => target).join(' ');
  const names = tried.parts.flatMap(({ kind }, at) => {
    if (kind.startsWith('each')) return idsOf(tried, at);
    return [
      at === tried.guilty ? 'culprit' : `only-${at}`,
      ...(kind === 'given' ? [`${at}-price`] : []),
    ];
  });
  await expect.poll(() => names.filter((name) => !targets().includes(name))).toEqual([]);
  fail.resolve();
  expect((await answer).status).toBeGreaterThanOrEqual(500);
  const spans = (): SinkSpan[] => sink.spans.filter((span) => span.traceId === traceId);
  await expect.poll(() => spans().some(({ kind }) => kind === 'SERVER')).toBe(true);
  await app.close();
  return spans();
}

/** A step that was answered by the batch of another step says so, and has a link to it. */
function isCulprit({ kind, status, attributes }: SinkSpan): boolean {
  const isServed = attributes['plait.step.batched'] === true;
  return status.code === 'ERROR' && (kind === 'CLIENT' || isServed);
}

it('leads to the attempt that failed, and past what was cancelled because of it', async () => {
  await assertProperty(
    fc.asyncProperty(cases, async (tried) => {
      const spans = await spansOfFailure(tried);
      const path = criticalPath(spans);
      expect(strays(spans)).toEqual([]);
      expect(path.filter(isCulprit)).toHaveLength(1);
      expect(path.filter(({ attributes }) => attributes['plait.cancelled'] === true)).toEqual([]);
    }),
    { full: 40 },
  );
});
