import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { Entry } from '../../../src/upstream/caching/cache-entry.ts';
import { createMemoryStore } from '../../../src/upstream/caching/memory-store.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const clock = createFakeClock();

function entryOf(raw: unknown): Entry {
  const times = { storedAt: 0, freshForMs: 1_000, refreshForMs: 0, fallbackForMs: 0 };
  const outcome = { kind: 'reply', status: 200, headers: {}, raw, parsed: { value: raw } } as const;
  return { ...times, outcome };
}

const keep = { versions: [], keepMs: 60_000 };

/** Makes `gc` available by a flag, with which tests are not started. */
function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}

it('the memory store keeps 10,000 entries of a million, and the memory of 20,000', () => {
  const store = createMemoryStore({ clock });
  const fill = (from: number, to: number): void => {
    for (let index = from; index < to; index += 1) {
      store.set(
        `orders.getOrder  {"id":${index}}`,
        entryOf({ id: index, text: 'x'.repeat(100) }),
        keep,
      );
      store.claim(`orders.getOrder  {"id":${index}} 1`, 1_000);
    }
  };
  fill(0, 20_000);
  const before = heapAfterCollection();
  fill(20_000, 1_000_000);
  const after = heapAfterCollection();
  expect(store.entries).toBe(10_000);
  expect(store.bytes).toBeLessThan(10_000 * 200);
  expect(after / before).toBeLessThan(1.1);
});

it('the memory store keeps at most as many bytes as allowed, by default 64 MiB', () => {
  const store = createMemoryStore({ clock });
  const text = 'x'.repeat(1024 * 1024);
  for (let index = 0; index < 200; index += 1) store.set(String(index), entryOf(text), keep);
  expect(store.entries).toBe(63);
  expect(store.bytes).toBeLessThan(64 * 1024 * 1024);
  expect(store.get('199', []).entry).toBeDefined();
  expect(store.get('0', []).entry).toBeUndefined();
});

it('the memory store removes an entry that one of too many bytes replaces', () => {
  const store = createMemoryStore({ clock, mostBytes: 1_000 });
  store.set('a', entryOf('short'), keep);
  store.set('a', entryOf('x'.repeat(1_000)), keep);
  expect([store.entries, store.bytes]).toEqual([0, 0]);
});

it('the memory store removes the least recently used entries', () => {
  const store = createMemoryStore({ clock, mostEntries: 2 });
  store.set('a', entryOf(1), keep);
  store.set('b', entryOf(2), keep);
  store.get('a', []);
  store.set('c', entryOf(3), keep);
  expect(['a', 'b', 'c'].map((key) => store.get(key, []).entry !== undefined)).toEqual([
    true,
    false,
    true,
  ]);
});
