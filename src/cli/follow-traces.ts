/** `plait trace --follow`: lists traces as they come, until it is stopped. */
import type { StoredTrace } from '../telemetry/trace-store.ts';

export interface FollowOptions {
  /** Asks for the latest traces, the latest first. */
  readonly ask: () => Promise<readonly StoredTrace[]>;
  /** Is given those that are new, the oldest first. */
  readonly show: (traces: readonly StoredTrace[]) => void;
}

/** A person notices no delay of this length. */
const everyMs = 300;

/**
 * Shows every trace that a gateway keeps, the oldest first, once its request has been answered.
 * After the first answer, a gateway that does not answer may be starting again, as in `plait dev`.
 */
export async function followTraces({ ask, show }: FollowOptions): Promise<void> {
  /** Of those that the gateway keeps: it forgets the others as well. */
  let shown: ReadonlySet<string> = new Set();
  const list = (traces: readonly StoredTrace[]): void => {
    const complete = traces.filter(isComplete);
    const added = complete.filter(({ traceId }) => !shown.has(traceId)).toReversed();
    if (added.length > 0) show(added);
    shown = new Set(complete.map(({ traceId }) => traceId));
  };
  const goOn = async (): Promise<void> => {
    await ask().then(list, () => undefined);
    setTimeout(goOn, everyMs);
  };
  list(await ask());
  setTimeout(goOn, everyMs);
}

/** The span of the request ends last, and is the only one with its id. */
function isComplete({ spans }: StoredTrace): boolean {
  return spans.some(({ attributes }) => 'plait.request_id' in attributes);
}
