import { describe, expect, it } from 'vitest';
import { createTokenSource } from '../../../src/upstream/credentials/token.ts';
import { TokenError } from '../../../src/upstream/credentials/token-error.ts';
import type { Granted } from '../../../src/upstream/credentials/token-request.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const down = new TokenError('no token from http://id: answered 503', false);

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** An issuer that a test answers by hand; `random()` is 1 unless told otherwise. */
function start({ chances = [1] }: { chances?: readonly number[] } = {}) {
  const clock = createFakeClock({ chances });
  const asked: PromiseWithResolvers<Granted>[] = [];
  const source = createTokenSource(() => {
    const answer = Promise.withResolvers<Granted>();
    asked.push(answer);
    return answer.promise;
  }, clock);
  return {
    clock,
    source,
    asked,
    /** `null`: the issuer does not say how long it is good for. */
    async grant(token: string, livesMs: number | null = 600_000) {
      asked.at(-1)?.resolve({ token, livesMs: livesMs ?? undefined });
      await settle();
    },
    async fail(error: unknown = down) {
      asked.at(-1)?.reject(error);
      await settle();
    },
    /** How a call would go on now. */
    now(): 'sends' | 'waits' | string {
      try {
        const renewal = source.ready();
        void renewal?.catch(() => undefined);
        return renewal === undefined ? 'sends' : 'waits';
      } catch (error) {
        return (error as TokenError).message; // there is no other
      }
    },
  };
}

describe('a token', () => {
  it('is asked for once, by the first of many calls', async () => {
    const { source, asked, grant } = start();
    const waiting = Array.from({ length: 100 }, () => source.ready());
    expect(new Set(waiting).size).toBe(1);
    expect(asked).toHaveLength(1);
    await grant('one');
    await waiting[0];
    expect(source.ready()).toBeUndefined();
    expect(source.text()).toBe('one');
  });

  it.each([
    // Of a long one, 60 s before its end; of others, in the last fifth; waited for in the last 5 s.
    ['an hour', 3_600_000, 3_540_000, 3_595_000],
    ['100 s', 100_000, 80_000, 95_000],
    ['20 s', 20_000, 15_000, 15_000],
    ['6 s', 6_000, 3_000, 3_000],
    ['an unknown time', null, 240_000, 295_000],
  ])('of %s is renewed in the background, and in time', async (_, livesMs, renewAt, waitAt) => {
    const { clock, now, grant, asked } = start();
    now();
    await grant('one', livesMs);
    clock.advance(renewAt - 1);
    expect([now(), asked.length]).toEqual(['sends', 1]);
    clock.advance(1);
    expect([now(), asked.length]).toEqual([renewAt === waitAt ? 'waits' : 'sends', 2]);
    clock.advance(waitAt - renewAt);
    expect([now(), asked.length]).toEqual(['waits', 2]);
    await grant('two', livesMs);
    expect(now()).toBe('sends');
  });

  it('is renewed at another moment in each gateway', async () => {
    const { clock, now, grant, asked } = start({ chances: [0] });
    now();
    await grant('one', 3_600_000);
    clock.advance(3_569_999);
    now();
    expect(asked).toHaveLength(1);
    clock.advance(1);
    now();
    expect(asked).toHaveLength(2);
  });

  it('lives from when it was asked for, not from when it came', async () => {
    const { clock, now, grant } = start();
    now();
    clock.advance(2_000);
    await grant('one', 10_000);
    clock.advance(2_999);
    expect(now()).toBe('sends');
    clock.advance(1);
    expect(now()).toBe('waits');
  });

  it('that is dropped is not in use any more, and asked for again', async () => {
    const { now, grant, source, asked } = start();
    now();
    await grant('one');
    expect(['one', 'other'].map((token) => source.isInUse(token))).toEqual([true, false]);
    source.drop();
    expect(source.isInUse('one')).toBe(false);
    expect([now(), asked.length]).toEqual(['waits', 2]);
    await grant('two');
    expect([now(), source.isInUse('two')]).toEqual(['sends', true]);
  });
});

describe('an issuer that fails', () => {
  it('rests, twice as long each time, up to 30 s', async () => {
    const { clock, now, fail, asked } = start();
    for (const restMs of [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      expect(now()).toBe('waits');
      await fail();
      const before = asked.length;
      clock.advance(restMs - 1);
      expect([now(), asked.length]).toEqual([down.message, before]);
      clock.advance(1);
    }
  });

  it('rests for a random part of that, so that gateways do not come back together', async () => {
    const { clock, now, fail } = start({ chances: [0.5] });
    now();
    await fail();
    clock.advance(124);
    expect(now()).toBe(down.message);
    clock.advance(1);
    expect(now()).toBe('waits');
  });

  it.each([
    [7, 7_000],
    [86_400, 300_000],
  ])('rests for its Retry-After of %i s, up to 5 min', async (retryAfter, restMs) => {
    const { clock, now, fail, source } = start();
    now();
    await fail(new TokenError('later', false, retryAfter));
    expect(() => source.ready()).toThrow(
      expect.objectContaining({ retryAfterSeconds: restMs / 1_000 }),
    );
    clock.advance(restMs - 1);
    expect(now()).toBe('later');
    clock.advance(1);
    expect(now()).toBe('waits');
  });

  it('fails everybody who waits, and then nobody while a token is good', async () => {
    const { clock, now, grant, fail, source } = start();
    now();
    await grant('one', 100_000);
    clock.advance(96_000);
    const waiting = source.ready();
    await fail();
    await expect(waiting).resolves.toBeUndefined();
    expect(now()).toBe('sends');
    clock.advance(250);
    expect(now()).toBe('waits');
    await fail();
    clock.advance(3_750);
    const last = source.ready();
    await fail();
    await expect(last).rejects.toThrow(down.message);
    expect(now()).toBe(down.message);
  });

  it('has its rests forgotten after a token', async () => {
    const { clock, now, grant, fail, source } = start();
    now();
    await fail();
    clock.advance(250);
    now();
    await fail();
    clock.advance(500);
    now();
    await grant('one');
    source.drop();
    now();
    await fail();
    clock.advance(250);
    expect(now()).toBe('waits');
  });
});
