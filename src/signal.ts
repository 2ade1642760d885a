/** Signals by which work is called off: what `AbortSignal` does, for the many that one request needs. */

/** A function, or an object that needs none made for it. */
export type AbortListener = (() => void) | { handleEvent(): void };

/** The part of `AbortSignal` that is used here; one of those will do, too. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: AbortListener, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: AbortListener): void;
}

/**
 * A signal and what aborts it; its listeners must not throw. Making an `AbortController` and listening to it costs several times as
 * much, and a listener more costs more the more there are: a page of lookups has hundreds.
 */
export class AbortSource implements Signal {
  /** Most have one: a set for each would be most of what a call in flight takes. */
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
    if (first !== undefined) tell(first);
    // One that is removed by another meanwhile is not called.
    for (const listener of this.#others ?? []) tell(listener);
    this.#others = undefined;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** Once: there is no second abort. */
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

function tell(listener: AbortListener): void {
  if (typeof listener === 'function') listener();
  else listener.handleEvent();
}
