/** `concurrency` of an `each`: calls of its block wait for a permit. */
import { both, createSemaphore } from '../limit.ts';
import type { Semaphore } from '../limit.ts';
import { failureAround } from './frame.ts';
import type { Frame } from './frame.ts';
import type { Work } from './work.ts';

/** The limit of a run of an `each` inside `frame`. It is within the limits around it. */
export function limitOf(frame: Frame, concurrency: number | undefined): Semaphore | undefined {
  if (concurrency === undefined) return frame.limit;
  const own = createSemaphore(concurrency);
  return frame.limit === undefined ? own : both(own, frame.limit);
}

/** Begins a call, and gets the function to be called when it has ended. */
type Begin = (onEnd: () => void) => void;

/**
 * Begins the call of an item once there is a permit, unless the request or a block around is over
 * by then.
 */
export function withPermit(work: Work, item: number, limit: Semaphore, begin: Begin): void {
  const { signal } = work.frame.execution;
  if (signal.aborted) return work.fail(item, signal.reason);
  const stopWaiting = limit.acquire((release) => {
    signal.removeEventListener('abort', leave);
    // No caller waits for the call any more.
    if (work.isOver || failureAround(work.frame) !== undefined) return release();
    try {
      begin(release);
    } catch (error) {
      release();
      work.fail(item, error);
    }
  });

  function leave(): void {
    stopWaiting();
    work.fail(item, signal.reason);
  }

  signal.addEventListener('abort', leave, { once: true });
}
