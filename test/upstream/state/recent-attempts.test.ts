import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { UpstreamErrorKind, UpstreamErrorOptions } from '../../../src/errors.ts';
import { callError } from '../../../src/upstream/call.ts';
import { createRecentAttempts } from '../../../src/upstream/state/recent-attempts.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { dispatchFor, nowhere, traceNamed, unreached } from '../../support/upstream-calls.ts';

const getOrder = operation(nowhere, { name: 'getOrder', route: 'GET /o', response: z.unknown() });

type Details = Omit<UpstreamErrorOptions, 'service' | 'operation'>;

function failure(kind: UpstreamErrorKind, details: Details = {}) {
  return callError({ operation: getOrder }, kind, 'canary-4711', details);
}

function start() {
  const clock = createFakeClock({ startAt: 3_000 });
  const recent = createRecentAttempts({
    clock,
    traceIdOf: (trace) => `id of ${String(trace)}`,
    nameOf: ({ host, port }) => `${host}:${port}`,
  });
  const dispatch = dispatchFor(getOrder, {}, { trace: traceNamed('trace') });
  const end = (error: unknown, tookMs = 10, standsFor?: number) =>
    recent.add(unreached, dispatch, {
      failure: error,
      status: error === undefined ? 200 : undefined,
      endedAt: clock.now(),
      tookMs,
      announcedMs: undefined,
      ...(standsFor !== undefined && { standsFor }),
    });
  return { clock, recent, end, refuse: (error: unknown) => recent.addRefused(dispatch, error) };
}

describe('the recent attempts of a service', () => {
  it('are none at first', () => {
    const { recent } = start();
    expect(recent.status()).toEqual({
      windowMs: 60_000,
      total: 0,
      failed: 0,
      failedShare: 0,
      cancelled: 0,
      notSent: 0,
      p50Ms: null,
      p95Ms: null,
    });
    expect(recent.lastError()).toBeUndefined();
  });

  it('are counted with the share that failed and quantiles of their durations', () => {
    const { recent, end } = start();
    for (let index = 0; index < 9; index += 1) end(undefined, 20);
    end(failure('status', { status: 503 }), 800);
    expect(recent.status()).toMatchObject({ total: 10, failed: 1, failedShare: 0.1 });
    const { p50Ms, p95Ms } = recent.status();
    expect(Math.abs((p50Ms ?? 0) - 20)).toBeLessThanOrEqual(2);
    expect(Math.abs((p95Ms ?? 0) - 800)).toBeLessThanOrEqual(100);
  });

  it.each([
    ['a success', undefined, { total: 1, failed: 0, cancelled: 0 }],
    ['a 404', failure('status', { status: 404 }), { total: 1, failed: 0, cancelled: 0 }],
    ['a 422', failure('status', { status: 422 }), { total: 1, failed: 0, cancelled: 0 }],
    ['a 401', failure('status', { status: 401 }), { total: 1, failed: 1, cancelled: 0 }],
    ['a 429', failure('status', { status: 429 }), { total: 1, failed: 1, cancelled: 0 }],
    ['a 500', failure('status', { status: 500 }), { total: 1, failed: 1, cancelled: 0 }],
    ['no connection', failure('connect'), { total: 1, failed: 1, cancelled: 0 }],
    ['a timeout', failure('timeout'), { total: 1, failed: 1, cancelled: 0 }],
    ['an unreadable body', failure('invalid-body'), { total: 1, failed: 1, cancelled: 0 }],
    ['a client that left', failure('aborted'), { total: 0, failed: 0, cancelled: 1 }],
    ['an idle connection that ended', failure('reset', { isStale: true }), { total: 0, failed: 0 }],
    ['an argument that cannot be sent', failure('invalid-argument'), { total: 0, failed: 0 }],
    ['a bug of the gateway', new Error('bug'), { total: 0, failed: 0, cancelled: 1 }],
  ])('judge %s', (_, error, counted) => {
    const { recent, end } = start();
    end(error);
    expect(recent.status()).toMatchObject(counted);
    expect(recent.lastError() !== undefined).toBe(counted.failed === 1);
  });

  it('are forgotten after a minute, whether others follow or not', () => {
    const { clock, recent, end } = start();
    end(failure('timeout'), 100);
    clock.advance(30_000);
    end(undefined, 10);
    expect(recent.status()).toMatchObject({ total: 2, failed: 1 });
    clock.advance(30_000);
    expect(recent.status()).toMatchObject({ total: 1, failed: 0 });
    end(undefined, 10);
    expect(recent.status()).toMatchObject({ total: 2, failed: 0 });
    clock.advance(3_600_000);
    expect(recent.status()).toMatchObject({ total: 0, p50Ms: null });
  });

  it('include abandoned ones for which an ending stands', () => {
    const { recent, end } = start();
    end(failure('timeout'), 100, 6);
    expect(recent.status()).toMatchObject({ total: 7, failed: 7 });
  });

  it('name the last error of the service and of the address, which outlives the minute', () => {
    const { clock, recent, end } = start();
    const cause = Object.assign(new Error('canary-4711'), { code: 'ECONNREFUSED' });
    end(failure('connect', { cause }));
    clock.advance(600_000);
    end(undefined);
    const error = {
      kind: 'connect',
      code: 'ECONNREFUSED',
      operation: 'shop.getOrder',
      address: '127.0.0.1:9',
      at: new Date(1_700_000_003_000).toISOString(),
      traceId: 'id of trace',
    };
    expect(recent.lastError()).toEqual(error);
    expect(recent.lastError(unreached)).toEqual(error);
    end(failure('status', { status: 503, cause: new Error('canary-4711') }));
    expect(recent.lastError()).toMatchObject({ kind: 'status', status: 503 });
    expect(JSON.stringify(recent.lastError())).not.toContain('canary');
  });

  it('leave out codes that are no names', () => {
    const { recent, end } = start();
    end(failure('connect', { cause: Object.assign(new Error('x'), { code: 'secret of mine' }) }));
    expect(recent.lastError()).not.toHaveProperty('code');
  });

  it('count calls that were not sent, whose reason is an error unless the breaker is it', () => {
    const { recent, end, refuse } = start();
    end(failure('timeout'));
    refuse(failure('breaker-open'));
    expect(recent.status()).toMatchObject({ total: 1, notSent: 1 });
    expect(recent.lastError()).toMatchObject({ kind: 'timeout' });
    refuse(failure('credentials'));
    refuse(failure('aborted'));
    expect(recent.status()).toMatchObject({ total: 1, notSent: 2 });
    expect(recent.lastError()).toMatchObject({ kind: 'credentials' });
    expect(recent.lastError(unreached)).toMatchObject({ kind: 'timeout' });
  });
});
