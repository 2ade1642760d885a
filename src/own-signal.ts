/** Signals that follow others, and promises that are rejected by a signal. */
import { AbortSource } from './signal.ts';
import type { Signal } from './signal.ts';

export interface OwnSignal {
  readonly signal: Signal;
  abort(reason: unknown): void;
  /** Stops following the other signal. */
  release(): void;
}

/**
 * A signal that is aborted together with `followed`, or on its own. `AbortSignal.any` costs twenty
 * times as much, and holds memory until one of its signals is aborted.
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

/** Settles like `work`, or rejects with the signal's reason as soon as that is aborted. */
export function untilAborted<T>(work: Promise<T>, signal: Signal): Promise<T> {
  const gone = Promise.withResolvers<never>();
  const leave = (): void => gone.reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  return Promise.race([work, gone.promise]).finally(() =>
    signal.removeEventListener('abort', leave),
  );
}
