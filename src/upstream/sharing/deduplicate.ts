/**
 * Deduplication: the same call, or the same key of a lookup, is asked for once within a request, until
 * that request writes.
 */
import { frozen } from '../../frozen.ts';
import type { Call, Reply, Send } from '../call.ts';
import type { Load, SendLoad } from './load.ts';

/** The two ways to services: for a call, and for a load. */
export interface Ways {
  readonly send: Send;
  readonly sendLoad: SendLoad;
}

interface KnownCall {
  readonly call: Call;
  readonly reply: Promise<Reply>;
}

/** A key of a load. */
interface Place {
  readonly load: Load;
  readonly index: number;
}

/** The loads so far that differ in nothing but their keys. */
interface KnownLoads {
  readonly first: { readonly load: Load; readonly indexes: readonly number[] };
  /** By key; made for the second of the loads, since most have none. */
  places: Map<string, Place> | undefined;
}

/** One instance serves one request: it remembers all replies until the request ends. */
export function deduplicate(next: Ways): Ways {
  // Most requests have only one or none of the two.
  let calls: Map<string, KnownCall> | undefined;
  let loads: Map<string, KnownLoads> | undefined;

  /** Also after a failed write: it may have changed something. */
  function write(call: Call): Promise<Reply> {
    return next.send(call).finally(() => {
      call.caller.hasWritten = true;
      calls?.clear();
      loads?.clear();
    });
  }

  return {
    send: function sendOnce(call) {
      if (call.key === undefined) return write(call);
      const known = (calls ??= new Map()).get(call.key);
      if (known !== undefined) return follow(known, call);
      const reply = next.send(call);
      calls.set(call.key, { call, reply });
      return reply;
    },

    sendLoad: function sendKeysOnce(load, indexes) {
      const { key = '' } = load.call;
      const known = (loads ??= new Map()).get(key);
      if (known === undefined) {
        loads.set(key, { first: { load, indexes }, places: undefined });
        return next.sendLoad(load, indexes);
      }
      known.places ??= placesOf(known.first);
      const rest = followKnown(known.places, load, indexes);
      if (rest.length > 0) next.sendLoad(load, rest);
    },
  };
}

async function follow(known: KnownCall, call: Call): Promise<Reply> {
  known.call.followers.push(call);
  const reply = await known.reply;
  frozen(reply.value);
  return { ...reply, deduplicated: true };
}

function placesOf({ load, indexes }: KnownLoads['first']): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const index of indexes) {
    const text = load.texts[index] ?? '';
    if (!places.has(text)) places.set(text, { load, index });
  }
  return places;
}

/** The keys that no earlier load of the request has asked for. */
function followKnown(
  places: Map<string, Place>,
  load: Load,
  indexes: readonly number[],
): readonly number[] {
  const rest: number[] = [];
  for (const index of indexes) {
    const text = load.texts[index] ?? '';
    const known = places.get(text);
    if (known !== undefined) known.load.follow(known.index, { load, index });
    else {
      places.set(text, { load, index });
      rest.push(index);
    }
  }
  return rest;
}
