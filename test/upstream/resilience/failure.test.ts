import { describe, expect, it } from 'vitest';
import { ExecutionError, UpstreamError } from '../../../src/errors.ts';
import type { UpstreamErrorKind, UpstreamErrorOptions } from '../../../src/errors.ts';
import {
  isHeldBack,
  isErrorAnswer,
  isTransient,
  verdictOf,
} from '../../../src/upstream/resilience/failure.ts';
import type { Verdict } from '../../../src/upstream/resilience/failure.ts';

/** The verdict on an attempt, which took 10 ms unless said otherwise. */
const verdict = (failed: unknown, tookMs = 10, announcedMs: number | undefined = undefined) =>
  verdictOf({ failure: failed, tookMs, announcedMs });

function failure(kind: UpstreamErrorKind, details: Partial<UpstreamErrorOptions> = {}) {
  return new UpstreamError(kind, 'failed', { service: 'shop', operation: 'getOrders', ...details });
}

const reached = ['not at all', 'headers', 'body'] as const;
const reachedBy = (how: (typeof reached)[number]) => (how === 'not at all' ? {} : { reached: how });

interface Judged {
  readonly verdict: Verdict;
  readonly transient: boolean;
  readonly heldBack: boolean;
}

/** The judgements of each kind without further details, which most kinds do not have. */
const kinds: Readonly<Record<UpstreamErrorKind, Judged>> = {
  status: { verdict: 'ok', transient: false, heldBack: false },
  connect: { verdict: 'failed', transient: true, heldBack: false },
  reset: { verdict: 'failed', transient: true, heldBack: false },
  timeout: { verdict: 'failed', transient: true, heldBack: false },
  'invalid-body': { verdict: 'ok', transient: false, heldBack: false },
  'too-large': { verdict: 'ok', transient: false, heldBack: false },
  overloaded: { verdict: 'unknown', transient: false, heldBack: true },
  'breaker-open': { verdict: 'unknown', transient: false, heldBack: true },
  credentials: { verdict: 'unknown', transient: false, heldBack: true },
  missing: { verdict: 'ok', transient: false, heldBack: false },
  'invalid-argument': { verdict: 'unknown', transient: false, heldBack: false },
  aborted: { verdict: 'unknown', transient: false, heldBack: false },
};

describe.each(Object.entries(kinds))('a failure of the kind "%s"', (name, judged) => {
  const kind = name as UpstreamErrorKind; // the keys of `kinds`

  it(`gives the verdict ${judged.verdict} on the service`, () => {
    expect(verdict(failure(kind))).toBe(judged.verdict);
  });

  it(`is ${judged.transient ? '' : 'not '}transient`, () => {
    expect(isTransient(failure(kind))).toBe(judged.transient);
  });

  it(`is ${judged.heldBack ? '' : 'not '}held back by breaker or bulkhead`, () => {
    expect(isHeldBack(failure(kind))).toBe(judged.heldBack);
  });

  it('does not count as slow without a status', () => {
    expect(isErrorAnswer(failure(kind))).toBe(false);
  });

  it('gives the same verdict however long it took', () => {
    for (const tookMs of [0, 500, 501, 1_001, 60_000])
      expect(verdict(failure(kind), tookMs)).toBe(judged.verdict);
  });
});

describe('an answer with a status', () => {
  it.each([
    { status: 302, says: 'ok', transient: false, slow: false },
    { status: 400, says: 'ok', transient: false, slow: false },
    { status: 401, says: 'ok', transient: false, slow: false },
    { status: 404, says: 'ok', transient: false, slow: false },
    { status: 408, says: 'ok', transient: false, slow: false },
    { status: 425, says: 'ok', transient: false, slow: false },
    { status: 428, says: 'ok', transient: false, slow: false },
    { status: 429, says: 'ok', transient: false, slow: true },
    { status: 430, says: 'ok', transient: false, slow: false },
    { status: 499, says: 'ok', transient: false, slow: false },
    { status: 500, says: 'failed', transient: false, slow: true },
    { status: 501, says: 'ok', transient: false, slow: true },
    { status: 502, says: 'failed', transient: true, slow: true },
    { status: 503, says: 'failed', transient: true, slow: true },
    { status: 504, says: 'failed', transient: true, slow: true },
    { status: 505, says: 'ok', transient: false, slow: true },
    { status: 507, says: 'ok', transient: false, slow: true },
    { status: 599, says: 'ok', transient: false, slow: true },
  ])(
    'of $status gives the verdict $says, is transient: $transient, counts as slow: $slow',
    ({ status, ...judged }) => {
      const error = failure('status', { status });
      expect({
        says: verdict(error),
        transient: isTransient(error),
        slow: isErrorAnswer(error),
      }).toEqual(judged);
    },
  );

  it.each([429, 500, 501, 502, 503, 504])(
    'of %i is transient with Retry-After, unless it is a 500 or 501',
    (status) => {
      const error = failure('status', { status, retryAfterSeconds: 0 });
      expect(isTransient(error)).toBe(status !== 500 && status !== 501);
    },
  );

  it('counts as slow by its status even if its body cannot be read', () => {
    expect(isErrorAnswer(failure('invalid-body', { status: 503 }))).toBe(true);
    expect(isErrorAnswer(failure('invalid-body', { status: 200 }))).toBe(false);
  });
});

describe('a failure after part of an answer', () => {
  it.each(reached)('is blamed on the service if the connection broke, after: %s', (how) => {
    expect(verdict(failure('reset', reachedBy(how)))).toBe('failed');
  });

  it.each(reached)(
    'is transient only if nothing came before the connection broke, after: %s',
    (how) => {
      expect(isTransient(failure('reset', reachedBy(how)))).toBe(how === 'not at all');
    },
  );

  it.each(reached)('is not blamed on the service if the body cannot be used, after: %s', (how) => {
    const error = failure('invalid-body', reachedBy(how));
    expect(verdict(error)).toBe('ok');
    expect(isTransient(error)).toBe(false);
  });

  it('is no answer if it is not HTTP', () => {
    expect(verdict(failure('invalid-body', { isNotHttp: true }))).toBe('failed');
  });

  it.each(reached)('is transient if the attempt timed out, after: %s', (how) => {
    expect(isTransient(failure('timeout', reachedBy(how)))).toBe(true);
  });
});

describe('an abandoned call', () => {
  const reasons: readonly (readonly [string, unknown])[] = [
    ['since nobody waits', failure('aborted')],
    ['at the deadline of its request', new ExecutionError('deadline', 'is over')],
    ['by a client that left', new ExecutionError('disconnected', 'is gone')],
    ['for a reason of anyone else', new DOMException('aborted', 'AbortError')],
    ['for what is no error', 'gone'],
  ];

  it.each(reasons)('gives no verdict on the service, however long it took: %s', (_, reason) => {
    expect([0, 1, 499, 501, 1_001, 60_000].map((tookMs) => verdict(reason, tookMs))).toEqual(
      Array.from({ length: 6 }, () => 'unknown'),
    );
  });

  it.each(reasons)('is neither retried, nor slow, nor held back: %s', (_, reason) => {
    expect([isTransient(reason), isErrorAnswer(reason), isHeldBack(reason)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('a service that was given less than the full time', () => {
  it.each([
    { status: 503, tookMs: 400, announcedMs: 500, says: 'unknown' },
    { status: 504, tookMs: 500, announcedMs: 500, says: 'unknown' },
    { status: 504, tookMs: 399, announcedMs: 500, says: 'failed' },
    { status: 504, tookMs: 3_000, announcedMs: undefined, says: 'failed' },
    { status: 500, tookMs: 500, announcedMs: 500, says: 'failed' },
    { status: 502, tookMs: 500, announcedMs: 500, says: 'failed' },
  ])(
    'gets the verdict $says for a $status after $tookMs of $announcedMs ms',
    ({ status, tookMs, announcedMs, says }) => {
      expect(verdict(failure('status', { status }), tookMs, announcedMs)).toBe(says);
    },
  );
});

describe('a success', () => {
  it('gives the verdict ok, however long it took', () => {
    expect([verdict(undefined), verdict(undefined, 60_000)]).toEqual(['ok', 'ok']);
  });

  it('counts as no failure of any sort', () => {
    expect([isTransient(undefined), isErrorAnswer(undefined), isHeldBack(undefined)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
