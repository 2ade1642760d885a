/**
 * The shapes of a call to a service: a step makes a `Call`, a `Dispatch` is sent for one or several
 * calls, and an `Attempt` is one try of a dispatch at one address. Each is made once everything in
 * it is known.
 */
import type { Operation } from '../dsl/operation.ts';
import { UpstreamError } from '../errors.ts';
import type { UpstreamErrorKind, UpstreamErrorOptions } from '../errors.ts';
import type { Signal } from '../signal.ts';
import type { Trace } from '../trace.ts';
import type { Address } from './exchange/address.ts';
import type { Match } from './exchange/match.ts';

/** The client request on whose behalf calls are made: one object for all of its calls. */
export interface Caller {
  /** Aborted when the request is over; its reason says why. */
  readonly signal: Signal;
  /** The deadline of the request, on the clock's scale. */
  readonly deadlineAt: number;
  /** A header of the client's request, by its lower-case name. */
  header(name: string): string | undefined;
  /** The id of the request in problems and logs; it says nothing about answers. */
  readonly requestId: string | undefined;
  /** Requests sent to services so far; one that several callers share counts for the first. */
  sent: number;
  /** Whether the request has made an unsafe call: values read before may be out of date. */
  hasWritten: boolean;
}

/** One call to one operation, made by a step. The keys of a lookup are in its `Load`. */
export interface Call {
  readonly operation: Operation;
  readonly args: Readonly<Record<string, unknown>>;
  /** The path and query that the page before has given, instead of those of the arguments. */
  readonly givenTarget: string | undefined;
  /** The client's headers that the operation forwards. */
  readonly headers: Readonly<Record<string, string>>;
  /** A hash of `headers`, and of credentials that others are made of; empty if there are none. */
  readonly identity: string;
  /** Whether an argument is made of a credential, so that keys have a hash of the arguments. */
  readonly conceals: boolean;
  /** Equal for calls that one reply can serve; `undefined` if the call must not be shared. */
  readonly key: string | undefined;
  readonly caller: Caller;
  /** Aborted when nobody waits for the reply any more; its reason says why. */
  readonly signal: Signal;
  /** When the call was made, on the clock's scale. */
  readonly createdAt: number;
  readonly deadlineAt: number;
  readonly trace: Trace | undefined;
  /** Whether the request has written: neither cached nor in-flight answers may be used. */
  readonly afterWrite: boolean;
  readonly followers: Followers;
  /** Watches a call that writes. */
  readonly write?: WriteWatch | undefined;
}

/** The equal calls that the same request has made since; they get the reply to the first. */
export interface Followers {
  /** Absent until there is one: most calls have none. */
  calls: Call[] | undefined;
  /** The flight that the first one waits for, so that they do, too. */
  flight: Callers | undefined;
}

export function noFollowers(): Followers {
  return { calls: undefined, flight: undefined };
}

/** Listeners for the progress of a call that writes. */
export interface WriteWatch {
  /** Headers for this call only. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Called when the first byte of an attempt goes to a socket. */
  onSent(): void;
  /** Called when the service has answered completely, usable or not. */
  onAnswered(status: number): void;
}

/** A call on its way to the service, on behalf of all callers that wait for it. */
export interface Dispatch extends Call {
  readonly callers: Callers;
  /** The keys of a batch, as they were given. */
  readonly keys: readonly unknown[] | undefined;
  /** Whether its attempts are sent on new connections. */
  readonly isOnNewConnection?: boolean;
  /** Why it gets further attempts: others have failed, or one is slow. Absent: it gets its first. */
  readonly further?: 'retry' | 'hedge';
  /** The addresses of its attempts so far, in order. */
  readonly tried: Address[];
  /** Whether it waits for a permit of the bulkhead without the limits of `queue` and `waitMs`. */
  readonly isPatient: boolean;
}

/** The calls that wait for a dispatch, which join and leave while it is under way. */
export interface Callers {
  readonly operation: Operation;
  /** The addresses of its attempts so far. */
  readonly tried: readonly Address[];
  /** The number of keys in its request; `undefined` if it is not a batch. */
  readonly width: number | undefined;
  /** How its latest attempt ended; `undefined` if none has. */
  readonly latest: Ending | undefined;
  /** Of telemetry, which alone looks into it: a WeakMap would cost the garbage collector more. */
  shown: object | undefined;
  /** Lists a load once for every key of its own in the dispatch. */
  waiting(): readonly Call[];
  /** Takes note of the end of an attempt. */
  note(ending: Ending): void;
}

/** Called when a dispatch has failed and pauses before another attempt. */
export type OnRetry = (dispatch: Dispatch, delayMs: number) => void;

/** Called when a dispatch has waited for a permit of the bulkhead in vain. */
export type OnVainWait = (dispatch: Dispatch, waitedMs: number) => void;

/** Called when a call joins the dispatch of another one that is under way. */
export type OnJoin = (call: Call, callers: Callers) => void;

/** One try of a dispatch at one address. Its signal is also aborted at the attempt's timeout. */
export interface Attempt extends Dispatch {
  readonly address: Address;
  /** When it had all its permits, on the clock's scale. */
  readonly beganAt: number;
  /** Called when its first byte goes to a socket: from then on, a write is not cancelled. */
  readonly onSent?: (() => void) | undefined;
  /** How long it waited in the queue of the bulkhead, in milliseconds. */
  readonly queuedMs: number;
  /** How long it waited for a token of the service's issuer, in milliseconds. */
  readonly tokenMs: number;
}

/** How an attempt ended. */
export interface Ending {
  /** `undefined` if it succeeded. */
  readonly failure: unknown;
  /** The status of the service's answer, if there was a usable one. */
  readonly status: number | undefined;
  /** On the clock's scale. */
  readonly endedAt: number;
  /** In milliseconds, from when it had all its permits: time in our own queue does not count. */
  readonly tookMs: number;
  /** The `X-Request-Timeout-Ms` of its request; `undefined` if that was an attempt's full time. */
  readonly announcedMs: number | undefined;
  /** The number of abandoned attempts that count as having ended like this one. Default 0. */
  readonly standsFor?: number;
  readonly doubt?: Doubt | undefined;
}

/**
 * The reason why an answer may not be what it is taken for. `accepted`: a 202 whose `Location` says
 * where to ask for more, of an operation that declares neither. The others are of lookups and may
 * hide items: there are items of other keys, errors beside the items, more pages, or fewer items
 * than keys although `missing` is not `'error'`. `several`: a key has more than one item although
 * the lookup is not `many`, so that all but the first are dropped.
 */
export type Doubt = 'accepted' | 'unmatched' | 'errors' | 'more' | 'several' | 'fewer';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The parsed body; for a batch, the list of raw items, or their object by key. */
  readonly value: unknown;
  /**
   * The body as JSON, before the schema parsed it: a cache outside the process can store that.
   * `undefined` if the operation has no cache, since a page would hold all its bodies twice.
   */
  readonly raw: unknown;
  /** Whether it answers an earlier call, which this one has joined. */
  readonly deduplicated?: boolean;
  /** Whether that earlier call has left, so that a cache stores the reply to this one instead. */
  readonly takesOver?: boolean;
  /** For a batch: which items belong to which keys. */
  readonly match?: Match;
  /** Why the answer may not be what it is taken for. */
  readonly doubt?: Doubt | undefined;
  /** The path and query that has answered, if the service has redirected to it. */
  readonly target?: string;
  /** The part of the operation's cache, if it has one; `stale`: from the cache, after `ttlMs`. */
  readonly cache?: 'hit' | 'miss' | 'stale';
}

export type Send<C = Call> = (call: C) => Promise<Reply>;

/** Wraps sending with something more. */
export type Policy<C = Call> = (next: Send<C>) => Send<C>;

/** Adds nothing to sending. */
export const unchanged: Policy<Dispatch> = (next) => next;

/** Whether calls of an operation may be shared, since it only reads. All others are writes. */
export function isShareable({ safe }: Operation): boolean {
  return safe;
}

/** The dispatch of a call that is not shared with other requests. */
export function dispatchOf(call: Call): Dispatch {
  const callers = new OwnCallers(call);
  return { ...call, callers, keys: undefined, tried: callers.tried, isPatient: false };
}

class OwnCallers implements Callers {
  readonly #call: Call;
  readonly tried: Address[] = [];
  readonly width = undefined;
  latest: Ending | undefined;
  shown: object | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  get operation(): Operation {
    return this.#call.operation;
  }

  waiting(): readonly Call[] {
    return withFollowers(this.#call);
  }

  note(ending: Ending): void {
    this.latest = laterOf(this.latest, ending);
  }
}

/** The ending of the latest attempt; the slower one of a hedged pair ends after its answer. */
export function laterOf(before: Ending | undefined, ending: Ending): Ending {
  return before !== undefined && isCancellation(ending.failure) ? before : ending;
}

function isCancellation(failure: unknown): boolean {
  return failure instanceof UpstreamError && failure.kind === 'aborted';
}

/** A call and its followers. */
export function withFollowers(call: Call): readonly Call[] {
  const { calls } = call.followers;
  return calls === undefined ? [call] : [call, ...calls];
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
