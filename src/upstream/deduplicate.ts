/** Deduplication: the same call within one request happens once. */
import type { Call, Policy, Reply } from './call.ts';
import { isShareable } from './call.ts';
import { keyOf } from './key.ts';

/** One instance serves one request: what it remembers ends with it. */
export function deduplicate(): Policy {
  return (next) => {
    const known = new Map<string, { reply: Promise<Reply>; waiters: Call[] }>();
    return (call) => {
      if (!isShareable(call)) return next(call);
      const key = keyOf(call);
      const twin = known.get(key);
      if (twin !== undefined) {
        twin.waiters.push(call);
        return twin.reply.then((shared) => ({ ...shared, deduplicated: true }));
      }
      const waiters = [call];
      const reply = next({ ...call, key, waiters });
      known.set(key, { reply, waiters });
      return reply;
    };
  };
}
