/** Counts requests in Redis, for all gateways together: the door to rate-limiter-flexible. */
import { hash } from 'node:crypto';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Clock } from '../../clock.ts';
import { createRedis } from '../../redis.ts';
import type { Redis, RedisAddress } from '../../redis.ts';
import { watchRedis } from '../../redis-link.ts';
import { countGateways } from './gateways.ts';
import type { LimitStore, Rule, Subject, Taken } from './limit-store.ts';
import { createMemoryLimits } from './memory-limits.ts';

export interface RedisLimitsOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
  readonly onReturn?: ((message: string) => void) | undefined;
}

/**
 * The beginning of every name in Redis, with the version of the format. Names of windows are
 * hashed, since they contain addresses and many tools show names.
 */
const namespace = 'plait:limits:1';

/**
 * Takes ARGV[1] of a limit of ARGV[3] within a window of ARGV[2] seconds. Unlike the library's own
 * script, it leaves the count alone where the limit does not allow it: a refused request must not
 * use up what cheaper ones could have.
 */
const takeScript = `
local used = tonumber(redis.call('get', KEYS[1]) or '0')
local after = used + tonumber(ARGV[1])
if after <= tonumber(ARGV[3]) then
  redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
  redis.call('incrby', KEYS[1], ARGV[1])
end
local ttl = redis.call('pttl', KEYS[1])
if ttl == -1 then
  redis.call('expire', KEYS[1], ARGV[2])
  ttl = 1000 * ARGV[2]
end
return { after, ttl }
`;

/**
 * Opens the counts in Redis, even if Redis cannot be reached. While it does not answer in time,
 * each gateway counts by itself, up to its share: the limit by the number of gateways seen last, but
 * at least one request. Its own counts are kept when Redis is back, so that a Redis that comes and
 * goes does not begin them anew.
 */
export async function createRedisLimits(options: RedisLimitsOptions): Promise<LimitStore> {
  const redis = createRedis(options.address);
  const local = createMemoryLimits(options);
  const gateways = countGateways(redis, { clock: options.clock, name: `${namespace}:gateways` });
  const link = watchRedis(redis, {
    ...options,
    probe: `${namespace}:probe`,
    meanwhile: 'each gateway admits its share of rate limits',
    onBack: gateways.beat,
  });
  await link.open();
  await gateways.open();

  return {
    limiterFor(rule) {
      const take = takerOf(redis, rule);
      return function takeInRedis(subject, cost) {
        return link.use(
          () => take(subject, cost),
          () => {
            const most = Math.max(cost, Math.floor(rule.limit / gateways.seen));
            return local.take(rule, subject, { cost, most });
          },
        );
      };
    },
    async close() {
      await gateways.close();
      await link.close();
      await local.close();
    },
  };
}

function takerOf(redis: Redis, rule: Rule): (subject: Subject, cost: number) => Promise<Taken> {
  const { id, name, limit, windowS } = rule;
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    points: limit,
    duration: windowS,
    keyPrefix: namespace,
    customIncrTtlLuaScript: takeScript,
  });
  return async function take(subject, cost) {
    // The window is in the name, so that one whose length was changed begins anew.
    const key = hash('sha256', [id, windowS, subject.kind, subject.id].join('\n'), 'base64url');
    const { after, resetMs } = await consume(limiter, key, cost);
    const isAdmitted = after <= limit;
    const remaining = Math.max(0, limit - (isAdmitted ? after : after - cost));
    return { name, limit, windowS, isAdmitted, remaining, resetMs: Math.max(0, resetMs) };
  };
}

interface Consumed {
  /** The part of the limit that is used, this request included. */
  readonly after: number;
  readonly resetMs: number;
}

/** The library rejects with a result for "over the limit", and with an error if Redis fails. */
async function consume(limiter: RateLimiterRedis, key: string, cost: number): Promise<Consumed> {
  const result = await limiter.consume(key, cost).catch((thrown: unknown) => {
    if (thrown instanceof RateLimiterRes) return thrown;
    throw thrown;
  });
  return { after: result.consumedPoints, resetMs: result.msBeforeNext };
}
