import { RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace';
import { call, defineComposition, each, map, optional } from 'plait';
import { describe, expect, it, onTestFinished } from 'vitest';
import { getOrder } from '../../compositions/upstreams/orders.ts';
import { paymentOf } from '../../compositions/upstreams/payments.ts';
import { shipmentOf } from '../../compositions/upstreams/shipping.ts';
import { systemClock } from '../../src/clock.ts';
import { serverTiming } from '../../src/telemetry/server-timing.ts';
import { combine } from '../../src/telemetry/telemetry.ts';
import { createSampler } from '../../src/telemetry/sampler.ts';
import { createTracing } from '../../src/telemetry/tracing.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';

interface Entry {
  readonly name: string;
  readonly dur?: number;
  readonly desc?: string;
}

const entry =
  /^(?<name>[!#$%&'*+.^_`|~\w-]+)(?:;(?:dur=(?<dur>\d+(?:\.\d+)?)|desc="(?<desc>[^"\\]*)"))?$/u;

/** Server-Timing as W3C has it: `token *( OWS ";" OWS token [ "=" ( token / quoted-string ) ] )`, a list of them. */
function parse(header: string | null): Entry[] {
  return (header ?? '').split(', ').map((text) => {
    const groups = entry.exec(text)?.groups;
    if (groups === undefined) throw new Error(`no entry of Server-Timing: ${text}`);
    const { name = '', dur, desc } = groups;
    return {
      name,
      ...(dur !== undefined && { dur: Number(dur) }),
      ...(desc !== undefined && { desc }),
    };
  });
}

const order = defineComposition({
  route: 'GET /orders/:orderId',
  compose: ({ params }) => ({
    order: call(getOrder, { orderId: params.orderId }),
    payment: optional(call(paymentOf, { orderId: params.orderId })),
  }),
});

const list = defineComposition({
  route: 'GET /list',
  compose() {
    const ids = map({}, () => ['ord_1001', 'ord_1002', 'ord_1003']);
    return {
      rows: each(ids, (orderId) => ({
        payment: call(paymentOf, { orderId }),
        shipment: call(shipmentOf, { orderId }),
      })),
    };
  },
});

const odd = defineComposition({
  route: 'GET /odd',
  compose: () => ({
    'a, b;dur=1': call(getOrder, { orderId: 'ord_1001' }),
    größe: call(getOrder, { orderId: 'ord_1002' }),
    '"\r\n': call(getOrder, { orderId: 'ord_1003' }),
  }),
});

async function startTimed() {
  const provider = new TracerProvider();
  onTestFinished(() => provider.shutdown());
  const tracer = provider.getTracer('test');
  const ids = new RandomIdGenerator();
  const settings = { root: 'always_on', parentBased: true, ratio: 1 } as const;
  const sampler = createSampler(settings, () => ids.generateTraceId());
  const tracing = createTracing({
    tracer,
    sampler,
    ids,
    clock: systemClock,
    isTrusted: () => true,
  });
  const many = defineComposition({
    route: 'GET /many',
    compose: () =>
      Array.from({ length: 70 }, (_, index) =>
        optional(call(getOrder, { orderId: `ord_1${index}` })),
      ),
  });
  return startWithMocks({
    compositions: { order, list, odd, many },
    telemetry: combine([tracing, serverTiming(systemClock)]),
    adminPort: 0,
  });
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };

function namesOf(entries: readonly Entry[]): string[] {
  return entries.map(({ name }) => name);
}

describe('Server-Timing', () => {
  it('has the trace, the total and every step, none of which took longer', async () => {
    const app = await startTimed();
    app.mocks.payments.fault([{ match: '*', latencyMs: 300 }]);
    const answer = await app.get('/orders/ord_1001', { headers });
    const entries = parse(answer.headers.get('server-timing'));
    expect(namesOf(entries)).toEqual(['trace', 'total', 'order', 'payment']);
    const [trace, total, ...steps] = entries;
    expect(trace).toEqual({ name: 'trace', desc: traceId });
    for (const { dur } of steps) expect(dur).toBeLessThanOrEqual(total?.dur ?? 0);
    expect(steps[1]?.dur).toBeGreaterThanOrEqual(299);
    expect(steps[0]?.dur).toBeLessThan(steps[1]?.dur ?? 0);
  });

  it('has one entry for a list, however many items that has', async () => {
    const app = await startTimed();
    const answer = await app.get('/list');
    expect(answer.json.rows).toHaveLength(3);
    expect(namesOf(parse(answer.headers.get('server-timing')))).toEqual(['trace', 'total', 'rows']);
  });

  it('can be read whatever the fields of a response are called', async () => {
    const app = await startTimed();
    const answer = await app.get('/odd');
    expect(answer.status).toBe(200);
    const names = namesOf(parse(answer.headers.get('server-timing')));
    expect(names).toHaveLength(5);
    expect(new Set(names).size).toBe(5);
  });

  it('has 50 steps at most', async () => {
    const app = await startTimed();
    const answer = await app.get('/many');
    expect(parse(answer.headers.get('server-timing'))).toHaveLength(52);
  });

  it('is there when something failed, and the id is that of the problem', async () => {
    const app = await startTimed();
    app.mocks.orders.fault([{ match: '*', status: 500 }]);
    const answer = await app.get('/orders/ord_1001');
    expect(answer.status).toBe(502);
    const entries = parse(answer.headers.get('server-timing'));
    expect(entries[0]).toEqual({ name: 'trace', desc: answer.json.traceId });
    expect(namesOf(entries)).toContain('order');
    const refused = await app.get('/list?unknown=1');
    expect(namesOf(parse(refused.headers.get('server-timing')))).toEqual(['trace', 'total']);
  });

  it('is not for health checks, unknown paths and the management side', async () => {
    const app = await startTimed();
    for (const url of [
      `${app.url}/livez`,
      `${app.url}/readyz`,
      `${app.url}/nowhere`,
      `${app.adminUrl}/upstreams`,
    ])
      expect((await fetch(url)).headers.has('server-timing'), url).toBe(false);
  });
});
