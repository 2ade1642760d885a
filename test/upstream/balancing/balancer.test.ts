import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { EjectionConfig } from '../../../src/dsl/service-policies.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { createBalancer } from '../../../src/upstream/balancing/balancer.ts';
import type { Reply } from '../../../src/upstream/call.ts';
import { callError } from '../../../src/upstream/call.ts';
import { createAddress } from '../../../src/upstream/exchange/address.ts';
import type { Address } from '../../../src/upstream/exchange/address.ts';
import type { AddressHealth } from '../../../src/upstream/balancing/address-health.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import {
  addressOf,
  attemptsWith,
  dispatchFor,
  nowhere,
  ok,
  reasonOf,
} from '../../support/upstream-calls.ts';

const getOrder = operation(nowhere, { route: 'GET /orders', response: z.unknown() });
const { timeoutMs } = getOrder.policies;
const ended = { verdict: 'ok', countsAsSlow: false, timeoutMs } as const;

const failures = {
  ok: undefined,
  failed: callError({ operation: getOrder }, 'status', 'answered 500', { status: 500 }),
  '429': callError({ operation: getOrder }, 'status', 'answered 429', { status: 429 }),
  cancelled: callError({ operation: getOrder }, 'aborted', 'another attempt was faster'),
};
type End = keyof typeof failures;

interface Attempt {
  /** Of the address that has it. */
  readonly index: number;
  readonly startedAt: number;
  /** The addresses its call has tried, this one last. */
  readonly tried: Address[];
  end(how: End): Promise<void>;
}

/** A balancer in front of addresses that answer on request. */
function startBalancer(
  count: number,
  { seed = 1, ...config }: EjectionConfig & { readonly seed?: number } = {},
) {
  const { now, advance, after, epoch } = createFakeClock();
  const random = randomFrom(seed);
  const addresses = Array.from({ length: count }, (_, index) =>
    createAddress(nowhere, new URL(`http://127.0.0.1:${index + 1}`)),
  );
  const ejection = { ...nowhere.ejection, ...config };
  const balancer = createBalancer(addresses, ejection, { now, after, epoch, random });
  const { health } = balancer;
  const arrivals: { address: Address; answer: PromiseWithResolvers<Reply> }[] = [];
  const send = attemptsWith(
    [],
    (attempt) => {
      const answer = Promise.withResolvers<Reply>();
      arrivals.push({ address: addressOf(attempt), answer });
      return answer.promise;
    },
    { choose: balancer.choose, clock: { now, after, epoch, random } },
  );
  const indexOf = (address: Address): number => addresses.indexOf(address);
  const begin = (tried: Address[] = []): Attempt => {
    const over = send(dispatchFor(getOrder, {}, { tried })).catch((error: unknown) => error);
    const arrival = arrivals.pop();
    if (arrival === undefined) throw new Error('attempts are sent at once');
    const end = async (how: End): Promise<void> => {
      if (failures[how] === undefined) arrival.answer.resolve(ok);
      else arrival.answer.reject(failures[how]);
      await over;
    };
    return { index: indexOf(arrival.address), startedAt: now(), tried, end };
  };
  const those = (is: (one: AddressHealth) => boolean): number[] =>
    health.flatMap((one, index) => (is(one) ? [index] : []));
  return {
    begin,
    send,
    arrivals,
    advance,
    now,
    random,
    health,
    indexOf,
    ejected: () => those(({ isEjected }) => isEjected),
    usable: () => those(({ isEjected, isWell }) => isWell && !isEjected),
  };
}

type Started = ReturnType<typeof startBalancer>;

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a balancer', () => {
  /** The attempts and failures so far. */
  interface Model {
    readonly underWay: Attempt[];
    readonly over: Attempt[];
    /** Consecutive failures of each address since its ejection; `late`: during it. */
    readonly failed: number[];
    readonly late: number[];
  }
  type Command = fc.AsyncCommand<Model, Started, true>;

  const most = 2;

  /** Checks the invariants, which hold at any time. */
  function check({ underWay }: Model, { health, ejected }: Started): void {
    const inFlightAt = (at: number) => underWay.filter(({ index }) => index === at).length;
    expect(health.map(({ inFlight }) => inFlight)).toEqual(health.map((_, i) => inFlightAt(i)));
    expect(ejected().length * 2).toBeLessThanOrEqual(health.length);
  }

  /** A call, or another attempt of the one that has been over for longest. */
  const begins = (again: boolean): Command => ({
    check: async ({ over }) => !again || over.length > 0,
    async run(model, app) {
      const { tried = [] } = (again ? model.over.shift() : undefined) ?? {};
      const before = tried.map(app.indexOf);
      const everyone = [...app.health.keys()];
      const candidates = app.usable().length * 2 < everyone.length ? everyone : app.usable();
      const untried = candidates.filter((index) => !before.includes(index));
      const attempt = app.begin(tried);
      expect(untried.length > 0 ? untried : candidates).toContain(attempt.index);
      expect(tried.map(app.indexOf)).toEqual([...before, attempt.index]);
      model.underWay.push(attempt);
      check(model, app);
    },
    toString: () => (again ? 'another attempt' : 'a call'),
  });

  const ends = (how: End, which: number): Command => ({
    check: async ({ underWay }) => underWay.length > 0,
    async run(model, app) {
      const [attempt] = model.underWay.splice(which % model.underWay.length, 1);
      if (attempt === undefined) return;
      const { index } = attempt;
      const wasEjected = app.ejected().includes(index);
      const isFailure = how === 'failed';
      const counts = wasEjected ? model.late : model.failed;
      if (isFailure) counts[index] = (counts[index] ?? 0) + 1;
      else if (how !== 'cancelled') model.failed[index] = model.late[index] = 0;
      await attempt.end(how);
      model.over.push(attempt);
      const {
        failed: { [index]: failed = 0 },
        late: { [index]: late = 0 },
      } = model;
      const isEjected = app.ejected().includes(index);
      const hasRoom = (app.ejected().length + 1) * 2 <= app.health.length;
      if (isFailure && failed >= most && !isEjected) expect(hasRoom).toBe(false);
      if (isEjected && !wasEjected) {
        expect(failed + late).toBeGreaterThanOrEqual(most);
        model.failed[index] = model.late[index] = 0;
      }
      check(model, app);
    },
    toString: () => `number ${which} under way: ${how}`,
  });

  /** A command that may be given at any time. */
  const does = (what: string, act: (app: Started) => void): Command => ({
    check: async () => true,
    async run(model, app) {
      act(app);
      check(model, app);
    },
    toString: () => what,
  });

  const passes = (ms: number): Command => does(`${ms} ms`, ({ advance }) => advance(ms));

  const becomes = (which: number, well: boolean): Command =>
    does(`${which} is ${well ? 'well' : 'unwell'}`, ({ health }) =>
      health[which % health.length]?.setWell(well),
    );

  it('keeps its promises in any sequence of attempts', async () => {
    const place = fc.nat({ max: 30 });
    const how = fc.constantFrom<End>('ok', 'failed', 'failed', '429', 'cancelled');
    const commands = fc.commands<Model, Started, true>(
      [
        fc.boolean().map(begins),
        fc.tuple(how, place).map(([end, which]) => ends(end, which)),
        fc.tuple(how, place).map(([end, which]) => ends(end, which)),
        fc.constantFrom(1, 700, 1_500, 10_000, 40_000).map(passes),
        fc.tuple(place, fc.boolean()).map(([which, well]) => becomes(which, well)),
      ],
      { maxCommands: 120, size: '+1' },
    );
    const count = fc.integer({ min: 1, max: 6 });
    await assertProperty(
      fc.asyncProperty(count, fc.integer(), commands, async (addresses, seed, story) => {
        const app = startBalancer(addresses, { failures: most, seed });
        const model: Model = { underWay: [], over: [], failed: [], late: [] };
        await fc.asyncModelRun(() => ({ model, real: app }), story);
        await Promise.all(model.underWay.map(({ end }) => end('ok')));
        expect(app.health.every(({ inFlight }) => inFlight === 0)).toBe(true);
      }),
      { full: 300 },
    );
  });

  it('sends everything to the only address, however that behaves', async () => {
    const { begin, ejected } = startBalancer(1, { failures: 1 });
    for (const _ of [1, 2, 3]) {
      const attempt = begin();
      await attempt.end('failed');
      expect([attempt.index, ejected()]).toEqual([0, []]);
    }
  });

  it('sends a call to the address with fewer calls in flight', () => {
    const { begin, health } = startBalancer(2);
    for (const _ of [1, 2, 3, 4, 5, 6]) begin();
    expect(health.map(({ inFlight }) => inFlight)).toEqual([3, 3]);
  });

  it('compares two random addresses, each pair equally often', async () => {
    const { begin, health } = startBalancer(4);
    const counts = [0, 0, 0, 0];
    for (const [index, one] of health.entries()) {
      one.begin()({ ...ended, tookMs: 10 ** index });
    }
    for (let time = 0; time < 6_000; time += 1) {
      const { index, end } = begin();
      counts[index] = (counts[index] ?? 0) + 1;
      await end('ok');
    }
    // Of the six pairs the cheapest is in three, and wins them.
    for (const [index, pairs] of [3, 2, 1, 0].entries())
      expect((counts[index] ?? 0) / 6_000).toBeCloseTo(pairs / 6, 1);
  });

  it('tries all addresses for one call before it tries one twice', async () => {
    const { begin } = startBalancer(4, { failures: 100 });
    const tried: Address[] = [];
    for (const _ of [1, 2, 3, 4]) await begin(tried).end('failed');
    expect(new Set(tried).size).toBe(4);
    await begin(tried).end('ok');
    expect(tried).toHaveLength(5);
  });

  it.each<[End, number[]]>([
    ['failed', [100, 200, 800, 3_000, 3_000]],
    ['429', [100, 200, 400, 800, 1_600]],
  ])('treats a fast attempt that ended with %s as slower each time', async (how, costs) => {
    const { begin, health, advance } = startBalancer(1);
    const first = begin();
    advance(100);
    await first.end('ok');
    const seen = [health[0]?.cost()];
    for (const _ of costs.slice(1)) {
      await begin().end(how);
      seen.push(health[0]?.cost());
    }
    expect(seen).toEqual(costs);
  });

  it('treats an answer as slow as it was', async () => {
    const { begin, health, advance } = startBalancer(1);
    const attempts = [begin(), begin()];
    advance(70);
    await attempts[0]?.end('ok');
    expect(health[0]?.cost()).toBe(140);
    advance(4_000);
    await attempts[1]?.end('failed');
    expect(health[0]?.cost()).toBe(4_070);
  });

  it('passes on the answer or the failure of an address', async () => {
    const { send, arrivals } = startBalancer(2);
    const answer = send(dispatchFor(getOrder));
    arrivals.pop()?.answer.resolve(ok);
    expect(await answer).toBe(ok);
    const failure = reasonOf(send(dispatchFor(getOrder)));
    arrivals.pop()?.answer.reject(failures.failed);
    expect(await failure).toBe(failures.failed);
  });

  it('does not count failures of attempts that began before an ejection', async () => {
    const { begin, ejected, advance, health } = startBalancer(2, { failures: 2 });
    const attempts = Array.from({ length: 8 }, () => begin());
    for (const attempt of attempts) if (attempt.index === 0) await attempt.end('failed');
    expect(ejected()).toEqual([0]);
    advance(30_000);
    expect(ejected()).toEqual([]);
    // Nothing but a call that its client gave up.
    health[1]?.setWell(false);
    const other = begin();
    await other.end('cancelled');
    expect([other.index, ejected()]).toEqual([0, []]);
  });
});

/** How an address ends a call, and after how many milliseconds. */
type Behaviour = () => readonly [End, number];

const answersIn =
  (ms: number, how: End = 'ok'): Behaviour =>
  () => [how, ms];

/** Calls arrive at random, so many a second; `run` returns how many each address has got. */
function simulate(behaviours: readonly Behaviour[]) {
  const perSecond = 400;
  const app = startBalancer(behaviours.length);
  const present = [...behaviours];
  let underWay: { readonly at: number; readonly how: End; readonly attempt: Attempt }[] = [];

  async function tick(): Promise<number | undefined> {
    app.advance(1);
    const due = underWay.filter(({ at }) => at <= app.now());
    if (due.length > 0) underWay = underWay.filter(({ at }) => at > app.now());
    for (const { attempt, how } of due) await attempt.end(how);
    if (app.random() >= perSecond / 1_000) return undefined;
    const attempt = app.begin();
    const [how, ms] = present[attempt.index]?.() ?? ['ok', 1];
    // Half as long up to half as long again.
    underWay.push({ at: app.now() + Math.ceil(ms * (0.5 + app.random())), how, attempt });
    return attempt.index;
  }

  async function run(ms: number): Promise<readonly number[]> {
    const counts = behaviours.map(() => 0);
    for (let passed = 0; passed < ms; passed += 1) {
      const index = await tick();
      if (index !== undefined) counts[index] = (counts[index] ?? 0) + 1;
    }
    const all = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => count / all);
  }

  return { ...app, run, change: (index: number, to: Behaviour) => void (present[index] = to) };
}

const others = (ms: number): Behaviour[] => [1, 2, 3, 4].map(() => answersIn(ms));

describe('traffic in the long run', () => {
  it('is shared equally by equal addresses, within a tenth', async () => {
    const { run } = simulate([answersIn(20), ...others(20)]);
    for (const share of await run(60_000)) {
      expect(share).toBeGreaterThan(0.2 * 0.9);
      expect(share).toBeLessThan(0.2 * 1.1);
    }
  });

  it.each<End>(['failed', '429'])(
    'hardly reaches, after a second, one of five addresses that ends fast with %s',
    async (how) => {
      const { run } = simulate([answersIn(1, how), ...others(20)]);
      await run(1_000);
      expect((await run(60_000))[0]).toBeLessThan(0.01);
    },
  );

  it('gives one of five that is ten times slower less than a quarter of its share', async () => {
    const { run } = simulate([answersIn(200), ...others(20)]);
    await run(1_000);
    expect((await run(60_000))[0]).toBeLessThan(0.05);
  });

  it('avoids one of five that hangs, because of its calls in flight', async () => {
    const { run, change } = simulate([answersIn(20), ...others(20)]);
    await run(10_000);
    change(0, answersIn(1_000_000));
    expect((await run(2_000))[0]).toBeLessThan(0.02);
  });

  it('avoids an unwell address, then returns to it slowly until it has its share', async () => {
    const { run, health } = simulate([answersIn(20), ...others(20)]);
    await run(5_000);
    health[0]?.setWell(false);
    expect((await run(30_000))[0]).toBe(0);
    health[0]?.setWell(true);
    expect((await run(2_000))[0]).toBeLessThan(0.05);
    await run(10_000);
    expect((await run(20_000))[0]).toBeGreaterThan(0.18);
  });

  it('returns to an ejected address in the same way', async () => {
    const { run, health } = simulate([answersIn(20), ...others(20)]);
    await run(5_000);
    health[0]?.eject();
    expect((await run(30_000))[0]).toBe(0);
    const [atFirst = 1] = await run(2_000);
    expect(atFirst).toBeGreaterThan(0);
    expect(atFirst).toBeLessThan(0.05);
    await run(10_000);
    expect((await run(20_000))[0]).toBeGreaterThan(0.18);
  });

  it('is small at an address that was unwell before its first answer, too', async () => {
    const { run, health } = simulate([answersIn(200), ...others(200)]);
    await run(5_000);
    health[0]?.setWell(false);
    await run(60_000);
    health[0]?.setWell(true);
    expect((await run(200))[0]).toBeLessThan(0.1);
  });

  it('does not leave one of two addresses for good after a single 500', async () => {
    const { run, health } = simulate([answersIn(20), answersIn(20)]);
    await run(5_000);
    health[0]?.begin()({ ...ended, verdict: 'failed', tookMs: 5, countsAsSlow: true });
    expect((await run(10_000))[0]).toBeGreaterThan(0.1);
  });
});
