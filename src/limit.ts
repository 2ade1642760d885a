/** The door to p-limit: a semaphore, and tasks that run a few at a time. */
import pLimit from 'p-limit';

/** Called once, with the function that releases the permit. */
export type OnPermit = (release: () => void) => void;

export interface Semaphore {
  /** Waits for a permit; the returned function stops waiting, and must not be called after it. */
  acquire(onPermit: OnPermit): () => void;
}

/**
 * A semaphore that gives `count` permits, in order of arrival. p-limit keeps the order: it runs one
 * promise per permit, which `release` resolves. p-limit cannot remove an entry from its queue, so a
 * caller that stops waiting leaves an empty entry, which passes its permit on as soon as it gets
 * one. The queue is cleared when only empty entries are left.
 */
export function createSemaphore(count: number): Semaphore {
  const limit = pLimit(count);
  let queued = 0;
  return {
    acquire(onPermit) {
      const entry: { onPermit: OnPermit | undefined } = { onPermit };
      queued += 1;
      void limit(() => {
        const { onPermit: give } = entry;
        if (give === undefined) return undefined;
        queued -= 1;
        entry.onPermit = undefined;
        return new Promise<void>(give);
      });
      return function stopWaiting() {
        entry.onPermit = undefined;
        queued -= 1;
        if (queued === 0) limit.clearQueue();
      };
    },
  };
}

/** Takes a permit of `inner` and then one of `outer`, and releases both together. */
export function both(inner: Semaphore, outer: Semaphore): Semaphore {
  return {
    acquire(onPermit) {
      let stop = inner.acquire((releaseInner) => {
        const stopOuter = outer.acquire((releaseOuter) =>
          onPermit(function releaseBoth() {
            releaseOuter();
            releaseInner();
          }),
        );
        stop = () => {
          stopOuter();
          releaseInner();
        };
      });
      return function stopWaiting() {
        stop();
      };
    },
  };
}

/** Starts tasks in order, at most `most` at a time. Tasks must not reject. */
export function runAtMost(most: number, tasks: readonly (() => Promise<void>)[]): void {
  if (tasks.length <= most) {
    for (const task of tasks) void task();
    return;
  }
  void pLimit(most).map(tasks, (task) => task());
}
