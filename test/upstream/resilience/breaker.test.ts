import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { EffectiveBreaker } from '../../../src/dsl/service-policies.ts';
import { UpstreamError } from '../../../src/errors.ts';
import type { UpstreamErrorKind, UpstreamErrorOptions } from '../../../src/errors.ts';
import { createBreaker } from '../../../src/upstream/resilience/breaker.ts';
import type { Gate, Permit } from '../../../src/upstream/attempt.ts';
import type { Call, Reply } from '../../../src/upstream/call.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import {
  attemptsWith,
  dispatchFor,
  failureOf,
  nowhere,
  ok,
  turn,
} from '../../support/upstream-calls.ts';

const response = z.unknown();
const getOrders = operation(nowhere, { route: 'GET /orders', response, timeoutMs: 1_000 });

const defaults: EffectiveBreaker = {
  windowMs: 10_000,
  volume: 20,
  failedPercent: 50,
  slowPercent: 80,
  slowMs: undefined,
  openMs: 5_000,
  maxOpenMs: 60_000,
  probes: 3,
};

function failure(kind: UpstreamErrorKind, details: Partial<UpstreamErrorOptions> = {}) {
  return new UpstreamError(kind, 'failed', { service: 'shop', operation: 'getOrders', ...details });
}
const down = failure('status', { status: 500 });

/** A breaker in front of a service that ends its attempts on request. */
function startBreaker(
  config: Partial<EffectiveBreaker> = {},
  { chances = [0.5], startAt = 0 }: { chances?: readonly number[]; startAt?: number } = {},
) {
  const clock = createFakeClock({ startAt, chances });
  const breaker = createBreaker({ ...defaults, ...config }, clock);
  const sent: PromiseWithResolvers<Reply>[] = [];
  const send = attemptsWith(
    [breaker.gate],
    () => {
      const answer = Promise.withResolvers<Reply>();
      sent.push(answer);
      return answer.promise;
    },
    { clock },
  );
  /** An attempt that is under way, or the error with which the breaker rejected it. */
  const begin = async (rest: Partial<Call> = {}) => {
    const call = send(dispatchFor(getOrders, {}, rest));
    const settled = call.catch((error: unknown) => error);
    const attempt = sent.pop();
    if (attempt === undefined) return { refused: await failureOf(call) };
    const end = async (error?: unknown) => {
      if (error === undefined) attempt.resolve(ok);
      else attempt.reject(error);
      expect(await settled).toBe(error ?? ok);
    };
    return { end };
  };
  /** Makes `count` attempts in succession, which end in the given way after `tookMs`. */
  const run = async (times: number, error?: unknown, tookMs = 0) => {
    for (let attempt = 0; attempt < times; attempt += 1) {
      const { end } = await begin();
      clock.advance(tookMs);
      await end?.(error);
    }
  };
  return { clock, breaker, begin, run };
}

describe('a closed breaker', () => {
  it('does not open on one failure, nor before there are enough attempts', async () => {
    const { run, breaker } = startBreaker();
    await run(1, down);
    expect(breaker.state).toBe('closed');
    await run(18, down);
    expect(breaker.state).toBe('closed');
    await run(1, down);
    expect(breaker.state).toBe('open');
  });

  it('opens when half of the attempts have failed, not before', async () => {
    const { run, breaker } = startBreaker();
    await run(50);
    await run(49, down);
    expect(breaker.state).toBe('closed');
    await run(1, down);
    expect(breaker.state).toBe('open');
  });

  it('opens when four of five attempts took 80 % of their time or more', async () => {
    const slow = startBreaker({ windowMs: 60_000 });
    await slow.run(4);
    await slow.run(16, undefined, 799);
    expect(slow.breaker.state).toBe('closed');
    const slower = startBreaker({ windowMs: 60_000 });
    await slower.run(4);
    await slower.run(15, undefined, 800);
    expect(slower.breaker.state).toBe('closed');
    await slower.run(1, undefined, 800);
    expect(slower.breaker.state).toBe('open');
  });

  it('goes by slowMs if the service declares it', async () => {
    const { run, breaker } = startBreaker({ slowMs: 50, volume: 2 });
    await run(2, undefined, 49);
    expect(breaker.state).toBe('closed');
    await run(8, undefined, 50);
    expect(breaker.state).toBe('open');
  });

  it('counts an attempt that lost to another one as slow from then on, and not before', async () => {
    const { run, breaker } = startBreaker({ windowMs: 60_000 });
    await run(20, failure('aborted', { isOutrun: true }), 799);
    await run(20, failure('aborted'), 800);
    expect(breaker.state).toBe('closed');
    await run(20, failure('aborted', { isOutrun: true }), 800);
    expect(breaker.state).toBe('open');
  });

  it('does not add slow answers to failed ones', async () => {
    const { run, breaker } = startBreaker({ volume: 10, windowMs: 60_000 });
    await run(4, down);
    await run(6, undefined, 800);
    expect(breaker.state).toBe('closed');
  });

  it('forgets attempts that are older than its window', async () => {
    const { run, breaker, clock } = startBreaker();
    await run(19, down);
    clock.advance(10_000);
    await run(19, down);
    expect(breaker.state).toBe('closed');
    await run(1, down);
    expect(breaker.state).toBe('open');
  });

  it.each([
    ['a 404', failure('status', { status: 404 })],
    ['a 429', failure('status', { status: 429 })],
    ['a 501', failure('status', { status: 501 })],
    ['a body that does not fit', failure('invalid-body', { reached: 'body' })],
    ['a missing item', failure('missing')],
    ['a call that was not sent', failure('overloaded')],
    ['a call that was given up at once', failure('aborted')],
    ['an answer that is not JSON', failure('invalid-body')],
    ['an answer that is too large', failure('too-large')],
    ['a bug', new TypeError('down')],
  ])('does not open because of %s', async (_, error) => {
    const { run, breaker } = startBreaker({ volume: 1 });
    await run(30, error);
    expect(breaker.state).toBe('closed');
  });

  it('counts answers as attempts, but not calls that were not sent', async () => {
    const { run, breaker } = startBreaker({ volume: 4, failedPercent: 60 });
    await run(2, failure('status', { status: 404 }));
    await run(9, failure('overloaded'));
    await run(2, down);
    expect(breaker.state).toBe('closed');
    await run(1, down);
    expect(breaker.state).toBe('open');
  });

  it('does not blame the service for time in our own queue', async () => {
    const tookMs = 800;
    const clock = createFakeClock();
    const breaker = createBreaker({ ...defaults, volume: 1, slowPercent: 50 }, clock);
    const queue: Gate = async () => {
      clock.advance(100);
      return { onEnd: () => undefined, queuedMs: 100 };
    };
    const takes = (ms: number) =>
      attemptsWith(
        [breaker.gate, queue],
        async () => {
          clock.advance(ms);
          return ok;
        },
        { clock },
      )(dispatchFor(getOrders)).catch((reason: unknown) => reason);
    expect(await takes(tookMs - 1)).toBe(ok);
    expect(breaker.state).toBe('closed');
    await takes(tookMs);
    expect(breaker.state).toBe('open');
  });

  it('does not open because of abandoned calls, however long they took', async () => {
    const { run, breaker } = startBreaker({ volume: 2 });
    await run(30, failure('aborted'), 990);
    expect(breaker.state).toBe('closed');
  });

  it('counts the abandoned attempts that an attempt stands for', () => {
    const { breaker } = startBreaker({ volume: 20 });
    const standing = (standsFor: number) => {
      const permit = breaker.gate(dispatchFor(getOrders)) as Permit; // nobody has to wait
      permit.onEnd({
        failure: down,
        status: undefined,
        endedAt: 1,
        tookMs: 1,
        announcedMs: undefined,
        standsFor,
      });
    };
    standing(18);
    expect(breaker.state).toBe('closed');
    standing(0);
    expect(breaker.state).toBe('open');
  });
});

describe('an open breaker', () => {
  it('rejects calls and says when to retry', async () => {
    const { run, begin, clock } = startBreaker();
    await run(20, down);
    expect((await begin()).refused).toMatchObject({
      kind: 'breaker-open',
      message: 'shop.getOrders: was not called: its breaker is open',
      retryAfterSeconds: 5,
    });
    clock.advance(3_999);
    expect((await begin()).refused?.retryAfterSeconds).toBe(2);
    clock.advance(1_000);
    expect((await begin()).refused?.retryAfterSeconds).toBe(1);
  });

  it.each([
    [0, 4_500],
    [0.5, 5_000],
    [1, 5_500],
  ])('is open for its time, give or take ten percent: %f', async (chance, openMs) => {
    const { run, breaker, clock } = startBreaker({}, { chances: [chance] });
    await run(20, down);
    clock.advance(openMs - 1);
    expect(breaker.state).toBe('open');
    clock.advance(1);
    expect(breaker.state).toBe('half-open');
  });

  it('stays open twice as long each time, up to maxOpenMs, until it has been closed', async () => {
    const { run, begin, breaker, clock } = startBreaker({ maxOpenMs: 15_000, probes: 1 });
    await run(20, down);
    for (const openMs of [5_000, 10_000, 15_000, 15_000]) {
      clock.advance(openMs - 1);
      expect((await begin()).refused?.kind).toBe('breaker-open');
      clock.advance(1);
      await run(1, down);
      expect(breaker.state).toBe('open');
    }
    clock.advance(15_000);
    await run(1);
    expect(breaker.state).toBe('closed');
    await run(20, down);
    clock.advance(5_000);
    expect(breaker.state).toBe('half-open');
  });

  it('ignores attempts that began before it opened', async () => {
    const { run, begin, breaker, clock } = startBreaker({ volume: 2, probes: 1 });
    const [early, other] = [await begin(), await begin()];
    await run(2, down);
    await early.end?.(down);
    expect((await begin()).refused?.retryAfterSeconds).toBe(5);
    clock.advance(5_000);
    const probe = await begin();
    await other.end?.();
    expect(breaker.state).toBe('half-open');
    await probe.end?.();
    expect(breaker.state).toBe('closed');
  });
});

/** A breaker that has been open for its time. */
async function startHalfOpen(config: Partial<EffectiveBreaker> = {}) {
  const started = startBreaker({ volume: 2, ...config });
  await started.run(2, down);
  started.clock.advance(5_000);
  return started;
}

describe('a half-open breaker', () => {
  it('lets as many probes through as have to succeed, and closes after the last one', async () => {
    const { begin, breaker } = await startHalfOpen();
    const probes = [await begin(), await begin(), await begin()];
    expect((await begin()).refused).toMatchObject({ kind: 'breaker-open', retryAfterSeconds: 5 });
    await probes[1]?.end?.();
    await probes[0]?.end?.();
    expect((await begin()).refused?.kind).toBe('breaker-open');
    expect(breaker.state).toBe('half-open');
    await probes[2]?.end?.();
    expect(breaker.state).toBe('closed');
  });

  it.each([
    ['fails', down, 0],
    ['is slow', undefined, 800],
  ])('opens again if a probe %s', async (_, error, tookMs) => {
    const { run, breaker } = await startHalfOpen();
    await run(2);
    await run(1, error, tookMs);
    expect(breaker.state).toBe('open');
  });

  it.each([
    ['is cancelled', failure('aborted')],
    ['gets no permit of the bulkhead', failure('overloaded')],
  ])('allows another probe instead of one that %s', async (_, error) => {
    const { begin, run, breaker } = await startHalfOpen({ probes: 1 });
    const probe = await begin();
    expect((await begin()).refused?.kind).toBe('breaker-open');
    await probe.end?.(error);
    expect(breaker.state).toBe('half-open');
    await run(1);
    expect(breaker.state).toBe('closed');
  });

  it('has forgotten everything once it is closed', async () => {
    const { run, breaker } = await startHalfOpen();
    await run(3);
    await run(1, down);
    expect(breaker.state).toBe('closed');
    await run(1, down);
    expect(breaker.state).toBe('open');
  });

  it('ignores other probes after one has failed', async () => {
    const { begin, breaker, clock } = await startHalfOpen();
    const probes = [await begin(), await begin(), await begin()];
    await probes[0]?.end?.(down);
    await probes[1]?.end?.(down);
    clock.advance(9_999);
    expect(breaker.state).toBe('open');
    clock.advance(1);
    expect(breaker.state).toBe('half-open');
    await probes[2]?.end?.();
    await turn();
    expect(breaker.state).toBe('half-open');
  });
});

const ends = {
  well: undefined,
  failed: down,
  unsent: failure('overloaded'),
  'called off': failure('aborted'),
};
type End = keyof typeof ends;
type Step = 'begin' | { readonly ms: number } | { readonly end: End; readonly which: number };

const story = fc.record({
  config: fc.record({
    windowMs: fc.constantFrom(1_000, 10_000),
    volume: fc.integer({ min: 1, max: 6 }),
    failedPercent: fc.constantFrom(20, 50, 100),
    slowPercent: fc.constantFrom(30, 80),
    slowMs: fc.constantFrom(undefined, 300),
    openMs: fc.constantFrom(500, 1_700),
    maxOpenMs: fc.constantFrom(1_700, 9_000),
    probes: fc.integer({ min: 1, max: 3 }),
  }),
  chances: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 4 }),
  startAt: fc.nat({ max: 20_000 }),
  steps: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant<Step>('begin') },
      { weight: 2, arbitrary: fc.record({ ms: fc.integer({ min: 1, max: 400 }) }) },
      { weight: 2, arbitrary: fc.record({ ms: fc.integer({ min: 400, max: 6_000 }) }) },
      {
        weight: 7,
        arbitrary: fc.record({
          end: fc.constantFrom<End>('well', 'failed', 'failed', 'unsent', 'called off'),
          which: fc.nat(),
        }),
      },
    ),
    { maxLength: 150, size: 'max' },
  ),
});

/** The documentation of `BreakerConfig` as a model, with a list of endings and numbered states. */
function createModel(config: EffectiveBreaker, chances: readonly number[]) {
  let phase: 'closed' | 'open' | 'half-open' = 'closed';
  let era = 0;
  let seen: { at: number; outcome: string }[] = [];
  let [until, row, opened, taken, passed] = [0, 0, 0, 0, 0];

  const enter = (next: typeof phase) => {
    phase = next;
    era += 1;
    [taken, passed] = [0, 0];
  };
  const stateAt = (now: number) => {
    if (phase === 'open' && now >= until) enter('half-open');
    return phase;
  };
  const open = (now: number) => {
    const chance = chances[opened % chances.length] ?? 0;
    until = now + Math.min(config.openMs * 2 ** row, config.maxOpenMs) * (0.9 + 0.2 * chance);
    opened += 1;
    row += 1;
    enter('open');
  };
  const isTooMuch = (now: number) => {
    const tenthOf = (at: number) => Math.floor((at * 10) / config.windowMs);
    const recent = seen.filter(({ at }) => tenthOf(at) > tenthOf(now) - 10);
    const percentOf = (outcome: string) =>
      (recent.filter((one) => one.outcome === outcome).length * 100) / recent.length;
    return (
      recent.length >= config.volume &&
      (percentOf('failed') >= config.failedPercent || percentOf('slow') >= config.slowPercent)
    );
  };
  const outcomeOf = (end: End, tookMs: number) => {
    if (end === 'called off' || end === 'unsent') return 'unknown';
    return end === 'well' && tookMs >= (config.slowMs ?? 800) ? 'slow' : end;
  };
  return {
    stateAt,
    /** The number of the state in which an attempt begins, or the seconds until one may. */
    begin(now: number): { era: number } | { seconds: number } {
      if (stateAt(now) === 'open') return { seconds: Math.ceil((until - now) / 1_000) };
      if (phase === 'half-open' && taken === config.probes)
        return { seconds: Math.ceil(config.openMs / 1_000) };
      taken += 1;
      return { era };
    },
    end(begun: { era: number; at: number }, end: End, now: number) {
      stateAt(now);
      const outcome = outcomeOf(end, now - begun.at);
      if (begun.era !== era) return;
      if (phase === 'half-open') {
        if (outcome === 'unknown') taken -= 1;
        else if (outcome !== 'well') open(now);
        else if (++passed === config.probes) {
          [seen, row] = [[], 0];
          enter('closed');
        }
      } else if (outcome !== 'unknown') {
        seen.push({ at: now, outcome });
        // A success is no occasion to open, whatever the share.
        if (outcome !== 'well' && isTooMuch(now)) open(now);
      }
    },
  };
}

describe('a breaker in any sequence of events', () => {
  it('behaves like its model', async () => {
    await assertProperty(
      fc.asyncProperty(story, async ({ config, chances, startAt, steps }) => {
        const { clock, breaker, begin } = startBreaker(config, { chances, startAt });
        const model = createModel(config, chances);
        const underWay: { era: number; at: number; end: (error?: unknown) => Promise<void> }[] = [];
        /** How long an attempt that begins now has to wait, by breaker and model. */
        const beginBoth = async () => {
          const [{ end, refused }, expected] = [await begin(), model.begin(clock.now())];
          if ('era' in expected && end) underWay.push({ ...expected, at: clock.now(), end });
          const seconds = 'seconds' in expected ? expected.seconds : undefined;
          return [refused?.retryAfterSeconds, seconds];
        };
        const endBoth = async (end: End, which: number) => {
          const [attempt] = underWay.splice(which % (underWay.length || 1), 1);
          await attempt?.end(ends[end]);
          if (attempt) model.end(attempt, end, clock.now());
        };
        for (const step of steps) {
          const [seconds, expected] = step === 'begin' ? await beginBoth() : [];
          expect(seconds).toBe(expected);
          if (typeof step === 'object' && 'ms' in step) clock.advance(step.ms);
          if (typeof step === 'object' && 'end' in step) await endBoth(step.end, step.which);
          expect(breaker.state).toBe(model.stateAt(clock.now()));
        }
      }),
      { full: 200 },
    );
  });
});
