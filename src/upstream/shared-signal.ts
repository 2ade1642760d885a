/** Signals of their own for parts of the work: for what several calls wait for, and for one attempt of several. */
import { AbortSource } from '../signal.ts';
import type { Signal } from '../signal.ts';
import type { Call } from './call.ts';
import { callError } from './call.ts';

export interface SharedSignal {
  readonly signal: Signal;
  /** Lets go of all calls: the work is done. */
  release(): void;
}

/** A signal for work that several calls wait for: aborted when the last of them is gone. */
export function sharedSignal(calls: readonly [Call, ...Call[]]): SharedSignal {
  const own = new AbortSource();
  // One for all, since two calls may follow one signal.
  const onLeave = (): void => {
    if (!calls.every(({ signal }) => signal.aborted)) return;
    const cause: unknown = calls[0].signal.reason;
    own.abort(callError(calls[0], 'aborted', 'nobody waits any more', { cause }));
  };
  for (const { signal } of calls) signal.addEventListener('abort', onLeave, { once: true });
  return {
    signal: own,
    release() {
      for (const { signal } of calls) signal.removeEventListener('abort', onLeave);
    },
  };
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
