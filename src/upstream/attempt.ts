/** One attempt of a dispatch: permits, a timeout, an address, and an end that all of them are told. */
import type { Clock } from '../clock.ts';
import type { Attempt, Dispatch, Reply, Send } from './call.ts';
import type { Address } from './exchange/address.ts';
import type { Bound } from './resilience/attempt-timeout.ts';

/** How an attempt ended. */
export interface Ending {
  /** `undefined`: it was answered. */
  readonly failure: unknown;
  /** The status of the service's answer, where there was a usable one. */
  readonly status: number | undefined;
  /** Since it had all its permits, in milliseconds: waiting for a place of ours does not count. */
  readonly tookMs: number;
}

export type OnEnd = (ending: Ending) => void;

/** Lets an attempt begin, at once or later, or refuses it by throwing. Begins in order, ends in reverse. */
export type Permit = (dispatch: Dispatch) => Permitted | Promise<Permitted>;

export interface Permitted {
  readonly onEnd: OnEnd;
  /** How long the attempt had to wait for it, in milliseconds; absent: not at all. */
  readonly queuedMs?: number;
}

/** Chooses where an attempt goes. */
export type Choose = (dispatch: Dispatch) => { readonly address: Address; readonly onEnd: OnEnd };

/** Looks at an attempt while it lasts, and may add headers to its request. */
export type AttemptHook = (attempt: Attempt) => AttemptWatch;

export interface AttemptWatch {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly onEnd?: OnEnd | undefined;
}

/** Sends an attempt with headers besides those of its call. */
export type SendAttempt = (attempt: Attempt, headers: AttemptWatch['headers']) => Promise<Reply>;

export interface AttemptOptions {
  /** Outermost first. */
  readonly permits: readonly Permit[];
  readonly bound: Bound;
  readonly choose: Choose;
  readonly hook: AttemptHook | undefined;
  readonly clock: Clock;
}

/**
 * Makes attempts of dispatches. All that begins and ends with an attempt is begun here, in one async
 * function: as policies each would need one of its own, 12 % of a request of three calls.
 */
export function attempts(options: AttemptOptions, send: SendAttempt): Send<Dispatch> {
  const { permits, bound, choose, hook, clock } = options;
  return async function attempt(dispatch) {
    // `push` into an empty list would make room for seventeen.
    const ends = Array<OnEnd | undefined>(permits.length + 3);
    let begun = 0;
    let failure: unknown;
    let status: number | undefined;
    let admittedAt: number | undefined;
    let queuedMs = 0;
    try {
      for (let index = 0; index < permits.length; index += 1) {
        const permitted = permits[index]?.(dispatch);
        // oxlint-disable-next-line no-await-in-loop -- one permit after the other
        const permit = permitted instanceof Promise ? await permitted : permitted;
        ends[begun++] = permit?.onEnd;
        queuedMs += permit?.queuedMs ?? 0;
      }
      admittedAt = clock.now();
      const { signal, onEnd: release } = bound(dispatch);
      ends[begun++] = release;
      const { address, onEnd } = choose(dispatch);
      ends[begun++] = onEnd;
      const own: Attempt = { ...dispatch, signal, address, queuedMs };
      const watch = hook?.(own);
      ends[begun++] = watch?.onEnd;
      const reply = await send(own, watch?.headers);
      status = reply.status;
      return reply;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      const tookMs = admittedAt === undefined ? 0 : clock.now() - admittedAt;
      const ending = { failure, status, tookMs };
      for (let index = begun - 1; index >= 0; index -= 1) ends[index]?.(ending);
    }
  };
}
