import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Clock } from '../../../src/clock.ts';
import { ConfigurationError } from '../../../src/errors.ts';
import { createCacheStore } from '../../../src/upstream/caching/cache-store.ts';
import { addressOfRedis } from '../../../src/upstream/caching/cache-address.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { reasonOf } from '../../support/upstreams.ts';

function open(environment: Record<string, string>, clock: Clock = systemClock) {
  const warnings: string[] = [];
  const onWarning = (message: string): void => void warnings.push(message);
  return { warnings, store: createCacheStore({ environment, clock, onWarning }) };
}

describe('REDIS_URL', () => {
  it.each([{}, { REDIS_URL: '' }, { REDIS_URL: ' ' }])('%j: this process keeps', async (env) => {
    const { store, warnings } = open(env);
    expect(await store).toHaveProperty('entries', 0);
    expect(warnings).toEqual([]);
  });

  it.each([
    'secret',
    'http://user:secret@127.0.0.1',
    'redis://user:secret@',
    'redis://user:secret@127.0.0.1:99999',
    'redis://user:secret@127.0.0.1/orders',
    'redis://user:secret@127.0.0.1?enableOfflineQueue=true',
    'redis://user:secret@127.0.0.1#1',
    'redis://user:secret%@127.0.0.1',
    'redis:///var/run/secret.sock',
    '//:secret@127.0.0.1',
  ])('%s is refused, without repeating it', async (REDIS_URL) => {
    const error = await reasonOf(open({ REDIS_URL }).store);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(String(error)).toMatch(/^ConfigurationError: REDIS_URL: .*redis:\/\/127\.0\.0\.1:6379/);
    expect(String(error)).not.toContain('secret');
  });

  it.each([
    ['redis://cache', { host: 'cache', port: 6379, db: 0 }],
    ['redis://cache:7000/2', { host: 'cache', port: 7000, db: 2 }],
    ['redis://:p%40ss@cache/', { host: 'cache', port: 6379, db: 0, password: 'p@ss' }],
    ['redis://[::1]:7000', { host: '::1', port: 7000, db: 0 }],
    [
      'rediss://ada:x@cache',
      { host: 'cache', port: 6379, db: 0, username: 'ada', password: 'x', tls: {} },
    ],
  ])('%s is understood', (url, address) => {
    expect(addressOfRedis(url)).toEqual(address);
  });

  it('may lead to nobody: it is told once, and this process keeps', async () => {
    const { store, warnings } = open({ REDIS_URL: 'redis://user:secret@127.0.0.1:9' });
    const opened = await store;
    await opened.set('a', entry, { versions: [], keepMs: 1_000 });
    expect((await opened.get('a', [])).entry).toBe(entry);
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toMatch(/^Redis cannot be used \(.*ECONNREFUSED.*\): answers are kept/);
    expect(warnings[0]).not.toContain('secret');
    await opened.close();
  });

  it('may lead to nobody for long: it is told once a minute', async () => {
    const clock = createFakeClock();
    const { store, warnings } = open({ REDIS_URL: 'redis://127.0.0.1:9' }, clock);
    const opened = await store;
    clock.advance(59_999);
    await sleep(250);
    expect(warnings.length).toBe(1);
    clock.advance(1_000);
    await vi.waitFor(() => expect(warnings.length).toBe(2), { timeout: 5_000 });
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
