/** One attempt of a dispatch: its permits, its timeout, its address, and how it ended. */
import type { Clock } from '../clock.ts';
import { callInReverse } from '../in-reverse.ts';
import { isShareable } from './call.ts';
import type { Attempt, Dispatch, Ending, Reply, Send } from './call.ts';
import type { Address } from './exchange/address.ts';
import type { StartTimeout } from './resilience/attempt-timeout.ts';
import type { HangWatch } from './resilience/hang-watch.ts';

export type OnEnd = (ending: Ending) => void;

/**
 * Gives an attempt its permit, at once or later, or throws. An attempt passes its gates in order
 * and returns its permits in reverse order.
 */
export type Gate = (dispatch: Dispatch) => Permit | Promise<Permit>;

export interface Permit {
  readonly onEnd: OnEnd;
  /** How long the attempt waited for it, in milliseconds; absent if it did not wait. */
  readonly queuedMs?: number;
  /** The same for a token. */
  readonly tokenMs?: number;
}

/** Chooses the address of an attempt. */
export type Choose = (dispatch: Dispatch) => { readonly address: Address; readonly onEnd: OnEnd };

/** Watches an attempt from its beginning to its end, and may add headers to its request. */
export type AttemptHook = (attempt: Attempt) => AttemptWatch;

export interface AttemptWatch {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly onEnd?: OnEnd | undefined;
  /** Called before a redirect is followed, with the number of those so far. */
  readonly onRedirect?: ((count: number) => void) | undefined;
}

/** Called when an attempt has ended. */
export type OnAttemptEnd = (attempt: Attempt, ending: Ending) => void;

/** Sends an attempt, with the headers of its `watch` in addition to those of its call. */
export type SendAttempt = (attempt: Attempt, watch: AttemptWatch | undefined) => Promise<Reply>;

export interface AttemptOptions {
  /** The outermost first. */
  readonly gates: readonly Gate[];
  readonly startTimeout: StartTimeout;
  readonly choose: Choose;
  readonly hook: AttemptHook | undefined;
  readonly onAttemptEnd?: OnAttemptEnd | undefined;
  /** Lets a few abandoned attempts run on, to detect a service that hangs. */
  readonly hangWatch: HangWatch | undefined;
  /** Called when a dispatch has got no address, since a gate gave no permit. */
  readonly onRefused?: ((dispatch: Dispatch, failure: unknown) => void) | undefined;
  readonly clock: Clock;
}

/**
 * Makes attempts of dispatches. Everything that begins and ends with an attempt does so in this one
 * async function: as policies, each would need its own, which cost 12 % of a request with three
 * calls.
 */
export function attempts(options: AttemptOptions, send: SendAttempt): Send<Dispatch> {
  const { gates, startTimeout, choose, hook, onAttemptEnd, hangWatch, onRefused, clock } = options;
  return async function attempt(dispatch) {
    // V8 allocates seventeen entries on the first `push` into an empty list.
    const onEnds = Array<OnEnd | undefined>(gates.length + 3);
    let begun = 0;
    let failure: unknown;
    let status: number | undefined;
    let doubt: Ending['doubt'];
    let own: Attempt | undefined;
    let queuedMs = 0;
    let tokenMs = 0;
    let beganAt: number | undefined;
    try {
      for (let index = 0; index < gates.length; index += 1) {
        const given = gates[index]?.(dispatch);
        // oxlint-disable-next-line no-await-in-loop -- one gate after the other
        const permit = given instanceof Promise ? await given : given;
        onEnds[begun++] = permit?.onEnd;
        queuedMs += permit?.queuedMs ?? 0;
        tokenMs += permit?.tokenMs ?? 0;
      }
      beganAt = clock.now();
      const { signal, onEnd: stopTimeout, stopFollowing } = startTimeout(dispatch);
      onEnds[begun++] = stopTimeout;
      const { address, onEnd } = choose(dispatch);
      onEnds[begun++] = onEnd;
      const isRead = isShareable(dispatch.operation);
      const onSent = isRead ? undefined : onWriteSent(dispatch, stopFollowing);
      own = { ...dispatch, signal, address, beganAt, onSent, queuedMs, tokenMs };
      const watch = hook?.(own);
      onEnds[begun++] = watch?.onEnd;
      const reply = await send(own, watch);
      ({ status, doubt } = reply);
      return reply;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      const endedAt = clock.now();
      const tookMs = beganAt === undefined ? 0 : endedAt - beganAt;
      const announcedMs = announcedMsOf(dispatch, beganAt);
      const ending = { failure, status, endedAt, tookMs, announcedMs, doubt };
      if (own !== undefined) dispatch.callers.note(ending);
      conclude(ending, own, onEnds);
      tellEnd(ending, own, dispatch);
    }
  };

  function tellEnd(ending: Ending, own: Attempt | undefined, dispatch: Dispatch): void {
    if (own === undefined) onRefused?.(dispatch, ending.failure);
    else onAttemptEnd?.(own, ending);
  }

  function conclude(ending: Ending, own: Attempt | undefined, onEnds: (OnEnd | undefined)[]): void {
    if (own === undefined || hangWatch === undefined) return callInReverse(onEnds, ending);
    if (!hangWatch.hasKept(own)) {
      hangWatch.note(ending, own);
      return callInReverse(onEnds, ending);
    }
    // Only telemetry hears of the end now. Permits and statistics wait for the exchange to end.
    const [stopTimeout, ofAddress, ofHook] = onEnds.splice(gates.length);
    const { announcedMs } = ending;
    hangWatch.onEnd(own, (late) => callInReverse([...onEnds, ofAddress], { ...late, announcedMs }));
    callInReverse([stopTimeout, ofHook], ending);
  }
}

/** A write that was sent may have been carried out: to cancel it would only hide its result. */
function onWriteSent({ write }: Dispatch, stopFollowing: () => void): () => void {
  return function writeIsSent() {
    stopFollowing();
    write?.onSent();
  };
}

/** The `X-Request-Timeout-Ms` of an attempt's request, if it is less than its full time. */
function announcedMsOf(
  { operation, deadlineAt }: Dispatch,
  beganAt: number | undefined,
): number | undefined {
  if (!isShareable(operation)) return undefined;
  const leftMs = deadlineAt - (beganAt ?? -Infinity);
  return leftMs < operation.policies.timeoutMs ? leftMs : undefined;
}
