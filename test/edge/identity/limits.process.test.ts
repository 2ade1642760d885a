/** Limits per principal that two gateways share in a real Redis. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openLimitStore } from '../../../src/edge/limits/open-limit-store.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import { isRedisSkipped, patient, startRedis } from '../../support/redis.ts';
import { from, keyOf, limit, startLimited, times } from './_limited.ts';

async function openStore(url: string) {
  const { redis } = parseSettings({ REDIS_URL: url }, []);
  const store = await openLimitStore({ redis, clock: systemClock, onWarning: () => undefined });
  onTestFinished(() => store.close());
  return store;
}

describe.skipIf(isRedisSkipped)('a limit per principal in Redis', patient, () => {
  it('is one for two gateways, exactly, and names show nobody', async () => {
    const redis = await startRedis();
    const stores = await Promise.all([openStore(redis.url), openStore(redis.url)]);
    const { served, tokenOf } = await startLimited(stores);
    const office = '203.0.113.1';
    const ann = await tokenOf('canary-ann');
    // So that what is counted is requests, not fetches of keys.
    expect(await served([from(office, ann)])).toBe(2);
    expect(await served(times(20, from(office, ann)))).toBe(limit - 2);
    expect(await served([from('198.51.100.1', await tokenOf('canary-ann'))])).toBe(0);
    expect(await served(times(20, from(office, await tokenOf('canary-bob'))))).toBe(limit);
    expect(await served(times(20, from(office, keyOf('acme', 'first'))))).toBe(limit);
    expect(await served([from(office, keyOf('acme', 'second'))])).toBe(0);
    const names = await redis.ask('KEYS *');
    expect(names.match(/plait:\S+/g)?.length).toBeGreaterThan(3);
    for (const word of ['canary', 'acme', 'first', office]) expect(names).not.toContain(word);
  });
});
