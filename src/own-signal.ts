/** A signal of its own for one attempt of several, and promises that end with a signal. */
import { AbortSource } from './signal.ts';
import type { Signal } from './signal.ts';

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
