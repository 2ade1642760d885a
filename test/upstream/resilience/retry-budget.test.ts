import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRetryBudget } from '../../../src/upstream/resilience/retry-budget.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';

/** A budget of a fifth of the calls and three in any case, unless said otherwise. */
function startBudget(config: { percent?: number; floor?: number } = {}) {
  const clock = createFakeClock();
  const budget = createRetryBudget({ percent: 20, floor: 3, ...config }, clock);
  const deposit = (calls: number) => {
    for (let call = 0; call < calls; call += 1) budget.deposit();
  };
  /** How many of so many further attempts are granted. */
  const withdraw = (attempts: number) =>
    Array.from({ length: attempts }, () => budget.withdraw()).filter(Boolean).length;
  return { clock, budget, deposit, withdraw };
}

describe('a retry budget', () => {
  it('grants its floor without any call', () => {
    expect(startBudget().withdraw(10)).toBe(3);
  });

  it('grants its share of the calls if that is more than the floor', () => {
    const { deposit, withdraw } = startBudget();
    deposit(100);
    expect(withdraw(100)).toBe(20);
  });

  it('does not add the floor to the share', () => {
    const { deposit, withdraw } = startBudget();
    expect(withdraw(3)).toBe(3);
    deposit(19);
    expect(withdraw(10)).toBe(0);
    deposit(1);
    expect(withdraw(10)).toBe(1);
  });

  it('rounds its share down', () => {
    const { deposit, withdraw } = startBudget({ floor: 0 });
    deposit(4);
    expect(withdraw(1)).toBe(0);
    deposit(1);
    expect(withdraw(2)).toBe(1);
  });

  it('takes nothing for an attempt that it does not grant', () => {
    const { deposit, withdraw } = startBudget({ floor: 0 });
    expect(withdraw(1_000)).toBe(0);
    deposit(5);
    expect(withdraw(1_000)).toBe(1);
  });

  it('is restored ten seconds later, when old calls no longer count', () => {
    const { clock, deposit, withdraw } = startBudget();
    deposit(100);
    expect(withdraw(100)).toBe(20);
    clock.advance(9_999);
    expect(withdraw(100)).toBe(0);
    clock.advance(1);
    expect(withdraw(100)).toBe(3);
  });

  it('can be zero or unlimited', () => {
    const none = startBudget({ percent: 0, floor: 0 });
    none.deposit(1_000);
    expect(none.withdraw(10)).toBe(0);
    const all = startBudget({ percent: 100, floor: 0 });
    all.deposit(10);
    expect(all.withdraw(100)).toBe(10);
  });
});

type Step = { readonly calls: number } | { readonly ms: number } | 'withdraw';

const story = fc.record({
  percent: fc.constantFrom(0, 1, 20, 33, 50, 100),
  floor: fc.nat({ max: 5 }),
  steps: fc.array(
    fc.oneof(
      { weight: 2, arbitrary: fc.record({ calls: fc.integer({ min: 1, max: 20 }) }) },
      { weight: 2, arbitrary: fc.record({ ms: fc.integer({ min: 1, max: 3_000 }) }) },
      { weight: 1, arbitrary: fc.record({ ms: fc.integer({ min: 5_000, max: 25_000 }) }) },
      { weight: 9, arbitrary: fc.constant<Step>('withdraw') },
    ),
    { maxLength: 120, size: 'max' },
  ),
});

/** Lists of moments instead of counters; `onWithdraw` is told what both say. */
function play(
  { percent, floor, steps }: { percent: number; floor: number; steps: readonly Step[] },
  onWithdraw: (seen: { granted: boolean; now: number; calls: number[]; extra: number[] }) => void,
) {
  const { clock, deposit, budget } = startBudget({ percent, floor });
  const calls: number[] = [];
  const extra: number[] = [];
  for (const step of steps) {
    const now = clock.now();
    if (step === 'withdraw') {
      const granted = budget.withdraw();
      onWithdraw({ granted, now, calls, extra });
      if (granted) extra.push(now);
    } else if ('ms' in step) {
      clock.advance(step.ms);
    } else {
      deposit(step.calls);
      for (let call = 0; call < step.calls; call += 1) calls.push(now);
    }
  }
}

describe('a retry budget in any sequence of events', () => {
  it('grants exactly what the present second and the nine before it leave', () => {
    assertProperty(
      fc.property(story, (told) => {
        play(told, ({ granted, now, calls, extra }) => {
          const isRecent = (at: number) => Math.floor(at / 1_000) > Math.floor(now / 1_000) - 10;
          const share = (calls.filter(isRecent).length * told.percent) / 100;
          const wanted = extra.filter(isRecent).length + 1;
          expect(granted).toBe(wanted <= told.floor || wanted <= share);
        });
      }),
      { full: 300 },
    );
  });

  it('never grants more than the floor or the share of the calls in the last ten seconds', () => {
    assertProperty(
      fc.property(story, (told) => {
        play(told, ({ granted, now, calls, extra }) => {
          if (!granted) return;
          const share = (calls.filter((at) => now - at < 10_000).length * told.percent) / 100;
          // The window moves on by the second: of ten seconds, only nine are certain to be in it.
          const granteds = extra.filter((at) => now - at <= 9_000).length + 1;
          expect(granteds).toBeLessThanOrEqual(Math.max(told.floor, share));
        });
      }),
      { full: 300 },
    );
  });
});
