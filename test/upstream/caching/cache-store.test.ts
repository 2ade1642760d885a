import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Clock } from '../../../src/clock.ts';
import { openCacheStore } from '../../../src/upstream/caching/open-cache-store.ts';
import type { RedisAddress } from '../../../src/redis.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const nobody = { host: '127.0.0.1', port: 9, db: 0 };

function open(redis?: RedisAddress, clock: Clock = systemClock) {
  const warnings: string[] = [];
  const onWarning = (message: string): void => void warnings.push(message);
  return { warnings, store: openCacheStore({ redis, clock, onWarning }) };
}

describe('the cache store of a gateway', () => {
  it('is in memory without Redis', async () => {
    const { store, warnings } = open();
    expect(await store).toHaveProperty('entries', 0);
    expect(warnings).toEqual([]);
  });

  it('warns once when Redis cannot be reached, and stores entries in memory', async () => {
    const { store, warnings } = open({ ...nobody, username: 'user', password: 'secret' });
    const opened = await store;
    await opened.set('a', entry, { versions: [], keepMs: 1_000 });
    expect((await opened.get('a', [])).entry).toBe(entry);
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toMatch(/^Redis cannot be used \(.*ECONNREFUSED.*\): answers are cached/);
    expect(warnings[0]).not.toContain('secret');
    await opened.close();
  });

  it('warns once a minute for as long as Redis cannot be reached', async () => {
    const clock = createFakeClock();
    const { store, warnings } = open(nobody, clock);
    const opened = await store;
    clock.advance(59_999);
    await sleep(250);
    expect(warnings.length).toBe(1);
    clock.advance(1_000);
    await vi.waitFor(() => expect(warnings.length).toBe(2));
    await opened.close();
    expect(clock.pending).toBe(0);
  });
});

const entry = {
  storedAt: 0,
  freshForMs: 1_000,
  refreshForMs: 0,
  fallbackForMs: 0,
  outcome: { kind: 'missing' },
} as const;
