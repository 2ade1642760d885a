/** Deduplication: the same call within one request happens once, until that request changes something. */
import type { Call, Policy, Reply } from '../call.ts';
import { isShareable } from '../call.ts';
import { frozen } from '../../frozen.ts';
import { keyOf } from './key.ts';

/** One instance serves one request: what it remembers ends with it. */
export function deduplicate(): Policy {
  return (next) => {
    const known = new Map<string, Known>();
    let hasWritten = false;

    return (call) => {
      if (!isShareable(call)) return write(call);
      // On the call itself: a copy of each would be a fifth of what a lookup in flight takes.
      call.key = keyOf(call);
      call.fresh = hasWritten;
      const twin = known.get(call.key);
      if (twin !== undefined) return join(twin, call);
      const reply = next(call);
      known.set(call.key, { call, reply });
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

interface Known {
  readonly call: Call;
  readonly reply: Promise<Reply>;
}

async function join(twin: Known, call: Call): Promise<Reply> {
  twin.call.twins?.push(call);
  const reply = await twin.reply;
  frozen(reply.value);
  return { ...reply, deduplicated: true };
}
