/** `plait trace --follow`: lists traces as they come, until it is stopped. */
import type { StoredTrace } from '../telemetry/trace-store.ts';

export interface FollowOptions {
  /** Asks for the latest traces, the latest first. */
  readonly ask: () => Promise<readonly StoredTrace[]>;
  readonly show: (trace: StoredTrace) => void;
}

/** A person notices no delay of this length. */
const everyMs = 300;

/**
 * Shows every trace that a gateway keeps, the oldest first, once its request has been answered. After
 * the first answer, a gateway that does not answer may be starting again, as in `plait dev`.
 */
export async function followTraces({ ask, show }: FollowOptions): Promise<void> {
  const shown = new Set<string>();
  const list = (traces: readonly StoredTrace[]): void => {
    const fresh = traces.filter((one) => !shown.has(one.traceId) && isComplete(one));
    for (const trace of fresh.toReversed()) show(trace);
    for (const { traceId } of fresh) shown.add(traceId);
  };
  const goOn = async (): Promise<void> => {
    list(await ask().catch(() => []));
    setTimeout(goOn, everyMs);
  };
  list(await ask());
  setTimeout(goOn, everyMs);
}

/** The span of the request ends last, and is the only one with its id. */
function isComplete({ spans }: StoredTrace): boolean {
  return spans.some(({ attributes }) => 'plait.request_id' in attributes);
}
