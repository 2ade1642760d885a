/** Clients in numbers. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Calls `one` with 0, 1, 2 … `count` times, at most `concurrency` at once. The results are in that order. */
export async function inParallel<T>(
  count: number,
  concurrency: number,
  one: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  async function client(): Promise<void> {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await one(index);
    }
  }
  await Promise.all(Array.from({ length: concurrency }, client));
  return results;
}

/** Calls `one` with 0, 1, 2 … `count` times, one every `everyMs`, whether or not earlier ones are over. */
export async function steadily<T>(
  count: number,
  everyMs: number,
  one: (index: number) => Promise<T>,
): Promise<T[]> {
  const startedAt = performance.now();
  const results: Promise<T>[] = [];
  for (let index = 0; index < count; index += 1) {
    const waitMs = startedAt + index * everyMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    results.push(one(index));
  }
  return Promise.all(results);
}
