/** How many gateways share a Redis: each of them says every two seconds that it is there. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Redis } from '../../redis.ts';

export interface Gateways {
  /** The number that was seen last, this one included: at least 1. */
  readonly seen: number;
  /** Says that this one is there, and counts them, without waiting for it. */
  beat(): void;
  /** Does so once, and then every two seconds. */
  open(): Promise<void>;
  /** Says that this one is gone. */
  close(): Promise<void>;
}

const beatMs = 2_000;

/** Without a beat for as long, a gateway is gone: no pause or slow answer takes that long. */
const goneAfterMs = 10_000;

/** By the clock of Redis, since those of gateways may differ. */
const beatScript = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zadd', KEYS[1], now, ARGV[1])
redis.call('zremrangebyscore', KEYS[1], '-inf', now - ARGV[2])
redis.call('pexpire', KEYS[1], ARGV[2])
return redis.call('zcard', KEYS[1])
`;

/** Counts the gateways by a sorted set called `name`. While Redis fails, the number stays. */
export function countGateways(
  redis: Redis,
  { clock, name }: { readonly clock: Clock; readonly name: string },
): Gateways {
  const self = randomUUID();
  let seen = 1;
  let cancelTimer: (() => void) | undefined;

  async function beat(): Promise<void> {
    try {
      const counted = await redis.eval(beatScript, 1, name, self, goneAfterMs);
      seen = Math.max(1, Number(counted));
    } catch {
      // `watchRedis` reports what is wrong with the connection.
    }
  }

  function beatLater(): void {
    cancelTimer = clock.after(beatMs, () => {
      void beat();
      beatLater();
    });
  }

  return {
    get seen() {
      return seen;
    },
    beat: () => void beat(),
    async open() {
      await beat();
      beatLater();
    },
    async close() {
      cancelTimer?.();
      await redis.zrem(name, self).catch(() => undefined);
    },
  };
}
