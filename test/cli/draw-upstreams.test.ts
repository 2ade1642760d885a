import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drawUpstreams } from '../../src/cli/draw-upstreams.ts';
import type { ShownService } from '../../src/cli/draw-upstreams.ts';

const now = Date.parse('2026-11-26T10:00:00Z');

function ago(seconds: number): string {
  return new Date(now - seconds * 1_000).toISOString();
}

const calm: ShownService = {
  service: 'orders',
  attempts: { total: 1_204, failed: 0, failedShare: 0, notSent: 0, p50Ms: 4.2, p95Ms: 21 },
  breaker: 'closed',
  breakerSince: ago(3_600),
  bulkhead: { inFlight: 3, waiting: 0 },
  endpoints: [{ address: '10.0.0.5:4001', state: 'used', since: ago(3_600), inFlight: 3 }],
};

const lastError = {
  kind: 'connect',
  code: 'ECONNREFUSED',
  operation: 'payments.paymentsOf',
  at: ago(3),
  traceId: '0af7651916cd43dd8448eb211c80319c',
};

const broken: ShownService = {
  service: 'payments',
  attempts: { total: 42, failed: 12, failedShare: 0.2857, notSent: 310, p50Ms: 21, p95Ms: 830 },
  lastError,
  breaker: 'open',
  breakerSince: ago(4),
  bulkhead: { inFlight: 0, waiting: 0 },
  endpoints: [
    { address: '10.0.0.7:4002', state: 'ejected', since: ago(12), inFlight: 0, lastError },
    {
      address: '10.0.0.8:4002',
      state: 'used',
      since: ago(3_600),
      inFlight: 0,
      lastError: { kind: 'status', status: 503, operation: 'payments.pay', at: ago(600) },
    },
  ],
};

const idle: ShownService = {
  ...calm,
  service: 'shipping',
  attempts: { total: 0, failed: 0, failedShare: 0, notSent: 0, p50Ms: null, p95Ms: null },
  bulkhead: { inFlight: 0, waiting: 0 },
  endpoints: [{ address: '/run/shipping.sock', state: 'used', since: ago(9), inFlight: 0 }],
};

function markOf(service: ShownService): string | undefined {
  return drawUpstreams({ upstreams: [service] }, now)
    .split('\n')[1]
    ?.slice(0, 1);
}

describe('the table of services', () => {
  it('is drawn as the reference shows it', () => {
    const drawn = drawUpstreams({ upstreams: [calm, broken, idle] }, now);
    const reference = readFileSync(
      join(import.meta.dirname, '../../docs/reference/telemetry.md'),
      'utf8',
    );
    const [, shown] = /\$ npx plait upstreams\n([^]*?)\n```/.exec(reference) ?? [];
    expect(drawn).toBe(shown);
  });

  it.each([
    ['✓', 'all is well', {}],
    ['·', 'nothing was called', idle],
    [
      '!',
      'a few attempts failed',
      { attempts: { ...calm.attempts, failed: 1, failedShare: 0.01 } },
    ],
    ['!', 'calls were not sent', { attempts: { ...calm.attempts, notSent: 1 } }],
    ['!', 'calls wait', { bulkhead: { inFlight: 10, waiting: 1 } }],
    ['✗', 'half of them failed', { attempts: { ...calm.attempts, failed: 602, failedShare: 0.5 } }],
    ['✗', 'the breaker is open', { breaker: 'open' }],
    ['✗', 'the breaker is half-open', { breaker: 'half-open' }],
    ['✓', 'there is no breaker', { breaker: 'off' }],
    [
      '✗',
      'an address is unwell',
      { endpoints: calm.endpoints.map((one) => ({ ...one, state: 'unwell' })) },
    ],
  ])('marks a service with %s if %s', (mark, _, rest) => {
    expect(markOf({ ...calm, ...rest })).toBe(mark);
  });

  it.each([
    [0, '0 s'],
    [-5, '0 s'],
    [119, '119 s'],
    [121, '2 min'],
    [7_300, '2 h'],
  ])('says how long %i seconds are as %s', (seconds, text) => {
    const drawn = drawUpstreams(
      { upstreams: [{ ...broken, lastError: { ...lastError, at: ago(seconds) } }] },
      now,
    );
    expect(drawn).toContain(`payments.paymentsOf ${text} ago, trace 0af7651916`);
  });

  it('commands no terminal, whatever a gateway says', () => {
    const hostile = 'a\u001b[2J\u202eb';
    const upstreams = [
      { ...broken, service: hostile, lastError: { ...lastError, code: hostile, traceId: hostile } },
    ];
    const notServed = [{ composition: hostile, route: hostile, reason: `${hostile}\n\r` }];
    const issuers = [{ issuers: [hostile], address: hostile, state: `${hostile}\n` }];
    const drawn = drawUpstreams({ upstreams, issuers, notServed }, now);
    expect(drawn.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(drawn).toContain(String.raw`a\u001b[2J\u202eb`);
  });

  it('says when there is no service', () => {
    expect(drawUpstreams({ upstreams: [] }, now)).toBe('The gateway calls no service.');
  });
});

it.each([
  ['·', 'not-asked', {}, 'not-asked'],
  ['✓', 'known', { fetchedAt: ago(12) }, 'known, fetched 12 s ago'],
  [
    '!',
    'known',
    { fetchedAt: ago(900), lastError: { kind: 'connect', code: 'ECONNREFUSED', at: ago(3) } },
    'known, fetched 15 min ago, connect ECONNREFUSED 3 s ago',
  ],
  [
    '✓',
    'known',
    { fetchedAt: ago(3), lastError: { kind: 'status', status: 503, at: ago(9) } },
    'known, fetched 3 s ago, 503 9 s ago',
  ],
  [
    '✗',
    'unavailable',
    { lastError: { kind: 'timeout', at: ago(3) } },
    'unavailable, timeout 3 s ago',
  ],
])('marks an issuer with %s: %s', (mark, state, more, how) => {
  const address = 'https://id.example.com/jwks';
  const issuer = { issuers: ['https://id.example.com'], address, state, ...more };
  const drawn = drawUpstreams({ upstreams: [calm], issuers: [issuer] }, now);
  expect(drawn.split('\n').at(-1)).toBe(
    `${mark}  keys of https://id.example.com  ${address}  ${how}`,
  );
});
