import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWindow } from '../../../src/upstream/resilience/rolling-window.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';

/** A window of ten seconds in which apples and pears are counted. */
function startWindow({ lengthMs = 10_000, startAt = 0 } = {}) {
  const clock = createFakeClock({ startAt });
  const window = createWindow(['apples', 'pears'], lengthMs, clock);
  const counts = () => [window.count('apples'), window.count('pears')];
  return { clock, window, counts };
}

describe('a rolling window', () => {
  it('counts each name on its own, from zero', () => {
    const { window, counts } = startWindow();
    expect(counts()).toEqual([0, 0]);
    window.add('apples');
    window.add('apples');
    window.add('pears');
    expect(counts()).toEqual([2, 1]);
  });

  it('counts events until its length is over', () => {
    const { window, clock, counts } = startWindow();
    window.add('apples');
    clock.advance(9_999);
    expect(counts()).toEqual([1, 0]);
    clock.advance(1);
    expect(counts()).toEqual([0, 0]);
  });

  it('may forget events up to a tenth of its length too early', () => {
    const { window, clock, counts } = startWindow({ startAt: 999 });
    window.add('apples');
    clock.advance(9_000);
    expect(counts()).toEqual([1, 0]);
    clock.advance(1);
    expect(counts()).toEqual([0, 0]);
  });

  it('forgets one slice at a time', () => {
    const { window, clock, counts } = startWindow();
    for (let second = 0; second < 10; second += 1) {
      window.add('apples');
      clock.advance(1_000);
    }
    expect(counts()).toEqual([9, 0]);
    clock.advance(4_000);
    expect(counts()).toEqual([5, 0]);
    window.add('apples');
    expect(counts()).toEqual([6, 0]);
  });

  it('is empty after a pause longer than itself, and counts on', () => {
    const { window, clock, counts } = startWindow();
    window.add('apples');
    clock.advance(86_400_000);
    expect(counts()).toEqual([0, 0]);
    window.add('pears');
    expect(counts()).toEqual([0, 1]);
  });

  it('forgets everything when it is cleared', () => {
    const { window, clock, counts } = startWindow();
    window.add('apples');
    clock.advance(3_000);
    window.add('pears');
    window.clear();
    expect(counts()).toEqual([0, 0]);
    window.add('pears');
    clock.advance(9_999);
    expect(counts()).toEqual([0, 1]);
  });
});

type Step = 'apples' | 'pears' | 'clear' | number;

const steps = (lengthMs: number) =>
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom<Step>('apples', 'pears') },
      { weight: 1, arbitrary: fc.constant<Step>('clear') },
      // Within a tenth, within the window, and beyond it.
      { weight: 3, arbitrary: fc.integer({ min: 1, max: Math.ceil(lengthMs / 10) }) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: lengthMs * 2 }) },
    ),
    { maxLength: 80, size: 'max' },
  );

const stories = fc
  .integer({ min: 10, max: 20_000 })
  .chain((lengthMs) =>
    fc.record({ lengthMs: fc.constant(lengthMs), startAt: fc.nat(), steps: steps(lengthMs) }),
  );

/** Plays a story to a window and to a list of moments, and shows both after every step. */
function play(
  { lengthMs, startAt, steps: all }: { lengthMs: number; startAt: number; steps: Step[] },
  look: (seen: { count: number; moments: number[]; now: number }) => void,
) {
  const { window, clock } = startWindow({ lengthMs, startAt });
  let happened: { name: Step; at: number }[] = [];
  for (const step of all) {
    if (typeof step === 'number') clock.advance(step);
    else if (step === 'clear') {
      window.clear();
      happened = [];
    } else {
      window.add(step);
      happened.push({ name: step, at: clock.now() });
    }
    for (const name of ['apples', 'pears'] as const) {
      const moments = happened.filter((one) => one.name === name).map(({ at }) => at);
      look({ count: window.count(name), moments, now: clock.now() });
    }
  }
}

describe('a rolling window in any sequence of events', () => {
  it('counts all events of the last nine tenths, and none older than its length', () => {
    assertProperty(
      fc.property(stories, (story) => {
        const { lengthMs } = story;
        play(story, ({ count, moments, now }) => {
          const least = moments.filter((at) => (now - at) * 10 <= lengthMs * 9).length;
          const most = moments.filter((at) => now - at < lengthMs).length;
          expect(count).toBeGreaterThanOrEqual(least);
          expect(count).toBeLessThanOrEqual(most);
        });
      }),
    );
  });

  it('counts the events of the present tenth and of the nine before it', () => {
    assertProperty(
      fc.property(stories, (story) => {
        const tenthOf = (at: number) => Math.floor((at * 10) / story.lengthMs);
        play(story, ({ count, moments, now }) => {
          expect(count).toBe(moments.filter((at) => tenthOf(at) > tenthOf(now) - 10).length);
        });
      }),
    );
  });
});
