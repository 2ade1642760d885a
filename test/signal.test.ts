import { describe, expect, it } from 'vitest';
import { AbortSource } from '../src/signal.ts';

const reason = new Error('over');

describe('a signal', () => {
  it('tells each listener once, in the order in which they came, and why', () => {
    const signal = new AbortSource();
    const told: string[] = [];
    for (const name of ['a', 'b']) signal.addEventListener('abort', () => told.push(name));
    expect([signal.aborted, signal.reason]).toEqual([false, undefined]);
    signal.abort(reason);
    signal.abort(new Error('again'));
    expect(told).toEqual(['a', 'b']);
    expect([signal.aborted, signal.reason]).toEqual([true, reason]);
  });

  it('tells none that has gone, also when it goes while others are told', () => {
    const signal = new AbortSource();
    const told: string[] = [];
    const gone = (): void => void told.push('gone');
    const later = (): void => void told.push('later');
    signal.addEventListener('abort', gone);
    signal.addEventListener('abort', () => signal.removeEventListener('abort', later));
    signal.addEventListener('abort', later);
    signal.removeEventListener('abort', gone);
    signal.abort(reason);
    expect(told).toEqual([]);
  });

  it('tells none that comes too late, and throws why', () => {
    const signal = new AbortSource();
    signal.throwIfAborted();
    signal.abort(reason);
    let told = false;
    signal.addEventListener('abort', () => (told = true));
    expect(told).toBe(false);
    expect(() => signal.throwIfAborted()).toThrow(reason);
  });
});
