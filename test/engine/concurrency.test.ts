/** `concurrency` of `each`: how many calls of its body are under way at a time. */
import { describe, expect, it } from 'vitest';
import { optional } from '../../src/dsl/guards.ts';
import { call, each, given } from '../../src/dsl/steps.ts';
import {
  expectNothingLeft,
  items,
  list,
  part,
  priceOf,
  quiet,
  serve,
  value,
  write,
} from '../support/serve.ts';
import type { Serving } from '../support/serve.ts';

/**
 * Answers `count` different requests one after the other, each when nothing more comes, and returns
 * the most that were under way together.
 */
async function answerSlowly(
  app: Serving,
  count: number,
  answerTo: (request: string) => unknown,
): Promise<number> {
  const answered = new Set<string>();
  let most = 0;
  const asked = (): string[] => app.upstream.asked().filter((request) => !answered.has(request));
  while (answered.size < count) {
    // oxlint-disable no-await-in-loop -- one after the other
    await expect.poll(asked).not.toEqual([]);
    await quiet(app);
    most = Math.max(most, app.upstream.waiting());
    const [request = ''] = asked();
    answered.add(request);
    await app.upstream.answer(request, answerTo(request));
    // oxlint-enable no-await-in-loop
  }
  return most;
}

function partsOf(count: number): string[] {
  return items(count).map(({ id }) => `GET /parts/${id}`);
}

const parts = () =>
  each(call(list, { name: 'l' }), ({ id }) => call(part, { name: id }), { concurrency: 2 });

describe('the calls of an each with a concurrency', () => {
  it('are under way so many at a time, and begin in the order of the items', async () => {
    const app = await serve(parts);
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(5));
    await app.upstream.next('GET /parts/1').then((first) => first.answer(value('1')));
    const second = await app.upstream.next('GET /parts/2');
    const third = await app.upstream.next('GET /parts/3');
    await quiet(app);
    expect(app.upstream.asked()).not.toContain('GET /parts/4');
    third.answer(value('3'));
    await app.upstream.answer('GET /parts/4', value('4'));
    await app.upstream.answer('GET /parts/5', value('5'));
    second.answer(value('2'));
    expect((await answer).json).toEqual(['1', '2', '3', '4', '5'].map(value));
  });

  it('count together with those of inner blocks, which may have a bound of their own', async () => {
    const app = await serve(() =>
      each(
        call(list, { name: 'l' }),
        ({ id }) => ({
          given: given(id, (name) => call(part, { name: 'given', after: name })),
          inner: each(call(list, { name: id }), (one) => call(part, { name: one.id, after: id })),
          narrow: each(
            call(list, { name: id }),
            (one) => call(part, { name: 'narrow', after: one.id }),
            { concurrency: 1 },
          ),
        }),
        { concurrency: 3 },
      ),
    );
    const answer = app.ask();
    // The list, a list for each item, and the parts of `given`, `inner` and `narrow`.
    const most = await answerSlowly(app, 1 + 4 + 4 + 12 + 3, (request) => {
      if (!request.includes('lists')) return value('x');
      return items(request.endsWith('/l') ? 4 : 3);
    });
    expect(most).toBe(3);
    expect((await answer).status).toBe(200);
  });

  it('hold no lookup back', async () => {
    const app = await serve(() =>
      each(
        call(list, { name: 'l' }),
        ({ id }) => ({ part: call(part, { name: id }), price: call(priceOf, { id }) }),
        { concurrency: 1 },
      ),
    );
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(3));
    const prices = await app.upstream.next('GET /prices?ids=1,2,3');
    prices.answer(items(3).map(({ id }) => ({ id, price: 1 })));
    await Promise.all(partsOf(3).map((request) => app.upstream.answer(request, value('x'))));
    expect((await answer).json).toHaveLength(3);
  });

  it('hold writes back, which are not sent once an item has failed', async () => {
    const app = await serve(
      () =>
        each(
          call(list, { name: 'l' }),
          ({ id }) => call(write, { name: id, body: { note: 'n' } }),
          { concurrency: 1 },
        ),
      { route: 'POST /test' },
    );
    const answer = app.ask({ method: 'POST' });
    await app.upstream.answer('GET /lists/l', items(3));
    await app.upstream.answer('POST /writes/1', value('1'));
    await app.upstream.answer('POST /writes/2', {}, 400);
    const { status, json } = await answer;
    expect(status).toBe(502);
    expect(json.completed).toEqual([{ step: 'write.write', status: 200 }]);
    expect(json.uncertain).toBeUndefined();
    await quiet(app);
    expect(app.upstream.asked()).not.toContain('POST /writes/3');
  });

  it('leave the queue when the deadline has passed', async () => {
    const app = await serve(parts, { deadlineMs: 1_000 });
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(5));
    const first = await app.upstream.next('GET /parts/1');
    await app.upstream.next('GET /parts/2');
    app.clock.advance(1_000);
    expect((await answer).status).toBe(504);
    await first.abandoned;
    await expectNothingLeft(app);
    expect(app.upstream.asked()).toEqual(['GET /lists/l', ...partsOf(2)]);
  });

  it('leave the queue when the client is gone', async () => {
    const app = await serve(parts);
    const client = new AbortController();
    const answer = app.ask({ signal: client.signal }).catch(() => 'gone');
    await app.upstream.answer('GET /lists/l', items(5));
    const first = await app.upstream.next('GET /parts/1');
    client.abort();
    expect(await answer).toBe('gone');
    await first.abandoned;
    await expectNothingLeft(app);
    expect(app.upstream.asked().length).toBeLessThan(4);
  });

  it('are not made any more once a tolerated each has failed', async () => {
    const app = await serve(() => ({
      parts: optional(
        each(
          call(list, { name: 'l' }),
          ({ id }) => {
            const first = call(part, { name: id });
            return call(part, { name: 'next', after: first.value });
          },
          { concurrency: 1 },
        ),
      ),
      slow: call(part, { name: 'slow' }),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(3));
    await app.upstream.answer('GET /parts/1', {}, 404);
    await quiet(app);
    expect(app.upstream.asked()).not.toContain('GET /parts/2');
    await app.upstream.answer('GET /parts/slow', value('s'));
    expect((await answer).json).toMatchObject({ parts: null, slow: value('s') });
  });

  it('wait within the withinMs of their each, and are not sent after it', async () => {
    const app = await serve(() => ({
      parts: optional(parts(), { withinMs: 100 }),
      slow: call(part, { name: 'slow' }),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(5));
    const first = await app.upstream.next('GET /parts/1');
    app.clock.advance(100);
    first.answer(value('1'));
    await quiet(app);
    expect(app.upstream.asked()).not.toContain('GET /parts/3');
    await app.upstream.answer('GET /parts/slow', value('s'));
    expect((await answer).json).toMatchObject({ parts: null });
    await expectNothingLeft(app);
  });

  it('have one bound for each run: another request, or another outer item, has its own', async () => {
    const app = await serve(() =>
      each(call(list, { name: 'l' }), ({ id }) =>
        each(call(list, { name: id }), (one) => call(part, { name: one.id, after: id }), {
          concurrency: 1,
        }),
      ),
    );
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(2));
    await app.upstream.answer('GET /lists/1', items(2));
    await app.upstream.answer('GET /lists/2', items(2));
    const first = await app.upstream.next('GET /parts/1?after=1');
    const second = await app.upstream.next('GET /parts/1?after=2');
    await quiet(app);
    expect(app.upstream.waiting()).toBe(2);
    first.answer(value('a'));
    second.answer(value('b'));
    await app.upstream.answer('GET /parts/2?after=1', value('c'));
    await app.upstream.answer('GET /parts/2?after=2', value('d'));
    expect((await answer).json).toEqual([
      [value('a'), value('c')],
      [value('b'), value('d')],
    ]);
  });
});
