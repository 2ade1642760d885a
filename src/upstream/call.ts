/** The shapes that carry every call to a service: `Call`, `Reply`, `Send`, `Policy`. */
import type { Operation } from '../dsl/operation.ts';
import { isSafe } from '../dsl/route.ts';
import { UpstreamError } from '../errors.ts';
import type { UpstreamErrorKind, UpstreamErrorOptions } from '../errors.ts';
import type { Signal } from '../signal.ts';
import type { Endpoint } from './exchange/endpoint.ts';

/** One call to one operation, on its way from a step to a socket. Policies pass on changed copies. */
export interface Call {
  readonly operation: Operation;
  readonly args: Readonly<Record<string, unknown>>;
  /** The client's headers that the operation forwards. */
  readonly headers: Readonly<Record<string, string>>;
  /** Who asks, as far as the operation is told: a hash of `headers`, empty when nothing is forwarded. */
  readonly identity: string;
  /** Aborted when nobody waits any more; its reason says why. */
  readonly signal: Signal;
  /** When the call was made, on the clock's scale. */
  readonly createdAt: number;
  /** When the request has to be over, on the same scale. */
  readonly deadlineAt: number;
  /** Counts what is sent for the request that made it. */
  readonly sent: { count: number };
  /** Opaque here: what telemetry needs to know about the step that calls. */
  readonly trace: unknown;
  /** The calls that wait for this one's reply; none: it is the call of a step itself. */
  readonly waiters: readonly Call[];
  /** The same call made again by the same request, which waits for this one's reply; filled in by `deduplicate`. */
  readonly twins?: Call[];
  /** Its request has changed something: what others asked for before may be out of date; filled in by `deduplicate`. */
  fresh?: boolean;
  /** On a batch: the keys asked for, as they were given. */
  readonly keys?: readonly unknown[];
  /** What `keyOf` says of it, where that is known already; filled in by `deduplicate`. */
  key?: string | undefined;
  /** The endpoints of its attempts so far, the present one last; filled in by the balancer. */
  readonly tried?: Endpoint[];
  /** How long this attempt waited for a place, in milliseconds; filled in by the bulkhead. */
  readonly queued?: { ms: number };
  /** What the service answered this attempt with; filled in when the answer has been read. */
  status?: number;
  /** Chosen late, by the balancer. */
  readonly endpoint?: Endpoint;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The parsed body; of a batch, the list of raw items. */
  readonly value: unknown;
  /**
   * The same before the schema parsed it, as JSON has it: what can be kept outside of the process.
   * `undefined` where the operation keeps nothing: a page and its lookups would hold on to all of it twice.
   */
  readonly raw: unknown;
  /** Another call had asked for it already. */
  readonly deduplicated?: boolean;
  /** What the operation's cache had, where it has one. `stale`: older than its time, and meant to be used. */
  readonly cache?: 'hit' | 'miss' | 'stale';
}

export type Send = (call: Call) => Promise<Reply>;

/** Something done around sending. */
export type Policy = (next: Send) => Send;

/** A call's own copy for one attempt, which those around the attempt fill in. */
export type Attempt = { -readonly [Key in keyof Call]: Call[Key] };

/** Told how an attempt ended: of what it failed, if it did. */
export type End = (failure: unknown) => void;

/** Looks at an attempt while it lasts; what the service is told can be added to it. */
export type Watch = (attempt: Attempt) => End;

/** Something that begins with an attempt and ends with it. It may refuse, by throwing, or make it wait. */
export type Turn = (attempt: Attempt) => End | Promise<End>;

/**
 * Turns as one policy: begun in their order, ended in the reverse. As policies each would be an async function
 * with its promises, for every attempt: 12 % of a request of three calls.
 */
export function inTurn(turns: readonly Turn[]): Policy {
  return (next) => async (call) => {
    const attempt: Attempt = { ...call };
    const ends = Array<End | undefined>(turns.length);
    let begun = 0;
    let failure: unknown;
    try {
      for (const turn of turns) {
        const end = turn(attempt);
        // oxlint-disable-next-line no-await-in-loop -- one after the other is what this is about
        ends[begun] = end instanceof Promise ? await end : end;
        begun += 1;
      }
      return await next(attempt);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      for (let index = begun - 1; index >= 0; index -= 1) ends[index]?.(failure);
    }
  };
}

/** Does nothing around sending. */
export const unchanged: Policy = (next) => next;

/** Puts policies, listed outermost first, around `send`. */
export function pipeline(policies: readonly Policy[], send: Send): Send {
  return policies.reduceRight((next, policy) => policy(next), send);
}

/** Calls that may be shared: safe ones, and lookups, which only read whatever their method. */
export function isShareable({ operation }: Pick<Call, 'operation'>): boolean {
  return isSafe(operation.route.method) || operation.lookup !== undefined;
}

/** The calls of steps that still wait for `call`, however often it was shared on the way. */
export function loadsOf(call: Call): readonly Call[] {
  if (call.waiters.length === 0) return call.twins ? [call, ...call.twins] : [call];
  return call.waiters.filter(({ signal }) => !signal.aborted).flatMap(loadsOf);
}

/** Where the call goes; the balancer has seen to it. */
export function endpointOf({ endpoint }: Call): Endpoint {
  if (endpoint === undefined) throw new Error('no endpoint was chosen');
  return endpoint;
}

/** An error that names the call's service and operation. */
export function callError(
  call: { readonly operation: Operation },
  kind: UpstreamErrorKind,
  message: string,
  details: Omit<UpstreamErrorOptions, 'service' | 'operation'> = {},
): UpstreamError {
  const { service, name } = call.operation;
  return new UpstreamError(kind, message, { ...details, service: service.name, operation: name });
}
