/** `withinMs`: a tolerated step that takes too long does not hold up the response. */
import { describe, expect, it } from 'vitest';
import { fallback, optional } from '../../src/dsl/guards.ts';
import { call, each, given, map } from '../../src/dsl/steps.ts';
import {
  expectNothingLeft,
  items,
  list,
  maybe,
  part,
  priceOf,
  quiet,
  serve,
  value,
  write,
} from '../support/serve.ts';

const within = { withinMs: 100 };
const late = (step: string): string => `${step};reason=late`;

describe('a step that takes longer than withinMs', () => {
  it('is null or the fallback, says so, and its call ends with the request', async () => {
    const app = await serve(() => ({
      slow: optional(call(part, { name: 'slow' }), within),
      other: fallback(call(part, { name: 'other' }), { value: 'instead' }, within),
      quick: call(part, { name: 'quick' }),
    }));
    const answer = app.ask();
    const slow = await app.upstream.next('GET /parts/slow');
    await app.upstream.next('GET /parts/other');
    await app.upstream.answer('GET /parts/quick', value('Q'));
    await quiet(app);
    app.clock.advance(99);
    await quiet(app);
    expect(app.upstream.waiting()).toBe(2);
    app.clock.advance(1);
    const { status, json, headers } = await answer;
    expect(status).toBe(200);
    expect(json).toMatchObject({ slow: null, other: { value: 'instead' }, quick: value('Q') });
    expect(json.$problems).toEqual([
      {
        pointer: '/slow',
        step: 'slow',
        type: 'urn:plait:problem:late',
        title: 'Step took too long',
        status: 504,
      },
      expect.objectContaining({ pointer: '/other' }),
    ]);
    expect(headers.get('plait-degraded')).toBe(`${late('slow')}, ${late('other')}`);
    await slow.abandoned;
    await expectNothingLeft(app);
  });

  it('counts from when it begins, not from the beginning of the request', async () => {
    const app = await serve(() => {
      const first = call(part, { name: 'first' });
      return optional(call(part, { name: 'second', after: first.value }), within);
    });
    const answer = app.ask();
    const first = await app.upstream.next('GET /parts/first');
    app.clock.advance(500);
    first.answer(value('1'));
    const second = await app.upstream.next('GET /parts/second?after=1');
    app.clock.advance(99);
    second.answer(value('2'));
    expect((await answer).json).toEqual(value('2'));
    await expectNothingLeft(app);
  });

  it('fails the request with 504 where it may not be degraded', async () => {
    const app = await serve(() => ({ slow: optional(call(part, { name: 'slow' }), within) }), {
      degraded: 'fail',
    });
    const answer = app.ask();
    await app.upstream.next('GET /parts/slow');
    app.clock.advance(100);
    const { status, json } = await answer;
    expect({ status, type: json.type, step: json.step }).toEqual({
      status: 504,
      type: 'urn:plait:problem:late',
      step: 'slow',
    });
    await expectNothingLeft(app);
  });

  it('leaves no timer where it ends in time, fails, or the request fails', async () => {
    const app = await serve(() => ({
      fine: optional(call(part, { name: 'fine' }), within),
      bad: optional(call(part, { name: 'bad' }), within),
      slow: optional(call(part, { name: 'slow' }), within),
      must: call(part, { name: 'must' }),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /parts/fine', value('F'));
    await app.upstream.answer('GET /parts/bad', {}, 404);
    await app.upstream.next('GET /parts/slow');
    await quiet(app);
    await app.upstream.answer('GET /parts/must', {}, 404);
    expect((await answer).status).toBe(502);
    await expectNothingLeft(app);
  });

  it('does not end the call of another step that has joined it', async () => {
    const app = await serve(() => ({
      slow: optional(call(part, { name: 'a' }), within),
      same: call(part, { name: 'a' }),
    }));
    const answer = app.ask();
    const a = await app.upstream.next('GET /parts/a');
    app.clock.advance(100);
    await quiet(app);
    a.answer(value('A'));
    expect((await answer).json).toMatchObject({ slow: null, same: value('A') });
    expect(app.upstream.asked()).toEqual(['GET /parts/a']);
    await expectNothingLeft(app);
  });

  it('does not end the call of another request that has joined it', async () => {
    const app = await serve(() => ({ a: optional(call(part, { name: 'a' }), within) }));
    const first = app.ask();
    const a = await app.upstream.next('GET /parts/a');
    app.clock.advance(60);
    const second = app.ask();
    await quiet(app);
    app.clock.advance(40);
    expect((await first).json.a).toBeNull();
    await quiet(app);
    expect(app.upstream.waiting()).toBe(1);
    a.answer(value('A'));
    expect((await second).json).toEqual({ a: value('A') });
    expect(app.upstream.asked()).toEqual(['GET /parts/a']);
    await expectNothingLeft(app);
  });

  it('is asked no more, however often it would be retried', async () => {
    const app = await serve(() => ({ a: optional(call(part, { name: 'a' }), { withinMs: 1 }) }));
    const answer = app.ask();
    const a = await app.upstream.next('GET /parts/a');
    a.answer({}, 503);
    await quiet(app);
    app.clock.advance(1);
    expect((await answer).headers.get('plait-degraded')).toBe(late('a'));
    app.clock.advance(5_000);
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/a']);
    await expectNothingLeft(app);
  });

  it('of a lookup inside each is missing in the items that have none so far', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'l' }), (item) => ({
        id: item.id,
        price: optional(call(priceOf, { id: item.id }), within),
        own: optional(call(part, { name: item.id }), within),
      })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(2));
    await app.upstream.next('GET /prices?ids=1,2');
    await app.upstream.answer('GET /parts/2', value('2'));
    await app.upstream.next('GET /parts/1');
    await quiet(app);
    app.clock.advance(100);
    const { json } = await answer;
    expect(json.rows).toEqual([
      { id: '1', price: null, own: null },
      { id: '2', price: null, own: value('2') },
    ]);
    const where = json.$problems.map(({ pointer }: { pointer: string }) => pointer).toSorted();
    expect(where).toEqual(['/rows/0/own', '/rows/0/price', '/rows/1/price']);
    await expectNothingLeft(app);
  });
});

describe('a given or each that takes longer than withinMs', () => {
  it('begins nothing more, however deep inside', async () => {
    const app = await serve(() => {
      const rows = each(call(list, { name: 'l' }), (item) =>
        given(call(maybe, { name: item.id }), (found) =>
          call(write, { name: found.value, body: { note: 'late' } }),
        ),
      );
      return { rows: optional(rows, within), must: call(part, { name: 'must' }) };
    });
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(2));
    const first = await app.upstream.next('GET /maybe/1');
    const second = await app.upstream.next('GET /maybe/2');
    app.clock.advance(100);
    first.answer(value('a'));
    second.answer(value('b'));
    await quiet(app);
    await app.upstream.answer('GET /parts/must', value('M'));
    const { json, headers } = await answer;
    expect(json).toMatchObject({ rows: null, must: value('M') });
    expect(json.$problems).toEqual([expect.not.objectContaining({ uncertain: true })]);
    expect(headers.get('plait-degraded')).toBe(late('rows'));
    expect(app.upstream.asked().filter((request) => request.startsWith('POST'))).toEqual([]);
    await expectNothingLeft(app);
  });

  it('ends the items of an each that run by themselves, with what they wait for', async () => {
    const app = await serve(() => {
      const rows = each(call(list, { name: 'l' }), (item) => {
        const found = call(part, { name: item.id });
        return call(part, { name: item.id, after: found.value });
      });
      return { rows: fallback(rows, [], within) };
    });
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(3));
    await app.upstream.answer('GET /parts/1', value('a'));
    await app.upstream.answer('GET /parts/1?after=a', value('A'));
    await app.upstream.next('GET /parts/2');
    const third = await app.upstream.next('GET /parts/3');
    app.clock.advance(100);
    const { json } = await answer;
    expect(json).toMatchObject({ rows: [], $problems: [{ pointer: '/rows', status: 504 }] });
    await third.abandoned;
    await quiet(app);
    expect(app.upstream.asked()).toHaveLength(5);
    await expectNothingLeft(app);
  });

  it('says nothing of uncertain writes where the write had been answered before', async () => {
    const app = await serve(() => ({
      made: optional(
        given(call(maybe, { name: 'm' }), () => {
          const made = call(write, { name: 'w', body: { note: 'n' } });
          return call(part, { name: 'p', after: made.value });
        }),
        within,
      ),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /maybe/m', value('M'));
    await app.upstream.answer('POST /writes/w', value('W'));
    await app.upstream.next('GET /parts/p?after=W');
    app.clock.advance(100);
    const { json } = await answer;
    expect(json.$problems).toEqual([expect.not.objectContaining({ uncertain: true })]);
    await expectNothingLeft(app);
  });

  it('lets a write run on, whose result is uncertain', async () => {
    const app = await serve(() => ({
      made: optional(
        given(call(maybe, { name: 'm' }), () => call(write, { name: 'w', body: { note: 'n' } })),
        within,
      ),
      must: call(part, { name: 'must' }),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /maybe/m', value('M'));
    const made = await app.upstream.next('POST /writes/w');
    app.clock.advance(100);
    await app.upstream.answer('GET /parts/must', value('M'));
    const { json } = await answer;
    expect(json.made).toBeNull();
    expect(json.$problems).toMatchObject([{ status: 504, uncertain: true }]);
    expect(app.upstream.waiting()).toBe(1);
    made.answer(value('W'));
    await expectNothingLeft(app);
  });

  it('takes the shorter of two limits, the inner one for its part only', async () => {
    const app = await serve(() => ({
      outer: optional(
        given(call(maybe, { name: 'm' }), (found) => ({
          found,
          inner: optional(call(part, { name: 'inner' }), { withinMs: 50 }),
          rest: call(part, { name: 'rest' }),
        })),
        within,
      ),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /maybe/m', value('M'));
    await app.upstream.next('GET /parts/inner');
    app.clock.advance(50);
    await app.upstream.answer('GET /parts/rest', value('R'));
    const { json } = await answer;
    expect(json.outer).toEqual({ found: value('M'), inner: null, rest: value('R') });
    await expectNothingLeft(app);
  });
});

it('a step that needs the late one gets the value of its guard', async () => {
  const app = await serve(() => {
    const first = fallback(call(part, { name: 'first' }), { value: 'none' }, within);
    return { next: call(part, { name: 'next', after: first.value }), at: map({ first }, () => 1) };
  });
  const answer = app.ask();
  await app.upstream.next('GET /parts/first');
  app.clock.advance(100);
  await app.upstream.answer('GET /parts/next?after=none', value('N'));
  expect((await answer).json).toMatchObject({ next: value('N'), at: 1 });
  await expectNothingLeft(app);
});
