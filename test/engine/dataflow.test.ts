import { describe, expect, it } from 'vitest';
import { optional } from '../../src/dsl/guards.ts';
import { call, each, given, map, pick } from '../../src/dsl/steps.ts';
import { items, list, maybe, part, priceOf, quiet, serve, value, write } from '../support/serve.ts';

describe('the dataflow of steps', () => {
  it('starts steps that do not need each other at once', async () => {
    const app = await serve(() => ({
      a: call(part, { name: 'a' }),
      b: call(part, { name: 'b' }),
      c: call(part, { name: 'c' }),
    }));
    const answer = app.ask();
    const held = await Promise.all(
      ['a', 'b', 'c'].map((name) => app.upstream.next(`GET /parts/${name}`)),
    );
    expect(app.upstream.waiting()).toBe(3);
    for (const { answer: reply } of held) reply(value('x'));
    expect((await answer).status).toBe(200);
  });

  it('starts a step when its own inputs are there, not when a level is complete', async () => {
    const app = await serve(() => {
      const a = call(part, { name: 'a' });
      const b = call(part, { name: 'b' });
      return {
        c: call(part, { name: 'c', after: a.value }),
        d: call(part, { name: 'd', after: b.value }),
      };
    });
    const answer = app.ask();
    const b = await app.upstream.next('GET /parts/b');
    await app.upstream.answer('GET /parts/a', value('A'));
    await app.upstream.answer('GET /parts/c?after=A', value('C'));
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/a', 'GET /parts/b', 'GET /parts/c?after=A']);

    b.answer(value('B'));
    await app.upstream.answer('GET /parts/d?after=B', value('D'));
    expect((await answer).json).toEqual({ c: value('C'), d: value('D') });
  });

  it('runs a diamond in three rounds, its two sides together', async () => {
    const app = await serve(() => {
      const top = call(part, { name: 'top' });
      const left = call(part, { name: 'left', after: top.value });
      const right = call(part, { name: 'right', after: top.value });
      const both = map({ left, right }, (sides) => sides.left.value + sides.right.value);
      return { bottom: call(part, { name: 'bottom', after: both }) };
    });
    const answer = app.ask();
    const top = await app.upstream.next('GET /parts/top');
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/top']);

    top.answer(value('T'));
    const left = await app.upstream.next('GET /parts/left?after=T');
    const right = await app.upstream.next('GET /parts/right?after=T');
    left.answer(value('L'));
    await quiet(app);
    expect(app.upstream.asked()).toHaveLength(3);

    right.answer(value('R'));
    await app.upstream.answer('GET /parts/bottom?after=LR', value('B'));
    expect((await answer).json).toEqual({ bottom: value('B') });
  });

  it('waits for a call whose value is not used', async () => {
    const app = await serve(() => {
      call(part, { name: 'unread' });
      return { a: call(part, { name: 'a' }) };
    });
    let answered = false;
    const answer = app.ask().finally(() => (answered = true));
    const unread = await app.upstream.next('GET /parts/unread');
    await app.upstream.answer('GET /parts/a', value('A'));
    await quiet(app);
    expect(answered).toBe(false);

    unread.answer(value('U'));
    expect((await answer).json).toEqual({ a: value('A') });
  });

  it('fails the request when a call fails whose value is not used', async () => {
    const app = await serve(() => {
      call(part, { name: 'unread' });
      return { fixed: true };
    });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/unread', {}, 500);
    expect((await answer).status).toBe(502);
  });

  it('makes identical calls of one request once', async () => {
    const app = await serve(() => ({
      one: call(part, { name: 'a', after: 'x' }),
      same: call(part, { after: 'x', name: 'a' }),
      other: call(part, { name: 'a', after: 'y' }),
    }));
    app.upstream.answerAll(value);
    const { json } = await app.ask();
    expect(json.same).toEqual(json.one);
    expect(json.other).not.toEqual(json.one);
    expect(app.upstream.asked()).toEqual(['GET /parts/a?after=x', 'GET /parts/a?after=y']);
  });

  it('makes the same call again for the next request', async () => {
    const app = await serve(() => ({ a: call(part, { name: 'a' }) }));
    app.upstream.answerAll(value);
    await app.ask();
    await app.ask();
    expect(app.upstream.asked()).toEqual(['GET /parts/a', 'GET /parts/a']);
  });

  it('makes calls that write as often as they are written', async () => {
    const app = await serve(
      () => ({
        one: call(write, { name: 'a', body: { note: 'n' } }),
        two: call(write, { name: 'a', body: { note: 'n' } }),
      }),
      { route: 'POST /test' },
    );
    app.upstream.answerAll(value);
    expect((await app.ask({ method: 'POST' })).status).toBe(200);
    expect(app.upstream.asked()).toEqual(['POST /writes/a', 'POST /writes/a']);
  });
});

describe('the template of the response', () => {
  it('keeps the declared order of fields, whichever value is there first', async () => {
    const app = await serve(() => {
      const a = call(part, { name: 'a' });
      return {
        z: 1,
        late: call(part, { name: 'late', after: a.value }).value,
        nested: { y: a.value, b: [a.value, 'literal', null] },
        a: a.value,
      };
    });
    app.upstream.answerAll(value);
    const text = await (await fetch(`${app.url}/test`)).text();
    expect(text).toBe(
      '{"z":1,"late":"GET /parts/late?after=GET+%2Fparts%2Fa",' +
        '"nested":{"y":"GET /parts/a","b":["GET /parts/a","literal",null]},"a":"GET /parts/a"}',
    );
  });

  it('may be a list, a single reference or a constant', async () => {
    const app = await serve(() => [call(part, { name: 'a' }).value, 'b']);
    app.upstream.answerAll(value);
    expect((await app.ask()).json).toEqual(['GET /parts/a', 'b']);

    const single = await serve(() => call(list, { name: 'l' }));
    single.upstream.answerAll(() => items(2));
    expect((await single.ask()).json).toEqual(items(2));

    const nothing = await serve(() => map({}, () => null));
    expect((await nothing.ask()).json).toBeNull();

    const constant = await serve(() => ({ fixed: [1, null] }));
    expect((await constant.ask()).json).toEqual({ fixed: [1, null] });
  });
});

describe('each', () => {
  it('runs all its items at once and gives the results in their order', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'l' }), (item) => ({
        id: item.id,
        part: call(part, { name: item.id }).value,
      })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(3));
    const held = await Promise.all(
      ['1', '2', '3'].map((id) => app.upstream.next(`GET /parts/${id}`)),
    );
    expect(app.upstream.waiting()).toBe(3);
    for (const [index, arrival] of [...held.entries()].toReversed())
      arrival.answer(value(`v${index + 1}`));
    expect((await answer).json.rows).toEqual([
      { id: '1', part: 'v1' },
      { id: '2', part: 'v2' },
      { id: '3', part: 'v3' },
    ]);
  });

  it('lets a quick item continue while a slow one is held up', async () => {
    const app = await serve(() =>
      each(call(list, { name: 'l' }), (item) => {
        const first = call(part, { name: item.id });
        return call(part, { name: 'second', after: first.value }).value;
      }),
    );
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(2));
    const slow = await app.upstream.next('GET /parts/1');
    await app.upstream.answer('GET /parts/2', value('two'));
    await app.upstream.answer('GET /parts/second?after=two', value('TWO'));
    slow.answer(value('one'));
    await app.upstream.answer('GET /parts/second?after=one', value('ONE'));
    expect((await answer).json).toEqual(['ONE', 'TWO']);
  });

  it('starts calls of its body that do not need an outer step under way', async () => {
    const app = await serve(() => {
      const outer = call(part, { name: 'outer' });
      return each(call(list, { name: 'l' }), (item) => ({
        own: call(part, { name: item.id }).value,
        withOuter: call(part, { name: `with`, after: outer.value }).value,
      }));
    });
    const answer = app.ask();
    const outer = await app.upstream.next('GET /parts/outer');
    await app.upstream.answer('GET /lists/l', items(2));
    await app.upstream.answer('GET /parts/1', value('one'));
    await app.upstream.answer('GET /parts/2', value('two'));
    outer.answer(value('O'));
    await app.upstream.answer('GET /parts/with?after=O', value('W'));
    expect((await answer).json).toEqual([
      { own: 'one', withOuter: 'W' },
      { own: 'two', withOuter: 'W' },
    ]);
  });

  it('can be nested in another each and read the items of both', async () => {
    const app = await serve(() =>
      each(call(list, { name: 'outer' }), (outer) => ({
        id: outer.id,
        inner: each(call(list, { name: outer.id }), (inner) => ({
          pair: map({ outer, inner }, (ids) => `${ids.outer.id}-${ids.inner.id}`),
          price: call(priceOf, { id: inner.id }),
        })),
      })),
    );
    const answer = app.ask();
    await app.upstream.answer('GET /lists/outer', [{ id: 'p' }, { id: 'q' }]);
    const p = await app.upstream.next('GET /lists/p');
    const q = await app.upstream.next('GET /lists/q');
    p.answer([{ id: 'a' }, { id: 'b' }]);
    await app.upstream.answer('GET /prices?ids=a,b', [
      { id: 'b', price: 2 },
      { id: 'a', price: 1 },
    ]);
    q.answer([]);
    expect((await answer).json).toEqual([
      {
        id: 'p',
        inner: [
          { pair: 'p-a', price: { id: 'a', price: 1 } },
          { pair: 'p-b', price: { id: 'b', price: 2 } },
        ],
      },
      { id: 'q', inner: [] },
    ]);
  });

  it('gives an empty list for an empty list, without a call', async () => {
    const app = await serve(() =>
      each(call(list, { name: 'l' }), (item) => call(part, { name: item.id })),
    );
    app.upstream.answerAll(() => []);
    expect((await app.ask()).json).toEqual([]);
    expect(app.upstream.asked()).toEqual(['GET /lists/l']);
  });

  it('makes one lookup for all its items, and one call for what is the same for all', async () => {
    const app = await serve(() =>
      each(call(list, { name: 'l' }), (item) => ({
        price: call(priceOf, { id: item.id }),
        shared: call(part, { name: 'shared' }),
      })),
    );
    app.upstream.answerAll((request) =>
      request.startsWith('GET /lists')
        ? items(30)
        : request.startsWith('GET /prices')
          ? []
          : value('s'),
    );
    const { json } = await app.ask();
    expect(json).toHaveLength(30);
    expect(json[0]).toEqual({ price: null, shared: value('s') });
    const ids = items(30).map(({ id }) => id);
    expect(app.upstream.asked()).toEqual([
      'GET /lists/l',
      'GET /parts/shared',
      `GET /prices?ids=${ids.join(',')}`,
    ]);
  });
});

describe('given', () => {
  it('starts all calls of its body at once when the value is present', async () => {
    const app = await serve(() => ({
      more: given(call(maybe, { name: 'm' }), (present) => ({
        a: call(part, { name: 'a', after: present.value }),
        b: call(part, { name: 'b' }),
      })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /maybe/m', value('M'));
    const a = await app.upstream.next('GET /parts/a?after=M');
    const b = await app.upstream.next('GET /parts/b');
    expect(app.upstream.waiting()).toBe(2);
    a.answer(value('A'));
    b.answer(value('B'));
    expect((await answer).json).toEqual({ more: { a: value('A'), b: value('B') } });
  });

  it('gives null, without a call or a failure, when the value is absent', async () => {
    const app = await serve(() => ({
      more: given(call(maybe, { name: 'm' }), (present) =>
        call(part, { name: 'a', after: present.value }),
      ),
    }));
    app.upstream.answerAll(() => null);
    const { status, json, headers } = await app.ask();
    expect({ status, json }).toEqual({ status: 200, json: { more: null } });
    expect(headers.has('plait-degraded')).toBe(false);
    expect(app.upstream.asked()).toEqual(['GET /maybe/m']);
  });

  it('treats false, zero and the empty string as present', async () => {
    const app = await serve(() => ({
      text: given(
        map({}, () => ''),
        (text) => ({ text }),
      ),
      zero: given(
        map({}, () => 0),
        (zero) => ({ zero }),
      ),
      no: given(
        map({}, () => false),
        (no) => ({ no }),
      ),
      nothing: given(
        map({}, () => null),
        (nothing) => ({ nothing }),
      ),
    }));
    expect((await app.ask()).json).toEqual({
      text: { text: '' },
      zero: { zero: 0 },
      no: { no: false },
      nothing: null,
    });
  });
});

describe('pick and optional', () => {
  it('leave absent values absent', async () => {
    const app = await serve(() => ({
      picked: pick(call(maybe, { name: 'a' }), 'value'),
      field: optional(call(maybe, { name: 'b' })).value,
    }));
    app.upstream.answerAll(() => null);
    expect((await app.ask()).json).toEqual({ picked: null, field: null });
  });
});
