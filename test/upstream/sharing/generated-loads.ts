/** Generated loads of several clients, a service that answers them, and what each must be given. */
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { UpstreamError } from '../../../src/errors.ts';
import { AbortSource } from '../../../src/signal.ts';
import type { AbortListener, Signal } from '../../../src/signal.ts';
import { cache } from '../../../src/upstream/caching/cache.ts';
import { createMemoryStore } from '../../../src/upstream/caching/memory-store.ts';
import { callError } from '../../../src/upstream/call.ts';
import type { Dispatch, Reply } from '../../../src/upstream/call.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import { deduplicate } from '../../../src/upstream/sharing/deduplicate.ts';
import type { Load } from '../../../src/upstream/sharing/load.ts';
import { openLoad } from '../../../src/upstream/sharing/open-load.ts';
import { single } from '../../../src/upstream/sharing/single.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { callOf, nowhere, ok, turn } from '../../support/upstream-calls.ts';

/** A signal that knows its listeners. */
class OpenSignal implements Signal {
  readonly #source = new AbortSource();
  readonly listeners = new Set<AbortListener>();

  get aborted(): boolean {
    return this.#source.aborted;
  }

  get reason(): unknown {
    return this.#source.reason;
  }

  throwIfAborted(): void {
    this.#source.throwIfAborted();
  }

  addEventListener(type: 'abort', listener: AbortListener): void {
    this.listeners.add(listener);
    this.#source.addEventListener(type, listener);
  }

  removeEventListener(type: 'abort', listener: AbortListener): void {
    this.listeners.delete(listener);
    this.#source.removeEventListener(type, listener);
  }

  abort(reason: unknown): void {
    this.listeners.clear();
    this.#source.abort(reason);
  }
}

export const knownKeys = ['a', 'b', 'c', 'd', 'e'];
export const longestDelayMs = 4;

/** Of a lookup with `single`, `concurrency` is not `null`, and the others say nothing. */
const limits = fc
  .record({
    max: fc.integer({ min: 1, max: 4 }),
    windowMs: fc.constantFrom(0, 0, 2),
    concurrency: fc.constantFrom(null, null, null, 2, 50),
  })
  .map((one) => (one.concurrency === null ? one : { ...one, max: 1, windowMs: 0 }));

export const situations = fc.record({
  limits,
  lookup: fc.record({
    coalesce: fc.boolean(),
    many: fc.boolean(),
    missing: fc.constantFrom('null', 'error'),
    isCached: fc.boolean(),
  }),
  /** Of keys, whoever asks for them. */
  faults: fc.dictionary(
    fc.constantFrom(...knownKeys),
    fc.constantFrom('absent', 'invalid', 'twice'),
  ),
  /** Calls with this argument fail for this client. */
  failing: fc.option(
    fc.record({ tag: fc.constantFrom('x', 'y'), who: fc.constantFrom('anna', 'bert') }),
  ),
  clients: fc.array(
    fc.record({
      who: fc.constantFrom('anna', 'bert'),
      leavesAtMs: fc.option(fc.nat(8)),
      loads: fc.array(
        fc.record({
          atMs: fc.nat(6),
          tag: fc.constantFrom('x', 'x', 'x', 'y'),
          keys: fc.array(fc.constantFrom(...knownKeys, ...knownKeys, 'unknown', '', null, 'p,q'), {
            minLength: 1,
            maxLength: 6,
          }),
          failsAtOnce: fc.boolean(),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

type Situation = typeof situations extends fc.Arbitrary<infer T> ? T : never;
type Client = Situation['clients'][number];

const Item = z.object({ id: z.string(), who: z.string(), tag: z.string(), number: z.int() });

export function lookupOf(situation: Situation): Operation {
  const { isCached, ...options } = situation.lookup;
  const { max, windowMs, concurrency } = situation.limits;
  const requests =
    concurrency === null
      ? ({ route: 'GET /items', keys: { query: 'ids' }, max, windowMs } as const)
      : ({ single: 'GET /items/:id', concurrency } as const);
  return lookup(nowhere, {
    name: 'itemOf',
    ...requests,
    by: 'id',
    item: Item,
    query: z.object({ tag: z.string() }),
    forward: ['authorization'],
    ...options,
    ...(isCached && { cache: { ttlMs: 60_000 } }),
  });
}

/** A client and the keys that it asks for, not all of which can be asked for. */
interface Asking {
  readonly who: string;
  readonly tag: string;
  readonly key: string | null;
}

interface Asked extends Asking {
  readonly key: string;
}

/** The items that the service has for a key. */
function itemsFor({ faults, lookup: { many } }: Situation, { who, tag, key }: Asked): unknown[] {
  if (!knownKeys.includes(key) || faults[key] === 'absent') return [];
  const count = faults[key] === 'twice' ? 2 : 1;
  const number = faults[key] === 'invalid' ? 'none' : 1;
  const items = Array.from({ length: count }, () => ({ id: key, who, tag, number }));
  return many ? [...items, ...items] : items;
}

/** One client asks for whatever there is, with no faults. */
export const plain: Situation = {
  limits: { max: 100, windowMs: 0, concurrency: null },
  lookup: {
    coalesce: true,
    many: false,
    missing: 'null',
    isCached: false,
  },
  faults: {},
  failing: null,
  clients: [],
};

/** The answer that a client gets for a key on its own. */
function resultAlone(situation: Situation, { who, tag, key }: Asking): unknown {
  const { failing, faults, limits: own } = situation;
  const { many, missing } = situation.lookup;
  if (key === null || key === '') return 'invalid-argument';
  if (own.concurrency === null && key.includes(',')) return 'invalid-argument';
  if (failing?.tag === tag && failing.who === who) return 'status';
  const items = itemsFor(situation, { who, tag, key });
  if (items.length === 0 && missing === 'error') return 'missing';
  if (items.length > 0 && faults[key] === 'invalid') return 'invalid-body';
  return many ? items : (items[0] ?? null);
}

/** The result of a load for a key: a value, or the kind of its failure. */
export function resultAt({ failures, values }: Load, index: number): unknown {
  if (failures?.has(index) !== true) return values[index];
  const error = failures.get(index);
  return error instanceof UpstreamError ? error.kind : error;
}

export const left = new Error('the client has left');

interface Sent {
  readonly dispatch: Dispatch;
  readonly atMs: number;
  /** The keys that were under way already. */
  readonly again: readonly unknown[];
}

/** All that loads of one gateway share, with a service in this process. */
export function startSharing(situation: Situation, own: Operation) {
  const clock = createFakeClock();
  const sent: Sent[] = [];
  const underWay = new Set<Dispatch>();
  const mostKeys = 200;

  async function send(dispatch: Dispatch): Promise<Reply> {
    const known = [...underWay].filter(({ key }) => key === dispatch.key);
    const again = known.flatMap(({ keys = [] }) =>
      keys.filter((key) => dispatch.keys?.includes(key)),
    );
    sent.push({ dispatch, atMs: clock.now(), again });
    underWay.add(dispatch);
    try {
      await answered(dispatch);
    } finally {
      underWay.delete(dispatch);
    }
    const [who, tag] = [dispatch.headers['authorization'] ?? '', String(dispatch.args['tag'])];
    if (situation.failing?.tag === tag && situation.failing.who === who)
      throw callError(dispatch, 'status', 'answered 500', { status: 500 });
    const keys = dispatch.keys ?? [];
    const value = keys.flatMap((key) => itemsFor(situation, { who, tag, key: String(key) }));
    return { ...ok, value };
  }

  function answered({ signal, keys = [] }: Dispatch): Promise<void> {
    const delayMs = 1 + (keys.join().length % longestDelayMs);
    return new Promise((resolve, reject) => {
      const cancel = clock.after(delayMs, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        reject(signal.reason);
      });
    });
  }

  const caching = cache({
    store: createMemoryStore({ clock }),
    clock,
    onRefreshError: () => undefined,
  });
  const sendLoad = caching.load(single(batch(clock, send, { mostKeys })));

  /** The way of one client to the service. */
  function openClient(who: string) {
    const signal = new OpenSignal();
    const headers = { authorization: who };
    const { caller } = callOf(own, {}, { signal });
    const once = deduplicate({ send: () => expect.fail('only loads are sent'), sendLoad });
    const load = (tag: string, keys: readonly unknown[], failsAtOnce = false): Load => {
      const rest = { headers, signal, caller, createdAt: clock.now() };
      return openLoad({ call: callOf(own, { tag }, rest), keys, failsAtOnce }, once.sendLoad);
    };
    return { signal, load };
  }

  /** Lets time pass until nothing is left to happen. */
  async function finish(): Promise<void> {
    for (await settled(); clock.pending > 0; await settled()) clock.advanceToNext();
  }

  return { clock, sent, underWay, mostKeys, openClient, finish };
}

type Sharing = ReturnType<typeof startSharing>;

/** Loads are collected in one turn of the event loop, and sent at its end. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await turn();
}

/** A load, and when it began and was done. */
interface Observed extends Pick<Client, 'who' | 'leavesAtMs'> {
  readonly tag: string;
  readonly load: Load;
  readonly openedAtMs: number;
  doneAtMs: number;
}

/** Runs all clients; what they have loaded, and their signals. */
export async function runClients({ clients }: Situation, { clock, openClient, finish }: Sharing) {
  const observed: Observed[] = [];
  const signals: OpenSignal[] = [];
  for (const { who, leavesAtMs, loads } of clients) {
    const { signal, load: open } = openClient(who);
    signals.push(signal);
    for (const { atMs, tag, keys, failsAtOnce } of loads)
      clock.after(atMs, () => {
        const load = open(tag, keys, failsAtOnce);
        const one = { who, leavesAtMs, tag, load, openedAtMs: clock.now(), doneAtMs: Infinity };
        void load.done.then(() => (one.doneAtMs = clock.now()));
        observed.push(one);
      });
    if (leavesAtMs !== null) clock.after(leavesAtMs, () => signal.abort(left));
  }
  await finish();
  return { observed, signals };
}

/** When a load is done at the latest, unless its client leaves. */
export function latestMs({ limits: own, clients }: Situation, { openedAtMs }: Observed): number {
  const { windowMs, concurrency } = own;
  if (concurrency === null) return openedAtMs + windowMs + longestDelayMs;
  const counts = clients.map(({ loads }) => loads.flatMap(({ keys }) => keys).length);
  return openedAtMs + Math.ceil(Math.max(...counts) / concurrency) * longestDelayMs;
}

export function expectedOf(situation: Situation, { who, tag, load }: Observed): readonly unknown[] {
  return load.keys.map((key) => resultAlone(situation, { who, tag, key: key as Asking['key'] }));
}
