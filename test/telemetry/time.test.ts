/** The time of spans, where clocks jump. */
import { expect, it } from 'vitest';
import { createWallClock } from '../../src/telemetry/time.ts';

/**
 * Clocks that a test moves; `told`: the time of spans in milliseconds since 1970. `interrupt`: the
 * process stands still for that long before it reads the wall clock for the next time.
 */
function startClocks() {
  const at = { wallMs: 1_700_000_000_000, monotonicMs: 0 };
  let interruptionMs = 0;
  const now = createWallClock({
    wall() {
      pass(interruptionMs);
      interruptionMs = 0;
      return Math.trunc(at.wallMs);
    },
    monotonic: () => at.monotonicMs,
    originMs: at.wallMs,
  });
  const pass = (ms: number): void => {
    at.wallMs += ms;
    at.monotonicMs += ms;
  };
  const told = (): number => {
    const [seconds, nanoseconds] = now();
    return seconds * 1_000 + nanoseconds / 1e6;
  };
  const interrupt = (ms: number): void => void (interruptionMs = ms);
  return { at, pass, told, interrupt };
}

it('has the resolution of the monotonic clock', () => {
  const { at, pass, told } = startClocks();
  for (let times = 0; times < 5; times += 1) {
    pass(700.25);
    expect(told()).toBeCloseTo(at.wallMs, 3);
  }
});

it.each([
  ['the machine has slept', 3_600_000],
  ['the wall clock was set forward', 90],
  ['the wall clock was set back', -7_200_000],
])('is right again within a second when %s', (_, ms) => {
  const { at, pass, told } = startClocks();
  told();
  at.wallMs += ms;
  pass(999);
  told();
  pass(1);
  expect(Math.abs(told() - at.wallMs)).toBeLessThan(1);
  pass(300.5);
  expect(Math.abs(told() - at.wallMs)).toBeLessThan(1);
});

it('never goes back while the wall clock does not', () => {
  const { at, pass, told } = startClocks();
  let before = told();
  for (let times = 0; times < 1_000; times += 1) {
    pass(7.3);
    // As far as two readings of the clocks may be apart.
    at.wallMs += times % 2 === 0 ? 9 : -9;
    const time = told();
    expect(time).toBeGreaterThan(before);
    before = time;
  }
});

it('is not set by a wall clock that was read after an interruption', () => {
  const { at, pass, told, interrupt } = startClocks();
  told();
  pass(1_000);
  interrupt(30);
  told();
  for (let times = 0; times < 3; times += 1) {
    pass(0.5);
    expect(Math.abs(told() - at.wallMs)).toBeLessThan(1);
  }
});
