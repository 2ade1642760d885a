/** What a careful hand puts in front of a reader to keep answers: lru-cache, of promises, so that misses are shared. */
import { LRUCache } from 'lru-cache';
import type { Read } from './services.ts';

export function kept(read: Read): Read {
  const answers = new LRUCache<string, Promise<unknown>>({ max: 10_000, ttl: 3_600_000 });
  return <T>(path: string) => {
    const before = answers.get(path);
    if (before !== undefined) return before as Promise<T>; // what was read there
    const answer = read<T>(path);
    answers.set(path, answer);
    answer.catch(() => answers.delete(path));
    return answer;
  };
}
