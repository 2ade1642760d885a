/** Batching: the loads of one turn of the event loop, of any client requests, become few requests. */
import DataLoader from 'dataloader';
import type { Clock } from '../../clock.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import { runAtMost } from '../../limit.ts';
import type { Dispatch, Send } from '../call.ts';
import { callError } from '../call.ts';
import { BatchFlight } from './batch-flight.ts';
import type { Load, SendLoad } from './load.ts';

/** Keys of a load that have to be asked for. */
interface Asked {
  readonly load: Load;
  readonly indexes: readonly number[];
}

/** Loads that differ in nothing but their keys: those being collected, and those under way. */
interface Lane {
  readonly loader: DataLoader<Asked, Asked>;
  /** By the names of their keys. */
  readonly underWay: Map<string, BatchFlight>;
  collecting: number;
}

/**
 * Collects the loads of all requests that differ in nothing but their keys, and sends
 * `ceil(distinct keys / max)` requests for them. A key that is under way already is joined instead.
 *
 * DataLoader does the collecting: a load is one of its keys, its batch ends when `batchScheduleFn`
 * says so, and its batch function packs all distinct keys into requests and hands the loads out at
 * once, each to be settled key by key: no load waits for the requests of another. Its own cache is off:
 * a hit there is answered with the batch that is open just then, which may wait for somebody else's keys.
 *
 * A batch is sent by `setImmediate`: requests that arrived in the same turn are each read by a callback
 * of their own, and the loads these start are only complete when the turn ends.
 *
 * At most `mostKeys` are under way at once; beyond that keys fail with the kind `overloaded`.
 */
export function batch(clock: Clock, next: Send<Dispatch>, mostKeys = 50_000): SendLoad {
  /** By the key that their loads' calls have in common. */
  const lanes = new Map<string, Lane>();
  let keys = 0;

  function openLane(name: string, lookup: Lookup): Lane {
    const loader = new DataLoader<Asked, Asked>((asked) => send(lane, name, asked), {
      cache: false,
      batchScheduleFn(dispatch) {
        if (lookup.windowMs === 0) setImmediate(dispatch);
        else clock.after(lookup.windowMs, dispatch);
      },
    });
    const lane: Lane = { loader, underWay: new Map(), collecting: 0 };
    lanes.set(name, lane);
    return lane;
  }

  /** Never rejects: the errors of a request are those of its keys. */
  async function send(
    lane: Lane,
    name: string,
    asked: readonly Asked[],
  ): Promise<readonly Asked[]> {
    let collected = 0;
    for (const { indexes } of asked) collected += indexes.length;
    lane.collecting -= collected;
    const batches = pack(lane, asked, collected);
    for (const { size } of batches) keys += size;
    keys -= collected;
    const [first] = batches;
    if (first === undefined) closeWhenIdle(lane, name);
    else {
      const { concurrency } = first.operation.service.bulkhead;
      // A page of a thousand keys is not to take all places of a service.
      runAtMost(
        Math.ceil(concurrency / 2),
        batches.map((one) => async () => {
          await one.send(next);
          keys -= one.size;
          closeWhenIdle(lane, name);
        }),
      );
    }
    return asked;
  }

  function closeWhenIdle(lane: Lane, name: string): void {
    if (lane.collecting === 0 && lane.underWay.size === 0 && lanes.get(name) === lane)
      lanes.delete(name);
  }

  return function sendBatched(load, indexes) {
    const { key: name = '', operation } = load.call;
    const { lookup } = operation;
    if (lookup === undefined || load.call.signal.aborted) return;
    const lane = lanes.get(name) ?? openLane(name, lookup);
    const rest = operation.coalesce ? joinThoseUnderWay(lane, load, indexes, clock) : indexes;
    const room = Math.max(0, mostKeys - keys);
    const taken = rest.length <= room ? rest : rest.slice(0, room);
    if (taken.length < rest.length) {
      const message = `has ${mostKeys} different calls in flight`;
      load.failAll(rest.slice(room), callError(load.call, 'overloaded', message));
    }
    if (taken.length === 0) return closeWhenIdle(lane, name);
    keys += taken.length;
    lane.collecting += taken.length;
    void lane.loader.load({ load, indexes: taken });
  };
}

/** The keys that are not under way, or must not be waited for. */
function joinThoseUnderWay(
  { underWay }: Lane,
  load: Load,
  indexes: readonly number[],
  clock: Clock,
): readonly number[] {
  if (underWay.size === 0) return indexes;
  const now = clock.now();
  // Most loads join with all of their keys, or with none.
  let rest: number[] | undefined;
  for (let at = 0; at < indexes.length; at += 1) {
    const index = indexes[at] ?? 0;
    const known = underWay.get(load.names[index] ?? '');
    const isJoined = known?.mayBeJoined(load.call, now) === true;
    if (isJoined) {
      known.addTo(load, index);
      rest ??= indexes.slice(0, at);
    } else rest?.push(index);
  }
  return rest ?? indexes;
}

/** Distinct keys, `max` to a batch, in the order of their loads. */
function pack(lane: Lane, asked: readonly Asked[], count: number): readonly BatchFlight[] {
  const [first] = asked;
  const lookup = first?.load.call.operation.lookup;
  if (first === undefined || lookup === undefined) return [];
  const isFound = first.load.call.operation.coalesce;
  const names = isFound ? lane.underWay : new Map<string, BatchFlight>();
  // Where one batch is not enough, no small load is to wait behind a large one.
  const inOrder =
    count <= lookup.max ? asked : asked.toSorted((a, b) => a.indexes.length - b.indexes.length);
  const batches: BatchFlight[] = [];
  for (const { load, indexes } of inOrder) {
    for (const index of indexes) {
      if (load.isSettled(index)) continue;
      const known = names.get(load.names[index] ?? '');
      if (known?.isOpen === true) known.addTo(load, index);
      else batchWithRoom(batches, lookup, { load, names }).add(load, index);
    }
  }
  return batches;
}

/** The last of `batches`, or another one when that is full. */
function batchWithRoom(
  batches: BatchFlight[],
  lookup: Lookup,
  { load, names }: { readonly load: Load; readonly names: Map<string, BatchFlight> },
): BatchFlight {
  const last = batches.at(-1);
  if (last !== undefined && last.size < lookup.max) return last;
  const opened = new BatchFlight(load.call, lookup, names);
  batches.push(opened);
  return opened;
}
