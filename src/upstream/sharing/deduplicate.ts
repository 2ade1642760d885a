/**
 * Deduplication: a client request makes equal calls, and asks a lookup for equal keys, only once
 * until it makes an unsafe call.
 */
import { frozen } from '../../frozen.ts';
import type { Call, OnJoin, Reply, Send } from '../call.ts';
import { noteWrite } from './after-write.ts';
import type { Asked, Load, LoadKey, SendLoad } from './load.ts';

/** How to send a call, and how to send a load. */
export interface Senders {
  readonly send: Send;
  readonly sendLoad: SendLoad;
}

interface KnownCall {
  readonly call: Call;
  readonly reply: Promise<Reply>;
}

/** The earlier loads that differ in nothing but their keys. */
interface KnownLoads {
  readonly first: { readonly load: Load; readonly indexes: readonly number[] };
  /** The keys of all of them, by text. Made for the second load, since most requests have one. */
  keys: Map<string, LoadKey> | undefined;
}

/** Each client request has its own instance, which keeps all replies until the request ends. */
export function deduplicate(next: Senders, onJoin?: OnJoin): Senders {
  // Made when needed: most requests need one of them at most.
  let calls: Map<string, KnownCall> | undefined;
  let loads: Map<string, KnownLoads> | undefined;

  /** Forgets all replies after an unsafe call: even a failed one may have changed something. */
  function write(call: Call): Promise<Reply> {
    return next.send(call).finally(() => {
      noteWrite(call.caller);
      calls?.clear();
      loads?.clear();
    });
  }

  return {
    send: function sendOnce(call) {
      if (call.key === undefined) return write(call);
      const known = (calls ??= new Map()).get(call.key);
      if (known !== undefined) return follow(known, call, onJoin);
      const reply = next.send(call);
      calls.set(call.key, { call, reply });
      return reply;
    },

    sendLoad: function sendKeysOnce(load, indexes) {
      const { key = '' } = load.call;
      const known = (loads ??= new Map()).get(key);
      if (known === undefined) {
        loads.set(key, { first: { load, indexes }, keys: undefined });
        return next.sendLoad(load, indexes);
      }
      known.keys ??= keysOf(known.first);
      const rest = followKnown(known.keys, { load, indexes }, onJoin);
      if (rest.length > 0) next.sendLoad(load, rest);
    },
  };
}

async function follow(known: KnownCall, call: Call, onJoin?: OnJoin): Promise<Reply> {
  const { followers } = known.call;
  (followers.calls ??= []).push(call);
  if (followers.flight !== undefined) onJoin?.(call, followers.flight);
  const reply = await known.reply;
  frozen(reply.value);
  return { ...reply, deduplicated: true };
}

function keysOf({ load, indexes }: KnownLoads['first']): Map<string, LoadKey> {
  const keys = new Map<string, LoadKey>();
  for (const index of indexes) {
    const text = load.texts[index] ?? '';
    if (!keys.has(text)) keys.set(text, { load, index });
  }
  return keys;
}

/** Lets keys follow equal keys of earlier loads of the request, and returns the others. */
function followKnown(
  keys: Map<string, LoadKey>,
  { load, indexes }: Asked,
  onJoin: OnJoin | undefined,
): readonly number[] {
  const rest: number[] = [];
  for (const index of indexes) {
    const text = load.texts[index] ?? '';
    const known = keys.get(text);
    if (known !== undefined) {
      const flight = onJoin && known.load.flightOf(known.index);
      if (flight !== undefined) onJoin?.(load.call, flight);
      known.load.follow(known.index, { load, index });
    } else {
      keys.set(text, { load, index });
      rest.push(index);
    }
  }
  return rest;
}
