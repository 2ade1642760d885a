/** Counts requests in the memory of this process. */
import type { Clock } from '../../clock.ts';
import { LRUCache } from '../../lru.ts';
import type { LimitStore, Rule, Subject, Taken } from './limit-store.ts';

export interface MemoryLimitsOptions {
  readonly clock: Clock;
  /** The most windows of addresses, and of principals, that are kept. Default 100,000. */
  readonly mostWindows?: number;
}

export interface MemoryLimits extends LimitStore {
  /** Like `limiterFor`, and at most `most` of the rule's limit is taken. */
  take(rule: Rule, subject: Subject, share: Share): Taken;
  /** How many windows are kept. */
  readonly windows: number;
}

export interface Share {
  readonly cost: number;
  readonly most: number;
}

/** A fixed window: it begins with the first request. */
interface Window {
  used: number;
  readonly endsAt: number;
}

/**
 * When there are too many windows, it drops the least recently used ones: then their subjects begin
 * anew. Principals have windows of their own, so that a flood of addresses does not drop those.
 */
export function createMemoryLimits(options: MemoryLimitsOptions): MemoryLimits {
  const { clock, mostWindows = 100_000 } = options;
  const windows = {
    address: new LRUCache<string, Window>({ max: mostWindows }),
    principal: new LRUCache<string, Window>({ max: mostWindows }),
  };

  function windowOf(rule: Rule, { kind, id }: Subject, now: number): Window {
    const key = `${rule.id}\n${id}`;
    const found = windows[kind].get(key);
    if (found !== undefined && now < found.endsAt) return found;
    const begun = { used: 0, endsAt: now + rule.windowS * 1_000 };
    windows[kind].set(key, begun);
    return begun;
  }

  function take(rule: Rule, subject: Subject, { cost, most }: Share): Taken {
    const now = clock.now();
    const window = windowOf(rule, subject, now);
    const isAdmitted = window.used + cost <= most;
    if (isAdmitted) window.used += cost;
    const { name, limit, windowS } = rule;
    const remaining = Math.max(0, most - window.used);
    return { name, limit, windowS, isAdmitted, remaining, resetMs: window.endsAt - now };
  }

  return {
    take,
    limiterFor: (rule) =>
      function takeInMemory(subject, cost) {
        return take(rule, subject, { cost, most: rule.limit });
      },
    get windows() {
      return windows.address.size + windows.principal.size;
    },
    async close() {
      windows.address.clear();
      windows.principal.clear();
    },
  };
}
