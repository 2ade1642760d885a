/** `plait trace --follow`: lists requests as they come, until it is stopped. */
import { requestOf, requestsIn } from '../telemetry/requests-in-trace.ts';
import type { StoredTrace } from '../telemetry/trace-store.ts';

export interface FollowOptions {
  /** Asks for the latest traces, the latest first. */
  readonly ask: () => Promise<readonly StoredTrace[]>;
  /** Is given those of requests that are new, the oldest first. */
  readonly show: (traces: readonly StoredTrace[]) => void;
}

/** A person notices no delay of this length. */
const everyMs = 300;

/**
 * Shows the trace of every request that a gateway keeps, the oldest first, once it has been
 * answered. After the first answer, a gateway that does not answer may be starting again, as in
 * `plait dev`.
 */
export async function followTraces({ ask, show }: FollowOptions): Promise<void> {
  /** The span ids of requests that the gateway keeps: it forgets the others as well. */
  let shown: ReadonlySet<string> = new Set();
  const list = (traces: readonly StoredTrace[]): void => {
    const answered = traces.flatMap(requestsIn).flatMap((one) => {
      const request = requestOf(one);
      return request === undefined ? [] : [[request.spanId, one] as const];
    });
    const added = answered.filter(([id]) => !shown.has(id)).map(([, one]) => one);
    if (added.length > 0) show(added.toReversed());
    shown = new Set(answered.map(([id]) => id));
  };
  const goOn = async (): Promise<void> => {
    await ask().then(list, () => undefined);
    setTimeout(goOn, everyMs);
  };
  list(await ask());
  setTimeout(goOn, everyMs);
}
