import DataLoader from 'dataloader';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { assertProperty } from '../../support/property.ts';
import {
  expectedOf,
  knownKeys,
  left,
  latestMs,
  lookupOf,
  plain,
  resultAt,
  runClients,
  situations,
  startSharing,
} from './generated-loads.ts';

describe('loads of several requests', () => {
  it('give each request what it would have got on its own, and as soon', async () => {
    await assertProperty(
      fc.asyncProperty(situations, async (situation) => {
        const sharing = startSharing(situation, lookupOf(situation));
        const { observed } = await runClients(situation, sharing);
        for (const one of observed) {
          const { load, openedAtMs, doneAtMs, leavesAtMs } = one;
          const endsMs = latestMs(situation, one);
          const overAtMs = Math.max(openedAtMs, leavesAtMs ?? Infinity);
          expect(doneAtMs).toBeLessThanOrEqual(Math.min(endsMs, overAtMs));
          const mayHaveLeft = overAtMs <= endsMs;
          for (const [index, alone] of expectedOf(situation, one).entries())
            expect(mayHaveLeft ? [alone, left] : [alone]).toContainEqual(resultAt(load, index));
        }
      }),
      { full: 10_000 },
    );
  });

  it('make ceil(distinct keys / max) requests a turn, and ask for no key that is under way', async () => {
    await assertProperty(
      fc.asyncProperty(situations, async (situation) => {
        const { max } = situation.limits;
        const { coalesce } = situation.lookup;
        const sharing = startSharing(situation, lookupOf(situation));
        await runClients(situation, sharing);
        const turns = Map.groupBy(sharing.sent, ({ dispatch, atMs }) => `${atMs} ${dispatch.key}`);
        for (const those of turns.values()) {
          const keys = those.flatMap(({ dispatch }) => dispatch.keys ?? []);
          expect(keys).toEqual([...new Set(keys)]);
          expect(those.length).toBe(Math.ceil(keys.length / max));
        }
        expect(coalesce ? sharing.sent.flatMap(({ again }) => again) : []).toEqual([]);
        // A client asks for nothing twice.
        const isOne = situation.clients.length === 1;
        const asked = sharing.sent.flatMap(({ dispatch: { key = '', keys = [] } }) =>
          keys.map((one) => `${key} ${String(one)}`),
        );
        expect(isOne ? asked : []).toEqual(isOne ? [...new Set(asked)] : []);
      }),
      { full: 3_000 },
    );
  });

  it('leave nothing behind: no listener, no key that counts as under way, no flight', async () => {
    await assertProperty(
      fc.asyncProperty(situations, async (situation) => {
        const own = lookupOf({ ...situation, lookup: { ...situation.lookup, isCached: false } });
        const sharing = startSharing(situation, own);
        const { signals } = await runClients(situation, sharing);
        expect(signals.map(({ listeners }) => listeners.size)).toEqual(signals.map(() => 0));
        expect(sharing.underWay.size).toBe(0);
        const { mostKeys, openClient, finish, sent } = sharing;
        const before = sent.length;
        const keys = Array.from({ length: mostKeys - knownKeys.length }, (_, at) => `new ${at}`);
        const load = openClient('anna').load('x', [...knownKeys, ...keys]);
        await finish();
        expect(load.keys.map((_, index) => resultAt(load, index))).not.toContain('overloaded');
        expect(sent.slice(before).flatMap(({ dispatch }) => dispatch.keys)).toEqual(load.keys);
      }),
      { full: 3_000 },
    );
  });
});

describe('a load', () => {
  it('is collected as a whole, however many keys it has', async () => {
    const collect = vi.spyOn(DataLoader.prototype, 'load');
    const keys = Array.from({ length: 25 }, (_, index) => `key ${index}`);
    const { openClient, finish, sent } = startSharing(plain, lookupOf(plain));
    const load = openClient('anna').load('x', keys);
    await finish();
    expect(sent.map(({ dispatch }) => dispatch.keys)).toEqual([keys]);
    expect(load.values).toEqual(keys.map(() => null));
    expect(collect).toHaveBeenCalledTimes(1);
  });

  it('that fails at once is done before its other keys, which other loads still get', async () => {
    const { openClient, finish, clock } = startSharing(plain, lookupOf(plain));
    const { load: open } = openClient('anna');
    const hasty = open('x', ['', 'a'], true);
    const patient = open('x', ['a']);
    await hasty.done;
    expect(clock.now()).toBe(0);
    expect([hasty.isSettled(0), hasty.isSettled(1)]).toEqual([true, false]);
    await finish();
    expect(resultAt(patient, 0)).toEqual({ id: 'a', who: 'anna', tag: 'x', number: 1 });
  });
});
