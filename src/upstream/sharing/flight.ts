/**
 * A flight: one request under way that several callers wait for. With it ends the chain by which a
 * deadline or disconnect ends calls (`engine/deadline`): when its last caller leaves.
 */
import { AbortSource } from '../../signal.ts';
import type { Operation } from '../../dsl/operation.ts';
import type { Call, Callers, Ending } from '../call.ts';
import { callError, laterOf } from '../call.ts';
import type { Address } from '../exchange/address.ts';
import { needsFreshAnswer } from './after-write.ts';

/**
 * A dispatch that several callers wait for, and its signal. No caller owns it: each leaves at its
 * own deadline or disconnect without failing the others. When the last one has left, the dispatch
 * is aborted and can no longer be joined.
 */
export abstract class Flight extends AbortSource implements Callers {
  #callers = 0;
  readonly tried: Address[] = [];
  latest: Ending | undefined;
  shown: object | undefined;

  abstract readonly operation: Operation;
  abstract readonly width: number | undefined;
  /** The deadline that the service has been given, on the clock's scale. */
  protected abstract readonly deadlineAt: number;
  abstract waiting(): readonly Call[];
  /** Makes sure that it cannot be found by its key any more. */
  protected abstract forget(): void;

  note(ending: Ending): void {
    this.latest = laterOf(this.latest, ending);
  }

  /**
   * Whether `call` may join: it must leave the service at least half of the call's time, and must
   * not have been sent before a write of the call's own request.
   */
  mayBeJoined(call: Call, now: number): boolean {
    return !needsFreshAnswer(call) && this.deadlineAt - now >= (call.deadlineAt - now) / 2;
  }

  protected join(): void {
    this.#callers += 1;
  }

  leave({ call }: { readonly call: Call }): void {
    this.#callers -= 1;
    if (this.#callers > 0) return;
    this.forget();
    const cause = call.signal.reason;
    this.abort(callError(call, 'aborted', 'nobody waits any more', { cause }));
  }
}
