/** Signals by which work is called off: what `AbortSignal` does, for the many that one request needs. */

/** The part of `AbortSignal` that is used here; one of those will do, too. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A signal and what aborts it. Making an `AbortController` and listening to it costs several times as
 * much, and a listener more costs more the more there are: a page of lookups has hundreds.
 */
export class AbortSource implements Signal {
  #listeners: Set<() => void> | undefined;
  aborted = false;
  reason: unknown;

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    // One that is removed by another meanwhile is not called.
    for (const listener of this.#listeners ?? []) listener();
    this.#listeners = undefined;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** Once: there is no second abort. */
  addEventListener(_: 'abort', listener: () => void): void {
    if (!this.aborted) (this.#listeners ??= new Set()).add(listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener);
  }
}
