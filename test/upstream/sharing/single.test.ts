import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import type { Call, Dispatch, Reply, Send } from '../../../src/upstream/call.ts';
import { callError } from '../../../src/upstream/call.ts';
import { cache } from '../../../src/upstream/caching/cache.ts';
import { createMemoryStore } from '../../../src/upstream/caching/memory-store.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import { openLoad } from '../../../src/upstream/sharing/open-load.ts';
import { single } from '../../../src/upstream/sharing/single.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { callOf, nowhere, ok, turn } from '../../support/upstream-calls.ts';

const itemOf = lookup(nowhere, {
  single: 'GET /items/:id',
  by: 'id',
  item: z.object({ id: z.string() }),
  concurrency: 3,
  cache: { ttlMs: 1_000, negativeTtlMs: 1_000 },
});

/** A gateway's way for loads, and a service that answers when it is told to. */
function start() {
  const clock = createFakeClock();
  const held = new Map<string, PromiseWithResolvers<Reply>>();
  const asked: string[] = [];
  const send: Send<Dispatch> = (dispatch) => {
    expect(dispatch.keys).toHaveLength(1);
    const key = String(dispatch.keys?.[0]);
    const reply = Promise.withResolvers<Reply>();
    asked.push(key);
    held.set(key, reply);
    dispatch.signal.addEventListener('abort', {
      handleEvent: () => reply.reject(dispatch.signal.reason),
    });
    return reply.promise;
  };
  const caching = cache({
    store: createMemoryStore({ clock }),
    clock,
    onRefreshError: () => undefined,
  });
  const sendLoad = caching.load(single(batch(clock, send)));

  async function answer(key: string, status = 200): Promise<void> {
    await settled();
    if (status === 200) held.get(key)?.resolve({ ...ok, value: [{ id: key }] });
    else held.get(key)?.reject(callError({ operation: itemOf }, 'status', 'no', { status }));
    await settled();
  }

  function load(keys: readonly string[], rest: Partial<Call> = {}) {
    return openLoad({ call: callOf(itemOf, {}, rest), keys, failsAtOnce: false }, sendLoad);
  }

  return { asked, answer, load };
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await turn(); // oxlint-disable-line no-await-in-loop
}

describe('single', () => {
  it('sends the next key when one of the client request is answered', async () => {
    const { asked, answer, load } = start();
    load(['a', 'b', 'c', 'd', 'a', 'e']);
    await settled();
    expect(asked).toEqual(['a', 'b', 'c']);
    await answer('b');
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
  });

  it('bounds all loads of a client request together', async () => {
    const { asked, load } = start();
    const { caller, signal } = callOf(itemOf);
    load(['a', 'b'], { caller, signal });
    load(['c', 'd'], { caller, signal });
    await settled();
    expect(asked).toEqual(['a', 'b', 'c']);
  });

  it('lets no other client request wait for the keys of a large one', async () => {
    const { asked, answer, load } = start();
    load(['a', 'b', 'c', 'd']);
    await settled();
    const other = load(['d', 'a']);
    await settled();
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
    await answer('d');
    await answer('a');
    expect((await other.done).values).toEqual([{ id: 'd' }, { id: 'a' }]);
  });

  it('asks for no more keys of a client request that is over', async () => {
    const { asked, load } = start();
    const client = new AbortController();
    const { done } = load(['a', 'b', 'c', 'd', 'e'], { signal: client.signal });
    await settled();
    client.abort(new Error('gone'));
    expect([...((await done).failures ?? [])]).toHaveLength(5);
    await settled();
    expect(asked).toEqual(['a', 'b', 'c']);
  });

  it.each([404, 410])('takes a %i for no item, and keeps that', async (status) => {
    const { asked, answer, load } = start();
    const { done } = load(['a']);
    await answer('a', status);
    expect((await done).values).toEqual([null]);
    expect((await load(['a']).done).values).toEqual([null]);
    expect(asked).toEqual(['a']);
  });

  it('fails the key of a failure only', async () => {
    const { answer, load } = start();
    const { done } = load(['a', 'b']);
    await answer('a', 400);
    await answer('b');
    const { values, failures } = await done;
    expect(values[1]).toEqual({ id: 'b' });
    expect([...(failures ?? [])]).toMatchObject([[0, { kind: 'status', status: 400 }]]);
  });

  it('keeps answers key by key, as a lookup of many keys does', async () => {
    const { asked, answer, load } = start();
    load(['a']);
    await answer('a');
    const { done } = load(['a', 'b']);
    await answer('b');
    expect((await done).replies).toMatchObject([{ cache: 'hit' }, { cache: 'miss' }]);
    expect(asked).toEqual(['a', 'b']);
  });
});
