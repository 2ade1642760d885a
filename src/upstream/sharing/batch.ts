/** Batching: lookups of one turn of the event loop, of whatever requests, become few requests. */
import type { Clock } from '../../clock.ts';
import { isComplete, keyProblem, keyText, resultOf, toKept } from '../../dsl/lookup.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import { toError } from '../../errors.ts';
import { AbortSource } from '../../signal.ts';
import type { Call, Policy, Reply, Send } from '../call.ts';
import { callError } from '../call.ts';
import { frozen } from '../../frozen.ts';
import { batchKeyOf, keyOf } from './key.ts';
import { cacheControlOf, fieldOf, parseValue } from '../exchange/parse.ts';
import { Waiter, mayJoin } from './waiter.ts';
import type { Shared } from './waiter.ts';

/**
 * Collects the lookups of all requests that differ in their key only, and lets those join that ask for a
 * key which is under way. Calls of operations that are not lookups pass through.
 *
 * A batch has its own life. It is given up when all that wait for it have gone, and not before; those
 * who went before it was sent are not asked for. At most `mostKeys` are under way at once; beyond that
 * calls fail with the kind `overloaded`.
 */
export function batch(clock: Clock, mostKeys = 50_000): Policy {
  return (next) => {
    /** By what their calls have in common. */
    const collecting = new Map<string, Batch>();
    /** By `keyOf` each of their calls. */
    const underWay = new Map<string, Batch>();

    return (call) => {
      const { lookup, coalesce } = call.operation;
      if (lookup === undefined) return next(call);
      if (call.signal.aborted) return Promise.reject(call.signal.reason);
      const refusal = refusalOf(call, lookup);
      if (refusal !== undefined) return Promise.reject(refusal);
      if (!coalesce) return open(call, lookup).add(call, undefined);
      const key = keyOf(call);
      const known = underWay.get(key);
      if (known?.mayBeJoined(call, clock.now()) === true) return known.add(call, key);
      if (underWay.size >= mostKeys) {
        const message = `has ${mostKeys} different calls in flight`;
        return Promise.reject(callError(call, 'overloaded', message));
      }
      return open(call, lookup).add(call, key);
    };

    /** The batch that the next call like this one goes into. */
    function open(call: Call, lookup: Lookup): Batch {
      const name = batchKeyOf(call, lookup.by);
      const known = collecting.get(name);
      if (known !== undefined && known.size < lookup.max) return known;
      const opened = new Batch(lookup, underWay);
      collecting.set(name, opened);
      const close = (): void => {
        if (collecting.get(name) === opened) collecting.delete(name);
        opened.send(next);
      };
      // Requests that arrived in the same turn are each read by a callback of their own, and what those
      // start is only complete when the turn ends.
      if (lookup.windowMs === 0) setImmediate(close);
      else clock.after(lookup.windowMs, close);
      return opened;
    }
  };
}

/** One request for several keys, and those who wait for them; the signal of the call that sends it. */
class Batch extends AbortSource implements Shared {
  readonly #lookup: Lookup;
  readonly #underWay: Map<string, Batch>;
  /** Those who wait for each key, by its text: two forms of one key, 7 and "7", are one. */
  readonly #seats = new Map<string, [Seat, ...Seat[]]>();
  #waiters: Call[] = [];
  #left = 0;
  #isSent = false;
  #deadlineAt = 0;

  constructor(lookup: Lookup, underWay: Map<string, Batch>) {
    super();
    this.#lookup = lookup;
    this.#underWay = underWay;
  }

  get size(): number {
    return this.#seats.size;
  }

  mayBeJoined(call: Call, now: number): boolean {
    return !this.#isSent || mayJoin(call, this.#deadlineAt, now);
  }

  /** `foundBy`: what others find it by; `undefined`: they do not. */
  add(call: Call, foundBy: string | undefined): Promise<Reply> {
    if (foundBy !== undefined) this.#underWay.set(foundBy, this);
    const seat = new Seat(this, call, foundBy);
    const key = this.#keyOf(call);
    const taken = this.#seats.get(key);
    if (taken === undefined) this.#seats.set(key, [seat]);
    else taken.push(seat);
    this.#waiters.push(call);
    return seat.reply;
  }

  leave({ signal }: Call): void {
    this.#left += 1;
    const [first] = this.#waiters;
    // Somebody may still come before it is sent.
    if (!this.#isSent || this.#left < this.#waiters.length || first === undefined) return;
    // Whoever comes now has to be asked for anew.
    this.#end();
    const cause = signal.reason;
    this.abort(callError(first, 'aborted', 'nobody waits any more', { cause }));
  }

  send(next: Send): void {
    this.#isSent = true;
    this.#dropThoseWhoLeft();
    const calls = [...this.#seats.values()].map(([{ call }]) => call);
    const [first] = calls;
    if (first === undefined) return;
    for (const { deadlineAt } of this.#waiters) {
      this.#deadlineAt = Math.max(this.#deadlineAt, deadlineAt);
    }
    const keys = calls.map(({ args }) => args[this.#lookup.by]);
    const own = { signal: this, deadlineAt: this.#deadlineAt, waiters: this.#waiters };
    next({ ...first, ...own, keys }).then(
      (reply) => this.#distribute(reply),
      (error: unknown) => this.#fail(error),
    );
  }

  /** They are not asked for, and nobody finds them under way. */
  #dropThoseWhoLeft(): void {
    if (this.#left === 0) return;
    this.#left = 0;
    this.#waiters = this.#waiters.filter(({ signal }) => !signal.aborted);
    for (const [key, seats] of this.#seats) {
      const [first, ...others] = seats.filter(({ call }) => !call.signal.aborted);
      if (first === undefined) {
        this.#forget(seats);
        this.#seats.delete(key);
      } else if (others.length + 1 < seats.length) this.#seats.set(key, [first, ...others]);
    }
  }

  /** Gives every key its items. The order of items, and items nobody asked for, do not matter. */
  #distribute(reply: Reply): void {
    this.#end();
    const { by } = this.#lookup;
    const items = reply.value as readonly unknown[]; // the parser of replies gives lookups a list
    const byKey = Map.groupBy(items, (item) => keyText(fieldOf(item, by)));
    // An item without a readable key belongs to somebody, and nobody can tell to whom.
    const strays = byKey.has(undefined);
    for (const [key, seats] of this.#seats) {
      this.#serve(seats, { found: byKey.get(key) ?? [], strays, reply });
    }
  }

  #serve(seats: readonly [Seat, ...Seat[]], answer: Answer): void {
    const [first, ...others] = seats;
    const { found } = answer;
    const isKept = first.call.operation.cache !== undefined;
    try {
      const value = valueFor(first.call, this.#lookup, answer);
      if (others.length > 0) frozen(value);
      const raw = isKept ? toKept(this.#lookup, found) : undefined;
      const reply = { ...answer.reply, raw, value };
      first.arrive(reply);
      for (const seat of others) seat.arrive({ ...reply, deduplicated: true });
    } catch (error) {
      for (const seat of seats) seat.fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#end();
    const reason = toError(error);
    for (const seats of this.#seats.values()) for (const seat of seats) seat.fail(reason);
  }

  #end(): void {
    for (const seats of this.#seats.values()) this.#forget(seats);
  }

  /** What they were found by may be under way again in another batch. */
  #forget(seats: readonly Seat[]): void {
    for (const { foundBy } of seats) {
      if (foundBy !== undefined && this.#underWay.get(foundBy) === this)
        this.#underWay.delete(foundBy);
    }
  }

  #keyOf({ args }: Call): string {
    return keyText(args[this.#lookup.by]) ?? '';
  }
}

/** One call that waits for its key. */
class Seat extends Waiter {
  /** What others find its key by; `undefined`: they do not. */
  readonly foundBy: string | undefined;

  constructor(own: Batch, call: Call, foundBy: string | undefined) {
    super(own, call);
    this.foundBy = foundBy;
  }
}

/** What a batch brought for one key. */
interface Answer {
  readonly found: readonly unknown[];
  readonly strays: boolean;
  readonly reply: Reply;
}

function valueFor(call: Call, lookup: Lookup, { found, strays, reply }: Answer): unknown {
  const { status, headers } = reply;
  if (strays && !isComplete(lookup, found)) {
    throw callError(
      call,
      'invalid-body',
      `answered with an item that has no readable "${lookup.by}"`,
    );
  }
  const { response } = call.operation;
  const value = resultOf(lookup, found, (item) => parseValue(call, response, item, status));
  if (value !== undefined) return value;
  throw callError(call, 'missing', 'answered without an item for the key', cacheControlOf(headers));
}

function refusalOf(call: Call, lookup: Lookup): Error | undefined {
  const problem = keyProblem(lookup, keyText(call.args[lookup.by]));
  if (problem === undefined) return undefined;
  return callError(call, 'invalid-argument', `argument "${lookup.by}" ${problem}`, {
    argument: lookup.by,
  });
}
