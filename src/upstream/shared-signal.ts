/** Signals of their own for parts of the work: for what several calls wait for, and for one attempt of several. */
import { AbortSource } from '../signal.ts';
import type { Signal } from '../signal.ts';
import type { Call } from './call.ts';
import { callError } from './call.ts';

export interface SharedSignal {
  readonly signal: Signal;
  /** Adds one more; `onGone` is called when it goes. */
  join(call: Call, onGone?: () => void): void;
  /** Lets go of all calls: the work is done. */
  release(): void;
}

/** A signal for work that several calls wait for: aborted when the last of them is gone. */
export function sharedSignal(calls: readonly Call[]): SharedSignal {
  const own = new AbortSource();
  const waiting = new Map<Call, () => void>();

  const shared: SharedSignal = {
    signal: own,
    join(call, onGone) {
      const leave = (): void => {
        waiting.delete(call);
        onGone?.();
        if (waiting.size > 0) return;
        const cause: unknown = call.signal.reason;
        own.abort(callError(call, 'aborted', 'nobody waits any more', { cause }));
      };
      waiting.set(call, leave);
      call.signal.addEventListener('abort', leave, { once: true });
    },
    release() {
      for (const [call, leave] of waiting) call.signal.removeEventListener('abort', leave);
      waiting.clear();
    },
  };
  for (const call of calls) shared.join(call);
  return shared;
}

export interface OwnSignal {
  readonly signal: Signal;
  abort(reason: unknown): void;
  /** Lets go of the signal it follows: the work is done. */
  release(): void;
}

/**
 * A signal that is aborted when `followed` is, or by itself. `AbortSignal.any` costs twenty times as much
 * and keeps memory until one of its signals is aborted.
 */
export function ownSignal(followed: Signal): OwnSignal {
  const own = new AbortSource();
  const follow = (): void => own.abort(followed.reason);
  if (followed.aborted) follow();
  else followed.addEventListener('abort', follow, { once: true });
  return {
    signal: own,
    abort: (reason) => own.abort(reason),
    release: () => followed.removeEventListener('abort', follow),
  };
}

/** What `work` gives, or the signal's reason as soon as that is aborted. */
export function untilAborted<T>(work: Promise<T>, signal: Signal): Promise<T> {
  const gone = Promise.withResolvers<never>();
  const leave = (): void => gone.reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  return Promise.race([work, gone.promise]).finally(() =>
    signal.removeEventListener('abort', leave),
  );
}
