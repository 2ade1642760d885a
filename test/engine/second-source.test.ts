/** `fallback` with a function: another source is asked, only after a failure. */
import { describe, expect, it } from 'vitest';
import { fallback, optional } from '../../src/dsl/guards.ts';
import { after, call, each, given, map } from '../../src/dsl/steps.ts';
import {
  expectNothingLeft,
  hastyPart,
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
import type { Serving } from '../support/serve.ts';

const first = () => call(part, { name: 'first' });
const second = () => call(part, { name: 'second' });
const note = { note: 'n' };

describe('fallback(step, (failure) => …)', () => {
  it('asks the second source of nothing while the first answers', async () => {
    const app = await serve(() => ({ part: fallback(first(), second) }));
    app.upstream.answerAll(() => value('1'));
    const { json, headers } = await app.ask();
    expect(json).toEqual({ part: value('1') });
    expect(headers.get('plait-degraded')).toBeNull();
    expect(app.upstream.asked()).toEqual(['GET /parts/first']);
    await expectNothingLeft(app);
  });

  it('gives the value of the second after a failure, and says that it has', async () => {
    const app = await serve(() => ({ part: fallback(first(), second) }), {
      cache: { maxAge: 60 },
    });
    const answer = app.ask();
    const one = await app.upstream.next('GET /parts/first');
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/first']);
    one.answer({}, 404);
    await app.upstream.answer('GET /parts/second', value('2'));
    const { status, json, headers } = await answer;
    expect(status).toBe(200);
    expect(json).toEqual({
      part: value('2'),
      $problems: [
        {
          pointer: '/part',
          step: 'part',
          type: 'urn:plait:problem:upstream-status',
          title: 'Upstream failed',
          status: 502,
          instead: true,
        },
      ],
    });
    expect(headers.get('plait-degraded')).toBe('part;reason=status;status=404;instead');
    expect(headers.get('cache-control')).toBe('no-store');
    await expectNothingLeft(app);
  });

  it.each<[string, { kind: string; status: number | null }, (app: Serving) => Promise<void>]>([
    [
      'a status',
      { kind: 'status', status: 404 },
      (app) => app.upstream.answer('GET /hasty/a', {}, 404),
    ],
    [
      'no answer',
      { kind: 'reset', status: null },
      async (app) => (await app.upstream.next('GET /hasty/a')).reset(),
    ],
    [
      'an answer too late',
      { kind: 'timeout', status: null },
      async (app) => {
        await app.upstream.next('GET /hasty/a');
        app.clock.advance(50);
      },
    ],
    [
      'an answer that does not fit',
      { kind: 'invalid-body', status: null },
      (app) => app.upstream.answer('GET /hasty/a', { value: 1 }),
    ],
  ])('tells its function of %s', async (_, failure, fail) => {
    const app = await serve(() => ({
      it: fallback(call(hastyPart, { name: 'a' }), (why) => ({
        kind: why.kind,
        status: why.status,
        of: call(part, { name: why.kind }),
        said: map(why, ({ kind, status }) => `${kind} ${status}`),
      })),
    }));
    const answer = app.ask();
    await fail(app);
    await app.upstream.answer(`GET /parts/${failure.kind}`, value('2'));
    const { json } = await answer;
    const said = `${failure.kind} ${failure.status}`;
    expect(json.it).toEqual({ ...failure, of: value('2'), said });
    await expectNothingLeft(app);
  });

  it('keeps the first failure where the second fails too', async () => {
    const app = await serve(() => ({ part: fallback(first(), second) }));
    const answer = app.ask();
    await app.upstream.answer('GET /parts/first', {}, 404);
    await app.upstream.answer('GET /parts/second', {}, 410);
    const { status, json } = await answer;
    expect(status).toBe(502);
    expect(json).toMatchObject({
      step: 'part',
      type: 'urn:plait:problem:upstream-status',
      detail: 'upstream.part answered 404.',
    });
    await expectNothingLeft(app);
  });

  it('can be tolerated itself, by a value and by a third source', async () => {
    const app = await serve(() => ({
      none: optional(fallback(first(), second)),
      plain: fallback(
        fallback(call(part, { name: 'a' }), () => call(part, { name: 'b' })),
        value('v'),
      ),
      third: fallback(
        fallback(call(part, { name: 'c' }), () => call(part, { name: 'd' })),
        (failure) => call(part, { name: 'e', after: failure.kind }),
      ),
    }));
    const answer = app.ask();
    for (const name of ['first', 'second', 'a', 'b', 'c', 'd'])
      await app.upstream.answer(`GET /parts/${name}`, {}, name === 'd' ? 410 : 404);
    await app.upstream.answer('GET /parts/e?after=status', value('e'));
    const { json, headers } = await answer;
    expect(json).toMatchObject({ none: null, plain: value('v'), third: value('e') });
    const reason = 'reason=status;status=404';
    expect(headers.get('plait-degraded')).toBe(
      `none;${reason}, plain;${reason}, third;${reason};instead`,
    );
    await expectNothingLeft(app);
  });

  it('takes the place of a given or each that fails, and of a step that another needs', async () => {
    const app = await serve(() => {
      const rows = each(call(list, { name: 'l' }), ({ id }) => call(part, { name: id }));
      const whole = fallback(rows, () => [{ value: call(part, { name: 'only' }).value }]);
      return { whole, next: call(part, { name: 'next', after: fallback(first(), second).value }) };
    });
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(2));
    await app.upstream.answer('GET /parts/1', value('1'));
    await app.upstream.answer('GET /parts/2', {}, 404);
    await app.upstream.answer('GET /parts/only', value('o'));
    await app.upstream.answer('GET /parts/first', {}, 404);
    await app.upstream.answer('GET /parts/second', value('2'));
    await app.upstream.answer('GET /parts/next?after=2', value('n'));
    const { json } = await answer;
    expect(json).toMatchObject({ whole: [value('o')], next: value('n') });
    expect(json.$problems).toEqual([
      expect.objectContaining({ pointer: '/whole', step: 'whole', instead: true }),
      expect.objectContaining({ pointer: '/next', instead: true }),
    ]);
    await expectNothingLeft(app);
  });

  it('says what is missing in the value of the second source, too', async () => {
    const app = await serve(() => ({
      part: fallback(first(), () => ({ a: optional(second()), b: 1 })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /parts/first', {}, 404);
    await app.upstream.answer('GET /parts/second', {}, 404);
    const { json } = await answer;
    expect(json).toMatchObject({ part: { a: null, b: 1 } });
    expect(json.$problems).toEqual([
      expect.objectContaining({ pointer: '/part', step: 'part', instead: true }),
      expect.not.objectContaining({ instead: true }),
    ]);
    expect(json.$problems[1]).toMatchObject({ pointer: '/part/a', step: 'part.instead.a' });
    await expectNothingLeft(app);
  });

  it('gives the failures of an answer under `after` to nobody', async () => {
    const app = await serve(() => {
      const must = call(part, { name: 'must' });
      return {
        must: optional(must),
        part: optional(after(must, () => fallback(first(), second))),
      };
    });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/must', {}, 404);
    const { json } = await answer;
    expect(json).toMatchObject({ must: null, part: null });
    expect(app.upstream.asked()).toEqual(['GET /parts/must']);
    await expectNothingLeft(app);
  });
});

describe('a second source inside each', () => {
  it('is asked for the items that have failed, and as soon as they have', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'l' }), ({ id }) => ({
        id,
        part: fallback(call(part, { name: id }), () => call(maybe, { name: id })),
      })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(3));
    const third = await app.upstream.next('GET /parts/3');
    await app.upstream.answer('GET /parts/1', value('1'));
    await app.upstream.answer('GET /parts/2', {}, 404);
    await app.upstream.answer('GET /maybe/2', value('two'));
    third.answer({}, 404);
    await app.upstream.answer('GET /maybe/3', value('three'));
    const { json, headers } = await answer;
    expect(json.rows).toEqual([
      { id: '1', part: value('1') },
      { id: '2', part: value('two') },
      { id: '3', part: value('three') },
    ]);
    const where = json.$problems.map(({ pointer }: { pointer: string }) => pointer);
    expect(where.toSorted()).toEqual(['/rows/1/part', '/rows/2/part']);
    expect(headers.get('plait-degraded')).toBe(
      'rows.part;reason=status;status=404;instead;count=2',
    );
    expect(app.upstream.asked()).not.toContain('GET /maybe/1');
    await expectNothingLeft(app);
  });

  it('of a lookup asks another lookup once for all keys without an item', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'l' }), ({ id }) => ({
        price: fallback(call(priceOf, { id }), () => call(priceOf, { id: '9' })),
        part: optional(call(part, { name: id })),
      })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(2));
    await app.upstream.answer('GET /prices?ids=1,2', {}, 404);
    for (const { id } of items(2)) await app.upstream.answer(`GET /parts/${id}`, value(id));
    await app.upstream.answer('GET /prices?ids=9', [{ id: '9', price: 9 }]);
    const { json } = await answer;
    expect(json.rows.map(({ price }: { price: { price: number } }) => price.price)).toEqual([9, 9]);
    await expectNothingLeft(app);
  });

  it('fails the list with the first failure of the item that has no source left', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'l' }), ({ id }) =>
        fallback(call(part, { name: id }), () => call(maybe, { name: id })),
      ),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(2));
    await app.upstream.answer('GET /parts/1', {}, 404);
    await app.upstream.answer('GET /maybe/1', {}, 410);
    const { status, json } = await answer;
    expect([status, json.detail]).toEqual([502, 'upstream.part answered 404.']);
    await expectNothingLeft(app);
  });
});

describe('a second source never begins', () => {
  it('where nothing may be degraded', async () => {
    const app = await serve(() => ({ part: fallback(first(), second) }), { degraded: 'fail' });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/first', {}, 404);
    expect((await answer).status).toBe(502);
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/first']);
    await expectNothingLeft(app);
  });

  it('at the deadline', async () => {
    const app = await serve(() => ({ part: fallback(first(), second) }), { deadlineMs: 500 });
    const answer = app.ask();
    await app.upstream.next('GET /parts/first');
    app.clock.advance(500);
    const { status, json } = await answer;
    expect([status, json.type]).toEqual([504, 'urn:plait:problem:deadline']);
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/first']);
    await expectNothingLeft(app);
  });

  it('when the client is gone', async () => {
    const app = await serve(() => ({ part: optional(fallback(first(), second)) }));
    const client = new AbortController();
    const answer = app.ask({ signal: client.signal }).catch(() => undefined);
    const one = await app.upstream.next('GET /parts/first');
    client.abort();
    await answer;
    await one.abandoned;
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/first']);
    await expectNothingLeft(app);
  });

  it.each<[string, (app: Serving) => Promise<void>]>([
    ['whose result is unknown', async (app) => (await app.upstream.next('POST /writes/w')).reset()],
    [
      'that was done, and whose answer cannot be read',
      (app) => app.upstream.answer('POST /writes/w', { value: 1 }, 201),
    ],
  ])('after a write %s', async (_, fail) => {
    const app = await serve(() => ({
      made: optional(
        fallback(call(write, { name: 'w', body: note }), () =>
          call(write, { name: 'again', body: note }),
        ),
      ),
    }));
    const answer = app.ask();
    await fail(app);
    expect((await answer).json.made).toBeNull();
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['POST /writes/w']);
    await expectNothingLeft(app);
  });

  it('after a write inside the step that was done before another step failed', async () => {
    const app = await serve(() => ({
      made: optional(
        fallback(
          given(call(maybe, { name: 'm' }), () => {
            const made = call(write, { name: 'w', body: note });
            return call(part, { name: 'p', after: made.value });
          }),
          () => call(write, { name: 'again', body: note }),
        ),
      ),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /maybe/m', value('M'));
    await app.upstream.answer('POST /writes/w', value('W'));
    await app.upstream.answer('GET /parts/p?after=W', {}, 404);
    expect((await answer).json.made).toBeNull();
    await quiet(app);
    expect(app.upstream.asked()).not.toContain('POST /writes/again');
    await expectNothingLeft(app);
  });
});

it('a second source begins after a write that was rejected, whatever became of other items', async () => {
  const app = await serve(() => ({
    rows: each(call(list, { name: 'l' }), ({ id }) =>
      fallback(call(write, { name: id, body: note }), () =>
        call(write, { name: 'again', body: note }),
      ),
    ),
  }));
  const answer = app.ask();
  await app.upstream.answer('GET /lists/l', items(2));
  await app.upstream.answer('POST /writes/1', value('1'), 201);
  await app.upstream.answer('POST /writes/2', {}, 409);
  await app.upstream.answer('POST /writes/again', value('2'), 201);
  expect((await answer).json.rows).toEqual([value('1'), value('2')]);
  await expectNothingLeft(app);
});

describe('withinMs and a second source', () => {
  it('of fallback bounds the first source only', async () => {
    const app = await serve(() => ({ part: fallback(first(), second, { withinMs: 100 }) }));
    const answer = app.ask();
    await app.upstream.next('GET /parts/first');
    app.clock.advance(100);
    const two = await app.upstream.next('GET /parts/second');
    app.clock.advance(500);
    two.answer(value('2'));
    const { json, headers } = await answer;
    expect(json.part).toEqual(value('2'));
    expect(headers.get('plait-degraded')).toBe('part;reason=late;instead');
    await expectNothingLeft(app);
  });

  it('around it bounds both together, from when the first begins', async () => {
    const app = await serve(() => ({
      part: optional(fallback(first(), second, { withinMs: 100 }), { withinMs: 300 }),
      other: optional(
        fallback(call(part, { name: 'a' }), () => call(part, { name: 'b' })),
        { withinMs: 300 },
      ),
    }));
    const answer = app.ask();
    await app.upstream.next('GET /parts/a');
    await app.upstream.next('GET /parts/first');
    app.clock.advance(100);
    await app.upstream.next('GET /parts/second');
    app.clock.advance(199);
    await quiet(app);
    expect(app.upstream.waiting()).toBe(3);
    app.clock.advance(1);
    const { json, headers } = await answer;
    expect(json).toMatchObject({ part: null, other: null });
    expect(headers.get('plait-degraded')).toBe('part;reason=late, other;reason=late');
    expect(app.upstream.asked()).not.toContain('GET /parts/b');
    await expectNothingLeft(app);
  });
});
