import { describe, expect, it } from 'vitest';
import { createMemoryLimits } from '../../../src/edge/limits/memory-limits.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const rule = { id: 'address', name: 'address', limit: 10, windowS: 60 } as const;
const client = { kind: 'address', id: '203.0.113.1' } as const;

function start({ mostWindows = 100 } = {}) {
  const clock = createFakeClock();
  const limits = createMemoryLimits({ clock, mostWindows });
  return { clock, limits, take: limits.limiterFor(rule) };
}

describe('a limit in memory', () => {
  it('admits its number within a window, and again when that has ended', async () => {
    const { clock, take } = start();
    const admitted = async (count: number) => {
      const taken = await Promise.all(Array.from({ length: count }, () => take(client, 1)));
      return taken.filter(({ isAdmitted }) => isAdmitted).length;
    };
    expect(await admitted(25)).toBe(10);
    clock.advance(59_999);
    expect(await admitted(5)).toBe(0);
    clock.advance(1);
    expect(await admitted(25)).toBe(10);
  });

  it('begins the window with the first request, whenever that is', async () => {
    const { clock, take } = start();
    clock.advance(12_345);
    expect(await take(client, 1)).toMatchObject({ remaining: 9, resetMs: 60_000 });
    clock.advance(20_000);
    expect(await take(client, 1)).toMatchObject({ remaining: 8, resetMs: 40_000 });
  });

  it('takes nothing for what it refuses: something cheaper may still fit', async () => {
    const { take } = start();
    expect(await take(client, 8)).toMatchObject({ isAdmitted: true, remaining: 2 });
    expect(await take(client, 3)).toMatchObject({ isAdmitted: false, remaining: 2 });
    expect(await take(client, 2)).toMatchObject({ isAdmitted: true, remaining: 0 });
  });

  it('counts by rule, by kind of subject and by subject', async () => {
    const { limits, take } = start();
    const other = limits.limiterFor({ ...rule, id: 'route a' });
    await take(client, 10);
    const left = await Promise.all([
      take(client, 1),
      other(client, 1),
      take({ ...client, id: '203.0.113.2' }, 1),
      take({ ...client, kind: 'principal' }, 1),
    ]);
    expect(left.map(({ isAdmitted }) => isAdmitted)).toEqual([false, true, true, true]);
  });

  it('keeps no more windows than it may under a flood of addresses, and those of principals', async () => {
    const { limits, take } = start();
    await take({ kind: 'principal', id: 'somebody' }, 10);
    for (let n = 0; n < 10_000; n += 1)
      void take({ kind: 'address', id: `10.0.${n >> 8}.${n}` }, 1);
    expect(limits.windows).toBe(101);
    expect(await take({ kind: 'principal', id: 'somebody' }, 1)).toMatchObject({
      isAdmitted: false,
    });
  });

  it('forgets the least recently used window first', async () => {
    const { take } = start({ mostWindows: 3 });
    await take(client, 10);
    for (const id of ['a', 'b', 'c']) {
      await take({ kind: 'address', id }, 1);
      expect(await take(client, 1)).toMatchObject({ isAdmitted: false });
    }
    for (const id of ['d', 'e', 'f']) await take({ kind: 'address', id }, 1);
    expect(await take(client, 1)).toMatchObject({ isAdmitted: true });
  });
});
