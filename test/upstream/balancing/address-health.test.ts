import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EjectionConfig } from '../../../src/dsl/service-policies.ts';
import { createAddress } from '../../../src/upstream/exchange/address.ts';
import { createAddressHealth } from '../../../src/upstream/balancing/address-health.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import { nowhere } from '../../support/upstream-calls.ts';

/** An address without any call yet; `see` adds an attempt that took the given time. */
function startAddressHealth(config: EjectionConfig = {}) {
  const clock = createFakeClock({ startAt: 7_000 });
  const address = createAddress(nowhere, new URL('http://127.0.0.1:9'));
  const health = createAddressHealth(address, { ...nowhere.ejection, ...config }, clock);
  const end = (verdict: 'ok' | 'failed' | 'unknown', latencyMs: number) => {
    health.begin()({ verdict, tookMs: latencyMs, countsAsSlow: false, timeoutMs: 3_000 });
  };
  const fail = (times: number) => {
    for (let time = 0; time < times; time += 1) end('failed', 1);
  };
  /** Ejects the address, and returns for how many whole seconds it is ejected. */
  const sitOut = () => {
    const startedAt = clock.now();
    health.eject();
    while (health.isEjected) clock.advance(1_000);
    return (clock.now() - startedAt) / 1_000;
  };
  return { clock, health, see: (latencyMs: number) => end('ok', latencyMs), end, fail, sitOut };
}

const asLongAs = (ms: number) => Math.exp(-ms / 10_000);

describe('the cost of an address', () => {
  it('is its latency', () => {
    const { health, see } = startAddressHealth();
    see(100);
    expect(health.cost()).toBe(100);
  });

  it('follows a higher latency at once, and a lower one not at all at that moment', () => {
    const { health, see } = startAddressHealth();
    see(10);
    see(500);
    expect(health.cost()).toBe(500);
    see(10);
    expect(health.cost()).toBe(500);
  });

  it('forgets two thirds of a peak in 10 s', () => {
    const { health, see, clock } = startAddressHealth();
    see(100);
    clock.advance(10_000);
    expect(health.cost()).toBeCloseTo(100 / Math.E, 9);
    clock.advance(10_000);
    expect(health.cost()).toBeCloseTo(100 / Math.E ** 2, 9);
  });

  it('approaches later latencies by how long ago the peak was', () => {
    const { health, see, clock } = startAddressHealth();
    see(100);
    clock.advance(5_000);
    see(40);
    const left = asLongAs(5_000);
    expect(health.cost()).toBeCloseTo(100 * left + 40 * (1 - left), 9);
  });

  it('stays the same while all answers take the same time', () => {
    const { health, see, clock } = startAddressHealth();
    for (let second = 0; second < 100; second += 1) {
      see(25);
      expect(health.cost()).toBeCloseTo(25, 9);
      clock.advance(1_000);
    }
  });

  it('is at least the latest latency and at most the highest', () => {
    const seen = fc.record({
      latencyMs: fc.integer({ min: 1, max: 5_000 }),
      afterMs: fc.integer({ min: 0, max: 60_000 }),
    });
    assertProperty(
      fc.property(fc.array(seen, { minLength: 1, maxLength: 30 }), (story) => {
        const { health, see, clock } = startAddressHealth();
        let worst = 0;
        for (const { latencyMs, afterMs } of story) {
          clock.advance(afterMs);
          see(latencyMs);
          worst = Math.max(worst, latencyMs);
          expect(health.cost()).toBeGreaterThanOrEqual(latencyMs);
          expect(health.cost()).toBeLessThanOrEqual(worst + 1e-9);
        }
      }),
    );
  });

  it('is multiplied by the calls that it would have in flight', () => {
    const { health, see } = startAddressHealth();
    see(100);
    health.begin();
    const finish = health.begin();
    expect([health.inFlight, health.cost()]).toEqual([2, 300]);
    finish({ verdict: 'ok', tookMs: 100, countsAsSlow: false, timeoutMs: 3_000 });
    expect([health.inFlight, health.cost()]).toEqual([1, 200]);
  });

  it('is low before the first answer, but highest while the first call is in flight', () => {
    const { health } = startAddressHealth();
    expect(health.cost()).toBe(1);
    health.begin();
    const asked = health.cost();
    expect(asked).toBeGreaterThan(3_600_000);
    health.begin();
    expect(health.cost()).toBeGreaterThan(asked);
  });

  it('is at least the age of the oldest attempt, for an address that no longer answers', () => {
    const { health, see, clock } = startAddressHealth();
    see(20);
    health.begin();
    clock.advance(500);
    health.begin();
    clock.advance(100);
    expect(health.cost()).toBe(3 * 600);
  });

  it('is never below that of an address without an answer', () => {
    const { health, see, clock } = startAddressHealth();
    see(0.2);
    expect(health.cost()).toBe(1);
    see(3_000);
    clock.advance(600_000);
    expect(health.cost()).toBe(1);
  });
});

describe('an attempt that was cancelled', () => {
  it('is no longer in flight', () => {
    const { health, end } = startAddressHealth();
    end('unknown', 5);
    expect(health.inFlight).toBe(0);
  });

  it('does not make its address look fast', () => {
    const { health, end, see, clock } = startAddressHealth();
    see(100);
    clock.advance(5_000);
    for (let time = 0; time < 100; time += 1) end('unknown', 1);
    expect(health.cost()).toBeGreaterThanOrEqual(100 * asLongAs(5_000) - 1e-9);
    expect(health.cost()).toBeLessThanOrEqual(100);
  });

  it('does not make an address known that has never answered', () => {
    const { health, end } = startAddressHealth();
    end('unknown', 5);
    health.begin();
    expect(health.cost()).toBeGreaterThan(3_600_000);
  });

  it('shows how slow an address is at least that has never answered', () => {
    const { health, end } = startAddressHealth();
    end('unknown', 120);
    expect(health.cost()).toBe(120);
    end('unknown', 80);
    expect(health.cost()).toBe(120);
  });

  it('shows that its address is slow if it took longer than answers do', () => {
    const { health, end, see } = startAddressHealth();
    see(100);
    end('unknown', 700);
    expect(health.cost()).toBe(700);
  });

  it('shows that its address is slow even if answers took longer in the past', () => {
    const { health, end, see, clock } = startAddressHealth();
    see(3_000);
    clock.advance(60_000); // what is left of that is 7 ms
    end('unknown', 1_000);
    expect(health.cost()).toBeGreaterThanOrEqual(1_000);
  });

  it('counts neither as a failure nor as a success', () => {
    const { health, end, fail } = startAddressHealth();
    fail(4);
    end('unknown', 5);
    expect(health.mustBeEjected).toBe(false);
    fail(1);
    expect(health.mustBeEjected).toBe(true);
  });
});

describe('the ejection of an address', () => {
  it('is due after five consecutive failures', () => {
    const { health, fail, see } = startAddressHealth();
    fail(4);
    see(1);
    fail(4);
    expect(health.mustBeEjected).toBe(false);
    fail(1);
    expect([health.mustBeEjected, health.isEjected]).toEqual([true, false]);
  });

  it('is due after as many failures as the service says', () => {
    const { health, fail } = startAddressHealth({ failures: 2 });
    fail(1);
    expect(health.mustBeEjected).toBe(false);
    fail(1);
    expect(health.mustBeEjected).toBe(true);
  });

  it('takes 30 s, after which the failures are forgotten', () => {
    const { health, fail, clock } = startAddressHealth();
    fail(5);
    health.eject();
    expect([health.isEjected, health.mustBeEjected]).toEqual([true, false]);
    clock.advance(29_999);
    expect(health.isEjected).toBe(true);
    clock.advance(1);
    expect(health.isEjected).toBe(false);
    fail(4);
    expect(health.mustBeEjected).toBe(false);
  });

  it('takes longer each time, up to 300 s', () => {
    const { sitOut } = startAddressHealth();
    const periods = Array.from({ length: 13 }, sitOut);
    expect(periods).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300, 300]);
  });

  it('takes as long as the service says', () => {
    const { sitOut } = startAddressHealth({ ejectMs: 2_000, maxEjectMs: 5_000 });
    expect([sitOut(), sitOut(), sitOut()]).toEqual([2, 4, 5]);
  });

  it('is forgiven, once for every period without another one', () => {
    const { sitOut, clock } = startAddressHealth();
    expect([sitOut(), sitOut(), sitOut()]).toEqual([30, 60, 90]);
    clock.advance(29_999);
    expect(sitOut()).toBe(120);
    clock.advance(30_000);
    expect(sitOut()).toBe(120);
    clock.advance(60_000);
    expect(sitOut()).toBe(90);
    clock.advance(3_600_000);
    expect(sitOut()).toBe(30);
  });
});

/** Its cost without calls, after so many milliseconds; 1 is its usual cost. */
function costsAfter({ health, clock }: ReturnType<typeof startAddressHealth>, moments: number[]) {
  const startedAt = clock.now();
  return moments.map((ms) => {
    clock.advance(startedAt + ms - clock.now());
    return Number(health.cost().toFixed(6));
  });
}

describe('an address that returns', () => {
  it('costs more at first after an ejection, and less and less for 10 s', () => {
    const started = startAddressHealth();
    started.sitOut();
    expect(costsAfter(started, [0, 1_000, 2_000, 5_000, 8_000, 10_000, 99_000])).toEqual([
      10, 10, 5, 2, 1.25, 1, 1,
    ]);
  });

  it('costs more at first after a failed health check, too', () => {
    const started = startAddressHealth();
    started.health.setWell(false);
    started.clock.advance(60_000);
    started.health.setWell(true);
    expect(costsAfter(started, [0, 2_500, 10_000])).toEqual([10, 4, 1]);
  });

  it('costs more for as long as the service says, or not at all', () => {
    const quicker = startAddressHealth({ slowStartMs: 1_000 });
    quicker.sitOut();
    expect(costsAfter(quicker, [0, 500, 1_000])).toEqual([10, 2, 1]);
    const atOnce = startAddressHealth({ slowStartMs: 0 });
    atOnce.sitOut();
    expect(costsAfter(atOnce, [0])).toEqual([1]);
  });

  it('does not cost more if it was well all the time', () => {
    const { health } = startAddressHealth();
    expect(health.isWell).toBe(true);
    health.setWell(true);
    expect(health.cost()).toBe(1);
  });
});
