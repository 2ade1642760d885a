/** Abort signals that are cheaper than `AbortSignal`, since one request needs many of them. */

/** A function or, without the cost of making one, an object. */
export type AbortListener = (() => void) | { handleEvent(): void };

/** The part of `AbortSignal` that is used here, so that an `AbortSignal` can be passed as well. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: AbortListener, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: AbortListener): void;
}

/**
 * A signal that can be aborted. Its listeners must not throw. An `AbortController` with a listener
 * costs several times as much, and each further listener costs more: a page of lookups has
 * hundreds.
 */
export class AbortSource implements Signal {
  /** Most signals have one listener: a set would be most of the memory of a call in flight. */
  #first: AbortListener | undefined;
  #others: Set<AbortListener> | undefined;
  aborted = false;
  reason: unknown;

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) notify(first);
    // A listener that is removed by an earlier one is not called.
    for (const listener of this.#others ?? []) notify(listener);
    this.#others = undefined;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** The listener is called at most once, since there is no second abort. */
  addEventListener(_: 'abort', listener: AbortListener): void {
    if (this.aborted || listener === this.#first) return;
    if (this.#first === undefined && this.#others === undefined) this.#first = listener;
    else (this.#others ??= new Set()).add(listener);
  }

  removeEventListener(_: 'abort', listener: AbortListener): void {
    if (this.#first === listener) this.#first = undefined;
    else this.#others?.delete(listener);
  }
}

function notify(listener: AbortListener): void {
  if (typeof listener === 'function') listener();
  else listener.handleEvent();
}
