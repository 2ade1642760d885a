/** The lines about changes of state: by a fake clock, and of a service behind real sockets. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { operation } from '../../src/dsl/declare-operation.ts';
import { neverSheds } from '../../src/edge/overload.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { reportChanges } from '../../src/telemetry/state-changes.ts';
import type { ServiceStatus } from '../../src/upstream/service.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { startServer } from '../support/servers.ts';
import { openShop } from '../support/upstream-calls.ts';

const lastError = {
  kind: 'status',
  status: 503,
  operation: 'payments.find',
  at: '2026-11-26T10:00:00.000Z',
  traceId: '0af7651916cd43dd8448eb211c80319c',
} as const;

const calm: ServiceStatus = {
  service: 'payments',
  attempts: {
    windowMs: 60_000,
    total: 20,
    failed: 12,
    failedShare: 0.6,
    cancelled: 0,
    notSent: 3,
    p50Ms: 20,
    p95Ms: 800,
  },
  lastError,
  breaker: 'closed',
  bulkhead: { inFlight: 0, waiting: 0 },
  endpoints: [
    {
      address: '10.0.0.7:4002',
      state: 'used',
      since: '2026-11-26T10:00:00.000Z',
      inFlight: 0,
      lastError,
    },
  ],
};

interface Watching {
  readonly clock?: FakeClock;
  readonly status?: () => readonly ServiceStatus[];
}

/** A gateway whose state a test sets, and the lines that are logged about it. */
function watch(options: Watching = {}) {
  const { clock = createFakeClock() } = options;
  let services: readonly ServiceStatus[] = [calm];
  const shed = { steps: 0, requests: 0, overLimit: 0 };
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'json', write: (line) => lines.push(line) });
  const observer = reportChanges(clock, log);
  const { status = () => services } = options;
  observer.watch?.({
    operations: [],
    compositions: { served: 0, notServed: 0 },
    status,
    overload: neverSheds,
    shed,
    connections: () => 0,
  });
  onTestFinished(() => observer.shutdown?.());
  /** The lines since the last call. */
  const logged = () =>
    lines.splice(0).map((line) => {
      const { time, ...rest } = z.looseObject({ time: z.string() }).parse(JSON.parse(line));
      expect(time).toMatch(/^\d{4}-/);
      return rest;
    });
  const become = (part: Partial<ServiceStatus>, forMs = 1_000) => {
    services = [{ ...calm, ...part }];
    clock.advance(forMs);
    return logged();
  };
  const withAddress = (state: 'used' | 'ejected' | 'unwell', forMs?: number) =>
    become({ endpoints: calm.endpoints.map((one) => ({ ...one, state })) }, forMs);
  return { clock, shed, logged, become, withAddress, observer };
}

describe('a breaker', () => {
  it('has a line when it opens, which says why, and one when it closes', () => {
    const { become } = watch();
    expect(become({})).toEqual([]);
    expect(become({ breaker: 'open' })).toEqual([
      {
        level: 'warn',
        service: 'payments',
        breaker: 'open',
        attempts: 20,
        failed: 12,
        p95_ms: 800,
        error: 'status 503',
        operation: 'payments.find',
        trace_id: lastError.traceId,
        message:
          'The breaker of payments has opened: 12 of 20 attempts of the last minute failed, ' +
          'the last by status 503 (p95 800 ms)',
      },
    ]);
    expect(become({ breaker: 'open' }, 30_000)).toEqual([]);
    expect(become({})).toEqual([
      {
        level: 'info',
        service: 'payments',
        breaker: 'closed',
        not_sent: 3,
        message: 'The breaker of payments has closed after 31 s',
      },
    ]);
  });

  it('does not blame an earlier error where attempts were slow and none has failed', () => {
    const attempts = { ...calm.attempts, failed: 0, failedShare: 0, p95Ms: 2_100 };
    const [line] = watch().become({ breaker: 'open', attempts });
    expect(line?.message).toMatch(/0 of 20 attempts of the last minute failed \(p95 2100 ms\)$/);
    expect(line).not.toHaveProperty('error');
    expect(line).not.toHaveProperty('trace_id');
  });

  it('blames the last attempt, and not a call that was not sent since', () => {
    const refused = {
      kind: 'overloaded',
      operation: 'payments.find',
      at: '2026-11-26T10:00:09.000Z',
    } as const;
    const [line] = watch().become({ breaker: 'open', lastError: refused });
    expect(line).toMatchObject({ error: 'status 503' });
  });

  it('has no line while it is tried whether the outage is over', () => {
    const { become } = watch();
    expect(become({ breaker: 'open' })).toHaveLength(1);
    for (const breaker of ['half-open', 'open', 'half-open'] as const) {
      expect(become({ breaker })).toEqual([]);
    }
    expect(become({ breaker: 'closed' })).toHaveLength(1);
  });

  it('has few lines however often it changes, and the last one says how it is', () => {
    const { become } = watch();
    const lines = Array.from({ length: 50 }, (_, index) =>
      become({ breaker: index % 2 === 0 ? 'open' : 'closed' }),
    ).flat();
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).toMatchObject({ breaker: 'closed' });
    expect(become({ breaker: 'open' }, 20_000)).toMatchObject([{ breaker: 'open' }]);
  });

  it('has none where there is no breaker', () => {
    expect(watch().become({ breaker: 'off' })).toEqual([]);
  });
});

describe('an address', () => {
  it('has a line when it is ejected or unwell, and when it returns', () => {
    const { withAddress } = watch();
    const fields = { service: 'payments', address: '10.0.0.7:4002' };
    expect(withAddress('ejected')).toMatchObject([
      {
        level: 'warn',
        ...fields,
        state: 'ejected',
        message: '10.0.0.7:4002 of payments is ejected: its attempts fail, the last by status 503',
      },
    ]);
    expect(withAddress('used', 9_000)).toMatchObject([
      {
        level: 'info',
        ...fields,
        state: 'used',
        message: expect.stringMatching(/is used again after 1 s$/),
      },
    ]);
    expect(withAddress('unwell')).toMatchObject([
      {
        level: 'warn',
        ...fields,
        state: 'unwell',
        message: expect.stringMatching(/fails its health checks$/),
      },
    ]);
    // An error of an attempt does not say why.
    expect(withAddress('used')).toHaveLength(1);
    expect(withAddress('unwell')[0]).not.toHaveProperty('error');
    expect(withAddress('unwell', 60_000)).toEqual([]);
  });
});

describe('load shedding', () => {
  it('has a line when it begins, and one with counts when nothing is shed for ten seconds', () => {
    const { clock, shed, logged } = watch();
    clock.advance(5_000);
    expect(logged()).toEqual([]);
    Object.assign(shed, { steps: 4 });
    clock.advance(1_000);
    expect(logged()).toMatchObject([
      { level: 'warn', shedding: 'on', steps: 4, requests: 0, over_limit: 0 },
    ]);
    Object.assign(shed, { steps: 100, requests: 7, overLimit: 2 });
    clock.advance(10_000);
    expect(logged()).toEqual([]);
    clock.advance(1_000);
    expect(logged()).toEqual([
      {
        level: 'info',
        shedding: 'off',
        steps: 100,
        requests: 7,
        over_limit: 2,
        message:
          'Load is no longer shed after 11 s: 100 steps were left out, 7 requests were refused, ' +
          '2 requests were refused beyond the limit of requests in progress',
      },
    ]);
  });

  it('counts from its own beginning', () => {
    const { clock, shed, logged } = watch();
    Object.assign(shed, { requests: 50 });
    clock.advance(60_000);
    logged();
    Object.assign(shed, { requests: 51 });
    clock.advance(60_000);
    expect(logged()).toMatchObject([
      { shedding: 'on', requests: 1 },
      { shedding: 'off', requests: 1 },
    ]);
  });
});

describe('the lines of a service behind real sockets', () => {
  it('tell that it went and came back, without a word of what it said', async () => {
    let isDown = true;
    const { url } = await startServer((_, response) => {
      if (isDown) response.writeHead(503);
      response.end('"canary-4711"');
    });
    const clock = createFakeClock();
    const shop = openShop({
      url,
      clock,
      service: { breaker: { volume: 3, probes: 1 } },
      deadlineInMs: 1e9,
    });
    const get = operation(shop.service, {
      name: 'get',
      route: 'GET /canary-4711',
      response: z.unknown(),
    });
    const { logged } = watch({ clock, status: shop.upstreams.status });
    const call = () =>
      shop
        .open()(get, {}, undefined)
        .catch(() => undefined);
    for (let count = 0; count < 4; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await call();
    }
    clock.advance(1_000);
    const gone = logged();
    expect(gone).toMatchObject([
      { service: 'shop', breaker: 'open', failed: 3, error: 'status 503', operation: 'shop.get' },
    ]);
    isDown = false;
    clock.advance(10_000);
    await call();
    clock.advance(1_000);
    const back = logged();
    expect(back).toMatchObject([{ service: 'shop', breaker: 'closed', not_sent: 1 }]);
    expect(JSON.stringify([gone, back])).not.toContain('canary');
  });
});

it('stops looking when telemetry is shut down', async () => {
  const { clock, observer } = watch();
  expect(clock.pending).toBe(1);
  await observer.shutdown?.();
  expect(clock.pending).toBe(0);
});
