import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLagMeter } from '../../src/edge/lag-meter.ts';
import { createOverload, defaultLimits, neverSheds } from '../../src/edge/overload.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { assertProperty } from '../support/property.ts';

const calm = { delayMs: 0, utilisation: 0.2 };
const late = { delayMs: 600, utilisation: 0.2 };
const busy = { delayMs: 0, utilisation: 0.951 };

/** A gateway's overload, which sees what it is shown at each look. */
function startOverload(chances?: readonly number[]) {
  const clock = createFakeClock({ ...(chances && { chances }) });
  let load = calm;
  let closed = 0;
  let reads = 0;
  const meter = {
    read: () => ((reads += 1), load),
    close: () => void (closed += 1),
  };
  const overload = createOverload({ limits: defaultLimits, meter, clock });
  /** As many looks, and the pressure after each. */
  const look = (what: typeof calm, times = 1) =>
    Array.from({ length: times }, () => {
      load = what;
      clock.advance(250);
      return Number(overload.pressure.toFixed(6));
    });
  return { overload, clock, look, reads: () => reads, closed: () => closed };
}

const chancesFrom = (count: number) => Array.from({ length: count }, (_, index) => index / count);

/** Of a thousand requests, each with its own chance: how many. */
const ofThousand = (isMet: () => boolean) => chancesFrom(1_000).filter(() => isMet()).length;

describe('pressure', () => {
  it('is looked for every quarter of a second', () => {
    const { clock, reads } = startOverload();
    clock.advance(249);
    expect(reads()).toBe(0);
    clock.advance(1);
    expect(reads()).toBe(1);
    clock.advance(1_000);
    expect(reads()).toBe(5);
  });

  it('rises when the loop is late twice in a row, not once', () => {
    const { look } = startOverload();
    expect(look(late)).toEqual([0]);
    expect(look(calm)).toEqual([0]);
    expect(look(late, 2)).toEqual([0, 0.2]);
    expect(look(late, 3)).toEqual([0.4, 0.6, 0.8]);
  });

  it('does not rise at the limits themselves', () => {
    const { look } = startOverload();
    expect(look({ delayMs: 150, utilisation: 0.95 }, 3)).toEqual([0, 0, 0]);
  });

  it('rises above 1 while the loop is late, never to 2', () => {
    const { look } = startOverload();
    expect(look(late, 40).slice(0, 12)).toEqual([
      0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 1.95, 1.95,
    ]);
    expect(look(late)).toEqual([1.95]);
  });

  it('rises above 1 by small steps while the loop is a little late, and falls fast when it is idle', () => {
    const { look } = startOverload();
    look(late, 6); // 1
    expect(look({ ...busy, delayMs: 300 }, 3)).toEqual([1.1, 1.2, 1.3]);
    expect(look({ ...busy, delayMs: 60_000 })).toEqual([1.5]);
    expect(look(calm, 3)).toEqual([1.4, 1.3, 1.2]);
  });

  it('rises when the loop is busy twice in a row, to 1', () => {
    const { look } = startOverload();
    expect(look(busy)).toEqual([0]);
    expect(look(calm)).toEqual([0]);
    expect(look(busy, 40).slice(0, 8)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1]);
    expect(look(busy)).toEqual([1]);
  });

  it('falls when all is calm, half as fast, to 0', () => {
    const { look } = startOverload();
    look(late, 4);
    expect(look(calm, 8)).toEqual([0.5, 0.4, 0.3, 0.2, 0.1, 0, 0, 0]);
  });

  it('stays where it is when the loop is late or busy for the first time again', () => {
    const { look } = startOverload();
    look(late, 4);
    expect(look(calm)).toEqual([0.5]);
    expect(look(late)).toEqual([0.5]);
    expect(look(calm)).toEqual([0.4]);
    expect(look(busy)).toEqual([0.4]);
  });

  it('falls to 1 while the loop is busy and no longer late', () => {
    const { look } = startOverload();
    look(late, 7); // 1.2
    expect(look(busy, 10)).toEqual([1.175, 1.15, 1.125, 1.1, 1.075, 1.05, 1.025, 1, 1, 1]);
  });

  it('is between 0 and 1.95, whatever happens, and above 1 only when the loop was late', () => {
    const loads = fc.array(fc.constantFrom(calm, late, busy, { ...busy, delayMs: 151 }));
    assertProperty(
      fc.property(loads, (story) => {
        const { overload, look } = startOverload();
        for (const load of story) {
          const most = load.delayMs > 150 ? 1.95 : Math.max(1, overload.pressure);
          look(load);
          expect(overload.pressure).toBeGreaterThanOrEqual(0);
          expect(overload.pressure).toBeLessThanOrEqual(most);
        }
      }),
    );
  });
});

describe('what is shed', () => {
  it('is nothing without pressure', () => {
    const { overload } = startOverload([0]);
    expect([overload.shedsSteps(), overload.retryAfterSeconds()]).toEqual([false, undefined]);
  });

  it('is what can be missed first, of as many requests as the pressure says', () => {
    const { overload, look } = startOverload(chancesFrom(1_000));
    look(late, 3);
    expect(ofThousand(() => overload.shedsSteps())).toBe(400);
    expect(ofThousand(() => overload.retryAfterSeconds() !== undefined)).toBe(0);
    look(late, 3);
    expect(ofThousand(() => overload.shedsSteps())).toBe(1_000);
    expect(ofThousand(() => overload.retryAfterSeconds() !== undefined)).toBe(0);
  });

  it('is requests then, and everything that can be missed', () => {
    const { overload, look } = startOverload([0.39]);
    look(late, 7); // 1.2
    expect([overload.shedsSteps(), overload.retryAfterSeconds()]).toEqual([true, undefined]);
    look(late); // 1.4
    expect([overload.shedsSteps(), overload.retryAfterSeconds()]).toEqual([true, 2]);
  });

  it.each([
    [0, true],
    [0.949, true],
    [0.95, false],
    [0.999, false],
  ])('is never every request: by chance of %f refused is %s', (chance, isRefused) => {
    const { overload, look } = startOverload([chance]);
    look(late, 100);
    expect(overload.retryAfterSeconds() !== undefined).toBe(isRefused);
  });

  it('is never a request because the loop is busy', () => {
    const { overload, look } = startOverload([0]);
    look(busy, 100);
    expect([overload.shedsSteps(), overload.retryAfterSeconds()]).toEqual([true, undefined]);
  });

  it('is nothing again when all has been calm for long enough', () => {
    const { overload, look } = startOverload([0]);
    look(late, 100);
    look(calm, 20);
    expect([overload.shedsSteps(), overload.retryAfterSeconds()]).toEqual([false, undefined]);
  });

  it('is nothing at all where there are no limits', () => {
    expect(neverSheds.shedsSteps()).toBe(false);
    expect(neverSheds.retryAfterSeconds()).toBeUndefined();
  });
});

describe('a client that is refused', () => {
  it.each([
    [0, 1],
    [0.2499, 1],
    [0.25, 2],
    [0.5, 3],
    [0.75, 4],
    [0.9999, 4],
  ])('by chance of %f may come again after %i s', (chance, seconds) => {
    const { overload, look } = startOverload([0, chance]);
    look(late, 100);
    expect(overload.retryAfterSeconds()).toBe(seconds);
  });
});

describe('close()', () => {
  it('leaves no timer, and closes the meter', () => {
    const { overload, clock, look, reads, closed } = startOverload();
    look(late, 3);
    overload.close();
    expect([clock.pending, closed()]).toEqual([0, 1]);
    clock.advance(10_000);
    expect(reads()).toBe(3);
  });
});

function startMeter() {
  const meter = createLagMeter();
  onTestFinished(() => meter.close());
  return meter;
}

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('the meter', () => {
  it('sees a loop that is blocked as late and busy, also right after it was read', async () => {
    const meter = startMeter();
    await sleep(30);
    for (const _ of [1, 2, 3]) {
      meter.read();
      block(60);
      const { delayMs, utilisation } = meter.read();
      expect(delayMs).toBeGreaterThanOrEqual(39);
      expect(utilisation).toBeGreaterThan(0.9);
    }
  });

  it('sees what was long before it is read', async () => {
    const meter = startMeter();
    await sleep(30);
    block(100);
    await sleep(200);
    expect(meter.read().delayMs).toBeGreaterThanOrEqual(50);
  });

  it('sees an idle loop as neither, sooner or later', async () => {
    const meter = startMeter();
    // The machine may be busy with something else.
    await vi.waitFor(async () => {
      meter.read();
      await sleep(100);
      const { delayMs, utilisation } = meter.read();
      expect(delayMs).toBeLessThan(20);
      expect(utilisation).toBeLessThan(0.5);
    });
  });

  it('forgets what it has said', async () => {
    const meter = startMeter();
    await sleep(30);
    block(60);
    const first = meter.read().delayMs;
    expect(meter.read().delayMs).toBeLessThan(first);
  });

  it('never says that the loop is early', () => {
    const meter = startMeter();
    meter.read();
    expect(meter.read().delayMs).toBeGreaterThanOrEqual(0);
  });
});
