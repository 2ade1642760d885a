/** Deduplication: the same call within one request happens once, until that request changes something. */
import type { Call, Policy, Reply } from './call.ts';
import { isShareable } from './call.ts';
import { frozen } from './frozen.ts';
import { keyOf } from './key.ts';

/** One instance serves one request: what it remembers ends with it. */
export function deduplicate(): Policy {
  return (next) => {
    const known = new Map<string, { reply: Promise<Reply>; waiters: Call[] }>();
    let hasWritten = false;

    return (call) => {
      if (!isShareable(call)) return write(call);
      const key = keyOf(call);
      const twin = known.get(key);
      if (twin !== undefined) return join(twin, call);
      const waiters = [call];
      const reply = next({ ...call, key, waiters, fresh: hasWritten });
      known.set(key, { reply, waiters });
      return reply;
    };

    /** Whether it succeeded or not: what was read before may no longer be so. */
    function write(call: Call): Promise<Reply> {
      return next(call).finally(() => {
        hasWritten = true;
        known.clear();
      });
    }
  };
}

async function join(twin: { reply: Promise<Reply>; waiters: Call[] }, call: Call): Promise<Reply> {
  twin.waiters.push(call);
  const reply = await twin.reply;
  frozen(reply.value);
  return { ...reply, deduplicated: true };
}
