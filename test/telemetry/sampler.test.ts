/** The decision whether a request is recorded, and who makes it. */
import {
  InMemorySpanExporter,
  RandomIdGenerator,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { call, defineComposition, each } from 'plait';
import { describe, expect, it, onTestFinished } from 'vitest';
import summary from '../../compositions/order-summary.ts';
import { listOrders } from '../../compositions/upstreams/orders.ts';
import { paymentOf } from '../../compositions/upstreams/payments.ts';
import { systemClock } from '../../src/clock.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import type { Mode } from '../../src/settings/settings.ts';
import { createSampler } from '../../src/telemetry/sampler.ts';
import { contextFrom } from '../../src/telemetry/scope.ts';
import { unobserved } from '../../src/telemetry/telemetry.ts';
import { createTracing } from '../../src/telemetry/tracing.ts';
import { isWithin } from '../../src/network.ts';
import type { Environment } from '../../src/environment.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';

/** Of the ids that a ratio keeps the first, and the last. It goes by the exclusive or of their four parts. */
const lowId = '00000000000000000000000000000001';
const middleId = '7fffffff000000000000000000000000';
const highId = 'ffffffff000000000000000000000000';

interface Asked {
  readonly traceId?: string;
  readonly flag?: '00' | '01';
  readonly isTrusted?: boolean;
  /** The id that a trace of our own would have. */
  readonly newId?: string;
}

/** Whether a request with a client's trace is recorded; without a flag it comes without one. */
function isRecorded(
  environment: Environment,
  asked: Asked = {},
  mode = 'development' as Mode,
): boolean {
  const { traceId = highId, flag, isTrusted = false, newId = highId } = asked;
  const sent = { traceId, spanId: 'b7ad6b7169203331', isSampled: flag === '01' };
  const context = contextFrom(flag !== undefined && isTrusted ? sent : undefined);
  const sampler = createSampler(samplerOf(environment, mode), () => newId);
  return sampler.decide(context) !== undefined;
}

function samplerOf(environment: Environment, mode: Mode = 'production') {
  const { sdk } = parseSettings({ ...environment, NODE_ENV: mode }, []).telemetry;
  if (sdk === undefined) throw new Error('OpenTelemetry is off');
  return sdk.sampler;
}

const sampler = (name: string, arg?: string): Environment => ({
  OTEL_TRACES_SAMPLER: name,
  ...(arg !== undefined && { OTEL_TRACES_SAMPLER_ARG: arg }),
});

describe('by default', () => {
  it('all is recorded in development', () => {
    expect(isRecorded({})).toBe(true);
    expect(isRecorded({ OTEL_TRACES_SAMPLER: '', OTEL_TRACES_SAMPLER_ARG: '' })).toBe(true);
    expect(String(createSampler(samplerOf({}, 'development'), () => lowId))).toContain('AlwaysOn');
  });

  it('a tenth is recorded in production', () => {
    expect(isRecorded({}, { newId: lowId }, 'production')).toBe(true);
    expect(isRecorded({}, { newId: highId }, 'production')).toBe(false);
    expect(String(createSampler(samplerOf({}, 'production'), () => lowId))).toContain('{0.1}');
  });

  it('a trusted client may say otherwise', () => {
    expect(isRecorded({}, { flag: '00', isTrusted: true })).toBe(false);
    expect(isRecorded({}, { flag: '01', isTrusted: true }, 'production')).toBe(true);
  });
});

describe('a sampler', () => {
  const trusted = { isTrusted: true };
  /** Expected: without a trace, and with a trusted client's that is not recorded, or is. */
  it.each([
    ['always_on', undefined, [true, true, true]],
    ['always_off', undefined, [false, false, false]],
    ['traceidratio', '0', [false, false, false]],
    ['traceidratio', '1', [true, true, true]],
    ['parentbased_always_on', undefined, [true, false, true]],
    ['parentbased_always_off', undefined, [false, false, true]],
    ['parentbased_traceidratio', '0', [false, false, true]],
    ['parentbased_traceidratio', '1', [true, false, true]],
  ] as const)('%s %s is what OpenTelemetry says it is', (name, arg, expected) => {
    const environment = sampler(name, arg);
    expect([
      isRecorded(environment),
      isRecorded(environment, { ...trusted, flag: '00' }),
      isRecorded(environment, { ...trusted, flag: '01' }),
    ]).toEqual(expected);
  });

  it.each(['traceidratio', 'parentbased_traceidratio'])('%s goes by the ratio', (name) => {
    const recordedAt = (ratio: string) =>
      [lowId, middleId, highId].map((newId) => isRecorded(sampler(name, ratio), { newId }));
    expect(recordedAt('0')).toEqual([false, false, false]);
    expect(recordedAt('0.25')).toEqual([true, false, false]);
    expect(recordedAt('0.75')).toEqual([true, true, false]);
    expect(recordedAt('1')).toEqual([true, true, true]);
    // A tenth where nothing is said.
    expect(isRecorded(sampler(name), { newId: lowId })).toBe(true);
    expect(isRecorded(sampler(name), { newId: middleId })).toBe(false);
  });

  it('of a ratio goes by the trace id of a client that is trusted', () => {
    const half = sampler('traceidratio', '0.5');
    const asked = { flag: '01', isTrusted: true } as const;
    expect(isRecorded(half, { ...asked, traceId: lowId, newId: highId })).toBe(true);
    expect(isRecorded(half, { ...asked, traceId: highId, newId: lowId })).toBe(false);
  });

  it.each(['always', 'jaeger_remote', 'parentbased_', 'ALWAYS_ON', ' always_on'])(
    'named %j is refused, with the names that are known',
    (name) => {
      const create = () => samplerOf(sampler(name));
      expect(create).toThrow(ConfigurationError);
      expect(create).toThrow(
        `OTEL_TRACES_SAMPLER is ${JSON.stringify(name)}. Use always_on, parentbased_always_on, always_off, parentbased_always_off, traceidratio or parentbased_traceidratio.`,
      );
    },
  );

  it.each(['constructor', 'toString', 'always_parentbased_on'])(
    'named %j is refused too',
    (name) => {
      const create = () => samplerOf(sampler(name));
      expect(create).toThrow(ConfigurationError);
    },
  );

  it.each(['1.1', '-0.1', 'ten', '10%', '0,5', 'NaN'])('with the ratio %j is refused', (ratio) => {
    const create = () => samplerOf(sampler('traceidratio', ratio));
    expect(create).toThrow(ConfigurationError);
    expect(create).toThrow(
      `OTEL_TRACES_SAMPLER_ARG is ${JSON.stringify(ratio)}. Use a number from 0 to 1, as in 0.1.`,
    );
  });

  it('with a ratio of blanks is refused, or as if none were given', () => {
    expect(isRecorded(sampler('traceidratio', ' '), { newId: lowId })).toBe(true);
  });
});

describe('a client that is not trusted', () => {
  const flags = ['00', '01'] as const;

  it('cannot have its requests recorded, or left out, by its flag', () => {
    for (const flag of flags) {
      expect(isRecorded({}, { flag })).toBe(true);
      expect(isRecorded({}, { flag, newId: highId }, 'production')).toBe(false);
      expect(isRecorded({}, { flag, newId: lowId }, 'production')).toBe(true);
      expect(isRecorded(sampler('parentbased_always_off'), { flag })).toBe(false);
    }
  });

  it('nor by its trace id: ours decides', () => {
    for (const name of ['traceidratio', 'parentbased_traceidratio'])
      for (const flag of flags) {
        const half = sampler(name, '0.5');
        expect(isRecorded(half, { flag, traceId: lowId, newId: highId })).toBe(false);
        expect(isRecorded(half, { flag, traceId: highId, newId: lowId })).toBe(true);
      }
  });
});

const peersIn = (text: string, mode: Mode = 'production') =>
  parseSettings({ TRUSTED_PEERS: text, NODE_ENV: mode }, []).telemetry.trustedPeers;

describe('TRUSTED_PEERS', () => {
  it.each([
    ['', [], ['127.0.0.1', '::1', '']],
    ['10.1.2.3', ['10.1.2.3', '::ffff:10.1.2.3'], ['10.1.2.4', '::10.1.2.3']],
    [
      '10.0.0.0/8',
      ['10.0.0.0', '10.255.255.255', '::ffff:10.9.9.9'],
      ['11.0.0.0', '9.255.255.255'],
    ],
    ['10.1.2.3/8', ['10.200.0.1'], ['11.1.2.3']],
    ['0.0.0.0/0', ['8.8.8.8', '::ffff:8.8.8.8'], ['::1']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1']],
    ['fd00::/8', ['fd12:3456::1'], ['fe80::1', '253.0.0.1']],
    ['fe80::/10', ['fe80::1%eth0'], ['fec0::1%eth0']],
    ['::ffff:10.0.0.0/104', ['10.9.9.9', '::ffff:10.9.9.9'], ['11.0.0.1']],
    [' 10.0.0.0/8 ,, ::1, ', ['10.0.0.1', '::1'], ['127.0.0.1']],
  ] as const)('%j', (text, yes, no) => {
    const isTrusted = isWithin(peersIn(text));
    expect(yes.filter((peer) => !isTrusted(peer))).toEqual([]);
    expect(no.filter((peer) => isTrusted(peer))).toEqual([]);
  });

  it('has this machine in it in development', () => {
    const isTrusted = isWithin(peersIn('10.0.0.0/8', 'development'));
    for (const peer of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.1.2.3'])
      expect(isTrusted(peer), peer).toBe(true);
    expect(isTrusted('192.168.0.1')).toBe(false);
  });

  it('is nobody where it is not set, or the peer is not known', () => {
    expect(isWithin(peersIn(''))('127.0.0.1')).toBe(false);
    for (const peer of ['', 'localhost', '10.0.0.1:80', 'unix:/tmp/socket'])
      expect(isWithin(peersIn('0.0.0.0/0, ::/0'))(peer)).toBe(false);
  });

  it.each([
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0',
    '10.0.0.0/x',
    '*',
  ])('refuses %j, by name', (part) => {
    const create = () => peersIn(`127.0.0.1, ${part}`);
    expect(create).toThrow(ConfigurationError);
    expect(create).toThrow(
      `TRUSTED_PEERS contains ${JSON.stringify(part)}. Use addresses and networks separated by commas, as in 10.0.0.0/8, ::1.`,
    );
  });
});

const sent = (flag: string): string => `00-${middleId}-b7ad6b7169203331-${flag}`;

describe('a whole request', () => {
  const twice = defineComposition({
    route: 'GET /twice',
    compose: () =>
      each(call(listOrders, { customerId: 'cus_1', limit: 5 }).items, ({ id }) =>
        call(paymentOf, { orderId: id }),
      ),
  });

  /** A gateway that half of its requests are recorded by, in turn; `decisions` counts how often it is asked. */
  async function startAlternating(trustedPeers = '') {
    const exporter = new InMemorySpanExporter();
    let decisions = 0;
    const half = samplerOf(sampler('parentbased_traceidratio', '0.5'));
    const own = createSampler(half, () => (decisions++ % 2 === 0 ? lowId : highId));
    const provider = new TracerProvider({
      sampler: own,
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
    });
    onTestFinished(() => provider.shutdown());
    const isTrusted = isWithin(peersIn(trustedPeers));
    const tracing = createTracing({
      tracer: provider.getTracer('test'),
      sampler: own,
      ids: new RandomIdGenerator(),
      clock: systemClock,
      isTrusted,
    });
    const app = await startWithMocks({
      compositions: { summary, twice },
      telemetry: { ...unobserved, ...tracing },
    });
    const spansOf = async (path: string, traceparent?: string) => {
      exporter.reset();
      const { status } = await app.get(path, { headers: { ...(traceparent && { traceparent }) } });
      expect(status).toBe(200);
      return exporter.getFinishedSpans().map(({ name }) => name);
    };
    return { ...app, spansOf, decisions: () => decisions };
  }

  it('is recorded with all that it does, or not at all, by one decision', async () => {
    const { spansOf, decisions, mocks } = await startAlternating();
    expect(await spansOf('/orders/ord_1001/summary')).toHaveLength(7);
    expect(await spansOf('/orders/ord_1001/summary')).toEqual([]);
    expect(await spansOf('/twice')).toHaveLength(6);
    expect(await spansOf('/twice')).toEqual([]);
    expect(decisions()).toBe(4);
    const flags = [mocks.orders, mocks.payments, mocks.shipping].map((service) =>
      service.requests().map(({ headers }) => headers['traceparent']?.slice(-2)),
    );
    expect(flags).toEqual([
      ['01', '00', '01', '00'],
      ['01', '00', '01', '00'],
      ['01', '00'],
    ]);
  });

  it('of a client that is not trusted is decided here, in a trace of ours', async () => {
    const { spansOf, mocks } = await startAlternating('10.0.0.0/8');
    expect(await spansOf('/orders/ord_1001/summary', sent('00'))).toHaveLength(7);
    expect(await spansOf('/orders/ord_1001/summary', sent('01'))).toEqual([]);
    const told = mocks.orders.requests().map(({ headers }) => headers['traceparent'] ?? '');
    for (const text of told) expect(text).not.toContain(middleId);
    expect(told.map((text) => text.slice(-2))).toEqual(['01', '00']);
  });

  it('of a client that is trusted follows its flag, without a decision of ours', async () => {
    const { spansOf, decisions } = await startAlternating('127.0.0.0/8');
    expect(await spansOf('/orders/ord_1001/summary', sent('01'))).toHaveLength(7);
    expect(await spansOf('/orders/ord_1001/summary', sent('01'))).toHaveLength(7);
    expect(await spansOf('/orders/ord_1001/summary', sent('00'))).toEqual([]);
    expect(decisions()).toBe(0);
  });
});
