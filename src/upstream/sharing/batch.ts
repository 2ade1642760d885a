/** Batching: all loads of one turn of the event loop, of all client requests, share requests. */
import DataLoader from 'dataloader';
import type { Clock } from '../../clock.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import type { Operation } from '../../dsl/operation.ts';
import { runAtMost } from '../../limit.ts';
import type { Dispatch, OnJoin, Send } from '../call.ts';
import { callError } from '../call.ts';
import type { BatchFlight } from './batch-flight.ts';
import { settleFailed } from './failed-batch.ts';
import type { Asked, Load, SendLoad } from './load.ts';
import { createPacker } from './pack.ts';
import type { FlightsByName } from './pack.ts';

/** The collected and the sent loads that differ in nothing but their keys. */
interface Lane {
  readonly loader: DataLoader<Asked, Asked>;
  /** The batches with keys under way, by the names of the keys. */
  readonly underWay: FlightsByName;
  collecting: number;
}

export interface BatchOptions {
  /** The most keys that may be under way at once. */
  readonly mostKeys?: number;
  /** The longest path prefix of the addresses of an operation's service. */
  readonly prefixOf?: (operation: Operation) => string;
  /** The bytes that credentials add to the request line. Default: none. */
  readonly extraBytes?: (operation: Operation) => number;
  /** Takes a retry out of the budget of the operation's service. Default: there is none left. */
  readonly withdraw?: (operation: Operation) => boolean;
  readonly onJoin?: OnJoin | undefined;
}

/**
 * Collects the loads of all client requests that differ in nothing but their keys, and sends
 * `ceil(distinct keys / max)` requests for them, or more if long keys would exceed the bound on
 * bytes. A key that is already under way is joined instead.
 *
 * DataLoader collects: its keys are whole loads, `batchScheduleFn` says when the collection ends,
 * and the batch function packs the distinct keys into batches. It returns the loads at once, and
 * each key is settled when its own batch is answered, so that no load waits for the batches of
 * another. DataLoader's cache is off: it would answer a hit together with the batch that is being
 * collected, which may have to wait for the keys of others.
 *
 * Batches are sent by `setImmediate`, at the end of a turn of the event loop: requests that arrived
 * in the same turn are each read by a callback of their own.
 *
 * At most `mostKeys` keys are under way; further keys fail with the kind `overloaded`.
 */
export function batch(
  clock: Clock,
  next: Send<Dispatch>,
  {
    mostKeys = 50_000,
    prefixOf = () => '',
    extraBytes = () => 0,
    withdraw = () => false,
    onJoin,
  }: BatchOptions = {},
): SendLoad {
  const { pack, isOneRequest } = createPacker(prefixOf, extraBytes);
  const onFailure = settleFailed({ next, clock, withdraw, isOneRequest, onJoin });
  /** By the `key` that the calls of their loads have in common. */
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

  /** Never rejects: if a batch fails, its keys do. */
  async function send(
    lane: Lane,
    name: string,
    asked: readonly Asked[],
  ): Promise<readonly Asked[]> {
    let collected = 0;
    for (const { indexes } of asked) collected += indexes.length;
    lane.collecting -= collected;
    // The batches of an operation that is not to be coalesced can be found by these loads only.
    const isShared = asked[0]?.load.call.operation.coalesce === true;
    const batches = pack(asked, isShared ? lane.underWay : new Map());
    for (const { size } of batches) keys += size;
    keys -= collected;
    const [first] = batches;
    if (first === undefined) closeWhenIdle(lane, name);
    else {
      const { concurrency } = first.operation.service.bulkhead;
      // A page of a thousand keys must not take all permits of the bulkhead.
      runAtMost(
        Math.ceil(concurrency / 2),
        batches.map((one) => async () => {
          const failure = await one.send(next, onJoin);
          closeWhenIdle(lane, name);
          if (failure === undefined) keys -= one.size;
          // Other batches need not wait until the parts of a rejected one are answered.
          else void onFailure(one, failure).then(() => (keys -= one.size));
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
    const rest = operation.coalesce
      ? joinUnderWay(lane, load, indexes, { clock, onJoin })
      : indexes;
    // Keys that a cache has answered meanwhile stay answered, whatever becomes of the rest.
    if (operation.cache === undefined) load.relate(indexes);
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

/** Joins the keys that are under way where that is allowed, and returns the others. */
function joinUnderWay(
  { underWay }: Lane,
  load: Load,
  indexes: readonly number[],
  { clock, onJoin }: { readonly clock: Clock; readonly onJoin: OnJoin | undefined },
): readonly number[] {
  if (underWay.size === 0) return indexes;
  const now = clock.now();
  // Most loads join with all of their keys or with none.
  let rest: number[] | undefined;
  let latest: BatchFlight | undefined;
  for (let at = 0; at < indexes.length; at += 1) {
    const index = indexes[at] ?? 0;
    const known = underWay.get(load.names[index] ?? '');
    const isJoined = known?.mayBeJoined(load.call, now) === true;
    if (isJoined) {
      known.addTo(load, index);
      if (known !== latest) onJoin?.(load.call, (latest = known));
      rest ??= indexes.slice(0, at);
    } else rest?.push(index);
  }
  return rest ?? indexes;
}
