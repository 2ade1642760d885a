/**
 * The shapes that carry every call to a service. Each is made when all it says is known, and never
 * changed: a `Call` is what a step asks for, a `Dispatch` what is sent for one or several calls, an
 * `Attempt` one try of it at one address.
 */
import type { Operation } from '../dsl/operation.ts';
import { isSafe } from '../dsl/route.ts';
import { UpstreamError } from '../errors.ts';
import type { UpstreamErrorKind, UpstreamErrorOptions } from '../errors.ts';
import type { Signal } from '../signal.ts';
import type { Trace } from '../trace.ts';
import type { Address } from './exchange/address.ts';

/** The client request on whose behalf calls are made: one object for all of its calls. */
export interface Caller {
  /** Aborted when the request is over; its reason says why. */
  readonly signal: Signal;
  /** When the request has to be over, on the clock's scale. */
  readonly deadlineAt: number;
  /** A header of the client's request, by its lower-case name. */
  header(name: string): string | undefined;
  /** Requests sent to services so far; one that several callers share counts for the first. */
  sent: number;
  /** Whether it has changed something: what was read before may be out of date. */
  hasWritten: boolean;
}

/** One call to one operation, as a step makes it. The keys of a lookup are not in it: see `Load`. */
export interface Call {
  readonly operation: Operation;
  readonly args: Readonly<Record<string, unknown>>;
  /** The client's headers that the operation forwards. */
  readonly headers: Readonly<Record<string, string>>;
  /** A hash of `headers`; empty when nothing is forwarded. */
  readonly identity: string;
  /** Equal for calls that one reply can serve; `undefined`: it must not be shared. */
  readonly key: string | undefined;
  readonly caller: Caller;
  /** Aborted when nobody waits for the reply any more; its reason says why. */
  readonly signal: Signal;
  /** When the call was made, on the clock's scale. */
  readonly createdAt: number;
  readonly deadlineAt: number;
  readonly trace: Trace | undefined;
  /** Its request has written: neither cached nor in-flight answers may be used. */
  readonly afterWrite: boolean;
  /** The same call, made again by the same request, whose callers wait for this one's reply. */
  readonly followers: Call[];
}

/** A call as it goes to its service, for all who wait for it by then. */
export interface Dispatch extends Call {
  readonly callers: Callers;
  /** On a batch: the keys asked for, as they were given. */
  readonly keys: readonly unknown[] | undefined;
  /** The addresses of its attempts so far, in order. */
  readonly tried: Address[];
}

/** The calls that wait for a dispatch: they come and go while it is under way. */
export interface Callers {
  /** One for each place in it, so that a load with three of its keys is listed three times. */
  waiting(): readonly Call[];
}

/** One try of a dispatch at one address. Its signal is aborted at the attempt's own timeout, too. */
export interface Attempt extends Dispatch {
  readonly address: Address;
  /** How long it waited for a place of the bulkhead, in milliseconds. */
  readonly queuedMs: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The parsed body; of a batch, the list of raw items. */
  readonly value: unknown;
  /**
   * The same before the schema parsed it, as JSON has it: that can be kept outside of the process.
   * `undefined` where the operation keeps nothing: a page and its lookups would hold all of it twice.
   */
  readonly raw: unknown;
  /** Another call had asked for it already. */
  readonly deduplicated?: boolean;
  /** From the operation's cache, where it has one. `stale`: past its time, and meant to be used. */
  readonly cache?: 'hit' | 'miss' | 'stale';
}

export type Send<C = Call> = (call: C) => Promise<Reply>;

/** Something done around sending. */
export type Policy<C = Call> = (next: Send<C>) => Send<C>;

/** Does nothing around sending. */
export const unchanged: Policy<Dispatch> = (next) => next;

/** Whether calls of an operation may be shared: safe ones, and lookups, which only read whatever their method. */
export function isShareable(operation: Operation): boolean {
  return isSafe(operation.route.method) || operation.lookup !== undefined;
}

/** A call on its way to the service, by itself. */
export function dispatchOf(call: Call): Dispatch {
  return { ...call, callers: { waiting: () => withFollowers(call) }, keys: undefined, tried: [] };
}

/** A call and the same calls of its request that wait for its reply. */
export function withFollowers(call: Call): readonly Call[] {
  return call.followers.length === 0 ? [call] : [call, ...call.followers];
}

/** An error that names the call's service and operation. */
export function callError(
  { operation: { service, name } }: { readonly operation: Operation },
  kind: UpstreamErrorKind,
  message: string,
  details: Omit<UpstreamErrorOptions, 'service' | 'operation'> = {},
): UpstreamError {
  return new UpstreamError(kind, message, { ...details, service: service.name, operation: name });
}
