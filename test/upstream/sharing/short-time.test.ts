import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../src/clock.ts';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { UpstreamError } from '../../../src/errors.ts';
import type { Dispatch, Reply } from '../../../src/upstream/call.ts';
import { callError } from '../../../src/upstream/call.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import { coalesce } from '../../../src/upstream/sharing/coalesce.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import {
  callOf,
  callWith,
  callerOf,
  nowhere,
  ok,
  oneByOne,
  openShop,
  turn,
} from '../../support/upstream-calls.ts';

const getOrder = operation(nowhere, { route: 'GET /orders', response: z.unknown(), retry: false });
const orderOf = lookup(nowhere, {
  route: 'GET /orders',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  retry: false,
});

/** Clients that come and go as the clock says, to a service that is answered for by hand. */
function startClients(kind: 'call' | 'lookup', budget = 10) {
  const clock = createFakeClock();
  const sent: { dispatch: Dispatch; answer: PromiseWithResolvers<Reply> }[] = [];
  let left = budget;
  const withdraw = () => (left -= 1) >= 0;
  const next = (dispatch: Dispatch): Promise<Reply> => {
    const answer = Promise.withResolvers<Reply>();
    sent.push({ dispatch, answer });
    dispatch.signal.addEventListener('abort', () => answer.reject(dispatch.signal.reason));
    return answer.promise;
  };
  const send =
    kind === 'call'
      ? coalesce(clock, { withdraw })(next)
      : oneByOne(batch(clock, next, { withdraw }));
  /** A client that has so many milliseconds. */
  const come = async (hasMs: number): Promise<{ words: Promise<string> }> => {
    const client = new AbortController();
    const cancel = clock.after(hasMs, () => client.abort(new Error('its deadline')));
    const createdAt = clock.now();
    const deadlineAt = createdAt + hasMs;
    const own = kind === 'call' ? getOrder : orderOf;
    const args = kind === 'call' ? {} : { id: 'a' };
    const call = callOf(own, args, { createdAt, deadlineAt, signal: client.signal });
    const words = send(call)
      .then(() => 'answered', wordsOf)
      .finally(cancel);
    await turn();
    return { words };
  };
  const answer = async (at: number, error?: Error) => {
    if (error === undefined) sent[at]?.answer.resolve({ ...ok, value: [{ id: 'a' }] });
    else sent[at]?.answer.reject(error);
    await turn();
  };
  const times = () => sent.map(({ dispatch }) => dispatch.deadlineAt);
  return { clock, come, answer, times };
}

function wordsOf(error: unknown): string {
  return error instanceof UpstreamError
    ? `${error.kind} ${error.status ?? ''}`.trim()
    : String(error);
}

const status = (code: number) =>
  callError({ operation: getOrder }, 'status', 'x', { status: code });
const failed = (kind: 'timeout' | 'reset' | 'overloaded' | 'connect') =>
  callError({ operation: getOrder }, kind, 'x');

describe.each(['call', 'lookup'] as const)(
  'a shared %s that fails at the end of the first client’s time',
  (kind) => {
    it.each([status(504), status(502), status(500), failed('timeout'), failed('reset')])(
      'is made once more for clients with time left, by the latest of their deadlines (%s)',
      async (failure) => {
        const { clock, come, answer, times } = startClients(kind);
        const first = await come(500);
        clock.advance(30);
        const joined = [await come(900), await come(800), await come(470)];
        clock.advance(465);
        await answer(0, failure);
        expect(times()).toEqual([500, 930]);
        const told = wordsOf(failure);
        expect([await first.words, await joined[2]?.words]).toEqual([told, told]);
        await answer(1);
        expect(await Promise.all([joined[0]?.words, joined[1]?.words])).toEqual([
          'answered',
          'answered',
        ]);
        expect(clock.pending).toBe(0);
      },
    );

    it('is made once more whenever the service says that its time was too short', async () => {
      const { clock, come, answer, times } = startClients(kind);
      void (await come(500));
      const joined = await come(900);
      clock.advance(10);
      await answer(0, status(504));
      expect(times()).toEqual([500, 900]);
      await answer(1);
      expect(await joined.words).toBe('answered');
    });

    it('is made once more only', async () => {
      const { clock, come, answer, times } = startClients(kind);
      void (await come(500));
      const joined = await come(900);
      clock.advance(500);
      await answer(0, status(504));
      clock.advance(390);
      await answer(1, status(503));
      expect(await joined.words).toBe('status 503');
      expect(times()).toHaveLength(2);
    });

    it('fails with its first failure if the retry budget is used up', async () => {
      const { clock, come, answer, times } = startClients(kind, 0);
      void (await come(500));
      const joined = await come(900);
      clock.advance(500);
      await answer(0, status(504));
      expect(await joined.words).toBe('status 504');
      expect(times()).toHaveLength(1);
    });

    it('fails with its first failure if it could not be sent again', async () => {
      const { clock, come, answer } = startClients(kind);
      void (await come(500));
      const joined = await come(900);
      clock.advance(500);
      await answer(0, status(504));
      await answer(1, failed('overloaded'));
      expect(await joined.words).toBe('status 504');
    });

    it('is cancelled when no client waits for it any more', async () => {
      const { clock, come, answer, times } = startClients(kind);
      void (await come(500));
      const joined = await come(900);
      clock.advance(500);
      await answer(0, status(504));
      expect(times()).toHaveLength(2);
      clock.advance(400);
      expect(await joined.words).toBe('Error: its deadline');
    });

    it.each([
      ['early, by what more time would not change', 10, status(500)],
      ['for what its arguments are', 499, status(400)],
      ['since it was not sent', 499, failed('overloaded')],
    ])('is not made again if it fails %s', async (_, afterMs, error) => {
      const { clock, come, answer, times } = startClients(kind);
      void (await come(500));
      const joined = await come(900);
      clock.advance(afterMs);
      await answer(0, error);
      expect(await joined.words).toBe(wordsOf(error));
      expect(times()).toHaveLength(1);
    });

    it('is not made again for clients that had hardly more time', async () => {
      const { clock, come, answer, times } = startClients(kind);
      void (await come(10_000));
      clock.advance(30);
      const joined = await come(10_000);
      clock.advance(2_960);
      await answer(0, failed('timeout'));
      expect(await joined.words).toBe('timeout');
      expect(times()).toHaveLength(1);
    });

    it('is made again for a client that joined shortly before the attempt timed out', async () => {
      const { clock, come, answer, times } = startClients(kind);
      void (await come(10_000));
      clock.advance(2_500);
      const joined = await come(10_000);
      clock.advance(500);
      await answer(0, failed('timeout'));
      expect(times()).toEqual([10_000, 12_500]);
      await answer(1);
      expect(await joined.words).toBe('answered');
    });
  },
);

describe('a client that joins a shared call', () => {
  it('never loses its own time, and causes one more dispatch at most', async () => {
    const client = fc.record({
      afterMs: fc.integer({ min: 1, max: 60 }),
      moreMs: fc.constantFrom(0, 150, 300),
    });
    await assertProperty(
      fc.asyncProperty(
        fc.constantFrom('call' as const, 'lookup' as const),
        fc.array(client, { minLength: 1, maxLength: 6 }),
        async (kind, clients) => {
          const { clock, come, answer, times } = startClients(kind);
          const first = await come(600);
          const joined: { words: Promise<string>; hasMore: boolean }[] = [];
          for (const { afterMs, moreMs } of clients) {
            clock.advance(afterMs);
            // oxlint-disable-next-line no-await-in-loop -- one after the other
            const { words } = await come(600 - clock.now() + moreMs);
            joined.push({ words, hasMore: moreMs > 0 });
          }
          clock.advance(599 - clock.now());
          await answer(0, status(504));
          await answer(1);
          expect(await first.words).toBe('status 504');
          for (const { words, hasMore } of joined)
            // oxlint-disable-next-line no-await-in-loop -- all are there
            expect(await words).toBe(hasMore ? 'answered' : 'status 504');
          expect(times()).toHaveLength(joined.some(({ hasMore }) => hasMore) ? 2 : 1);
        },
      ),
      { full: 1_000 },
    );
  });

  it('does not lose its own time over a real connection', async () => {
    const { url, requests } = await startServer((request, response) => {
      const toldMs = Number(request.headers['x-request-timeout-ms']);
      if (requests.length > 1) return void response.end('"done"');
      setTimeout(() => response.writeHead(504).end(), toldMs * 0.9);
    });
    const { service, upstreams } = openShop({ url });
    const own = operation(service, { route: 'GET /slow', response: z.unknown() });
    const ask = (hasMs: number) =>
      callWith(upstreams.open(callerOf({ deadlineAt: systemClock.now() + hasMs })))(
        own,
        {},
        undefined,
      ).then(({ value }) => value, wordsOf);
    const hurried = ask(600);
    const patient = ask(1_140);
    expect(await Promise.all([hurried, patient])).toEqual(['status 504', 'done']);
    const told = requests.map(({ headers }) => Number(headers['x-request-timeout-ms']));
    expect(told.map((ms) => ms > 300)).toEqual([true, true]);
    expect(requests).toHaveLength(2);
  });
});
