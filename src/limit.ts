/** The door to p-limit: places that are handed on in order, and tasks of which few run at once. */
import pLimit from 'p-limit';

/** Called, once, with the function that frees the place. */
export type OnPlace = (free: () => void) => void;

export interface Places {
  /** Waits for a place; the returned function stops waiting, for one who has none yet. */
  queue(onPlace: OnPlace): () => void;
}

/**
 * `count` places, given in order of arrival. p-limit keeps that order: a place is a promise that it
 * waits for, resolved by `free`. It cannot take anybody out of its queue, so one who stops waiting is
 * only forgotten there; that entry gives its place back as soon as it has it. When nobody else is left,
 * the queue is cleared.
 */
export function createPlaces(count: number): Places {
  const limit = pLimit(count);
  let queued = 0;
  return {
    queue(onPlace) {
      const entry: { onPlace: OnPlace | undefined } = { onPlace };
      queued += 1;
      void limit(() => {
        const { onPlace: hand } = entry;
        if (hand === undefined) return undefined;
        queued -= 1;
        entry.onPlace = undefined;
        return new Promise<void>(hand);
      });
      return function stopWaiting() {
        entry.onPlace = undefined;
        queued -= 1;
        if (queued === 0) limit.clearQueue();
      };
    },
  };
}

/** Starts tasks in their order, `most` at a time. Tasks do not reject. */
export function runAtMost(most: number, tasks: readonly (() => Promise<void>)[]): void {
  if (tasks.length <= most) {
    for (const task of tasks) void task();
    return;
  }
  void pLimit(most).map(tasks, (task) => task());
}
