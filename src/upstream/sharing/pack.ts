/** Packing: puts the keys of loads into as few requests as the limits on their size allow. */
import { bytesOfKey, bytesWithoutKeys, mostBytesOfKeys } from '../../dsl/key-bytes.ts';
import { moreBytesOfLimit } from '../../dsl/lookup-limit.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import type { Operation } from '../../dsl/operation.ts';
import type { Call } from '../call.ts';
import { bodyOf, targetWithQuery } from '../exchange/request.ts';
import { BatchFlight } from './batch-flight.ts';
import type { Asked, Load } from './load.ts';

/** The batches with keys under way, by the names of the keys. */
export type FlightsByName = Map<string, BatchFlight>;

/**
 * Packs the distinct keys into batches of at most `max` keys, and of at most `maxBytes` in the
 * request line or body that contains them. A key that is too large alone gets a batch of its own.
 *
 * If one batch is not enough, small loads go first: none waits behind a large one.
 */
export type Pack = (asked: readonly Asked[], flights: FlightsByName) => readonly BatchFlight[];

export interface Packer {
  readonly pack: Pack;
  /** Whether the keys fit in one request. */
  isOneRequest(asked: Asked): boolean;
}

/**
 * `prefixOf`: the longest path prefix of the addresses of an operation's service. `extraBytes`:
 * those that credentials add to the request line.
 */
export function createPacker(
  prefixOf: (operation: Operation) => string,
  extraBytes: (operation: Operation) => number = () => 0,
): Packer {
  /** The latest result for each operation: successive calls mostly have equal other arguments. */
  const latest = new WeakMap<Operation, { readonly name: string; readonly bytes: number }>();

  function emptyBytes(call: Call, lookup: Lookup): number {
    const { operation, key: name = '' } = call;
    const before = latest.get(operation);
    if (before?.name === name) return before.bytes;
    const { target, body } = withoutKeys(call);
    const known = bytesWithoutKeys(lookup, {
      method: operation.route.method,
      target: prefixOf(operation) + target,
      body,
    });
    const bytes =
      lookup.keys.kind === 'body'
        ? known
        : known + moreBytesOfLimit(lookup.limit, lookup.max) + extraBytes(operation);
    latest.set(operation, { name, bytes });
    return bytes;
  }

  const pack: Pack = function packKeys(asked, flights) {
    const [first] = asked;
    const lookup = first?.load.call.operation.lookup;
    if (first === undefined || lookup === undefined) return [];
    const empty = emptyBytes(first.load.call, lookup);
    const isOne = fitsInOne(asked, lookup, empty);
    const packing = new Packing(lookup, flights, isOne ? undefined : empty);
    const inOrder = isOne ? asked : asked.toSorted((a, b) => a.indexes.length - b.indexes.length);
    for (const one of inOrder) packing.addAll(one);
    return packing.batches;
  };

  function isOneRequest({ load, indexes }: Asked): boolean {
    const { lookup } = load.call.operation;
    if (lookup === undefined || indexes.length > lookup.max) return false;
    const bytes = emptyBytes(load.call, lookup);
    return bytes + bytesOfKeys(lookup, { load, indexes }) <= lookup.maxBytes;
  }

  return { pack, isOneRequest };
}

class Packing {
  readonly batches: BatchFlight[] = [];
  readonly #lookup: Lookup;
  readonly #flights: FlightsByName;
  /** The bytes of a request without keys; `undefined` if all keys fit in one request. */
  readonly #empty: number | undefined;
  /** The batch that takes more, and its bytes. */
  #open: BatchFlight | undefined;
  #bytes = 0;

  constructor(lookup: Lookup, flights: FlightsByName, empty: number | undefined) {
    this.#lookup = lookup;
    this.#flights = flights;
    this.#empty = empty;
  }

  addAll({ load, indexes }: Asked): void {
    // By index: iterating over a frozen array makes V8 allocate an object for every step.
    for (let at = 0; at < indexes.length; at += 1) {
      const index = indexes[at] ?? 0;
      if (!load.isSettled(index)) this.#add(load, index);
    }
  }

  #add(load: Load, index: number): void {
    const known = this.#flights.get(load.names[index] ?? '');
    if (known?.isOpen === true) known.addTo(load, index);
    else this.#batchFor(load, index).add(load, index);
  }

  #batchFor(load: Load, index: number): BatchFlight {
    const { max, maxBytes } = this.#lookup;
    const empty = this.#empty ?? 0;
    const own = this.#empty === undefined ? 0 : bytesOfKey(this.#lookup, load.keys[index]);
    if (empty + own > maxBytes) return this.#begin(load);
    if (this.#open === undefined || this.#open.size >= max || this.#bytes + own > maxBytes) {
      this.#open = this.#begin(load);
      this.#bytes = empty;
    }
    this.#bytes += own;
    return this.#open;
  }

  #begin(load: Load): BatchFlight {
    const batch = new BatchFlight(load.call, this.#lookup, this.#flights);
    this.batches.push(batch);
    return batch;
  }
}

/** The bytes that keys add to a request. */
function bytesOfKeys(lookup: Lookup, { load, indexes }: Asked): number {
  let bytes = 0;
  for (const index of indexes) bytes += bytesOfKey(lookup, load.keys[index]);
  return bytes;
}

/** Whether all keys fit in one request, where their texts are not what is sent. */
function fitByBytes(asked: readonly Asked[], lookup: Lookup, empty: number): boolean {
  let count = 0;
  let bytes = empty;
  for (const one of asked) {
    count += one.indexes.length;
    bytes += bytesOfKeys(lookup, one);
  }
  return count <= lookup.max && bytes <= lookup.maxBytes;
}

/** Whether all keys certainly fit in one request, by their number and length alone. */
function fitsInOne(asked: readonly Asked[], lookup: Lookup, empty: number): boolean {
  if (!lookup.isPlain) return fitByBytes(asked, lookup, empty);
  let count = 0;
  let characters = 0;
  for (const { load, indexes } of asked) {
    count += indexes.length;
    for (let at = 0; at < indexes.length; at += 1)
      characters += load.texts[indexes[at] ?? 0]?.length ?? 0;
  }
  return (
    count <= lookup.max && empty + mostBytesOfKeys(lookup, count, characters) <= lookup.maxBytes
  );
}

/** Its request; empty if the arguments do not fit their schemas, since it is never sent then. */
function withoutKeys({ operation, args }: Call): { target: string; body: string | Buffer | null } {
  const call = { operation, args, keys: [] };
  try {
    return { target: targetWithQuery(call), body: bodyOf(call)?.content ?? null };
  } catch {
    return { target: '', body: null };
  }
}
