import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../src/dsl/declare-lookup.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { fallback, optional } from '../../src/dsl/guards.ts';
import { call, each, given, map, pick } from '../../src/dsl/steps.ts';
import type { Answer } from '../support/request.ts';
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

/** A call and a lookup with an argument that can be anything. */
const partAfter = operation(priceOf.service, {
  name: 'partAfter',
  route: 'GET /after/:id',
  query: z.object({ after: z.unknown() }),
  response: z.unknown(),
});

const pricedAfter = lookup(priceOf.service, {
  name: 'pricedAfter',
  route: 'GET /priced',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  query: z.object({ after: z.unknown() }),
});

/** Its items may have fields that no schema declares. */
const bag = operation(priceOf.service, {
  name: 'bag',
  route: 'GET /bag',
  response: z.object({ items: z.array(z.object({ n: z.number() }).loose()) }),
});

function cyclic(): object {
  const loop: { self?: unknown } = {};
  loop.self = loop;
  return loop;
}

/** Where something is missing, as `$problems` says it. */
function pointers({ json }: Answer): string[] {
  return json.$problems.map(({ pointer }: { pointer: string }) => pointer);
}

describe('the failure of a required step', () => {
  it('fails the request at once and aborts everything in flight', async () => {
    const app = await serve(() => ({
      broken: call(part, { name: 'broken' }),
      slow: call(part, { name: 'slow' }),
      tolerated: optional(call(part, { name: 'tolerated' })),
    }));
    const answer = app.ask();
    const slow = await app.upstream.next('GET /parts/slow');
    const tolerated = await app.upstream.next('GET /parts/tolerated');
    await app.upstream.answer('GET /parts/broken', {}, 500);
    const { status, json } = await answer;
    expect({ status, step: json.step }).toEqual({ status: 502, step: 'broken' });
    await Promise.all([slow.abandoned, tolerated.abandoned]);
    await expectNothingLeft(app);
  });

  it('is noticed while another input of the step that needs both is held up', async () => {
    const app = await serve(() => {
      const broken = call(part, { name: 'broken' });
      const slow = call(part, { name: 'slow' });
      return { both: map({ broken, slow }, (parts) => parts.broken.value + parts.slow.value) };
    });
    const answer = app.ask();
    const slow = await app.upstream.next('GET /parts/slow');
    await app.upstream.answer('GET /parts/broken', {}, 404);
    expect((await answer).status).toBe(502);
    await slow.abandoned;
  });

  it('names the step that failed, not the step that needed its value', async () => {
    const app = await serve(() => {
      const first = call(part, { name: 'first' });
      return { first, second: call(part, { name: 'second', after: first.value }) };
    });
    app.upstream.answerAll(() => 'not an object');
    const { json } = await app.ask();
    expect(json.step).toBe('first');
    expect(app.upstream.asked()).toEqual(['GET /parts/first']);
  });

  it('aborts the calls of the other items when it happens inside each', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'l' }), (item) => call(part, { name: item.id })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(2));
    const other = await app.upstream.next('GET /parts/2');
    await app.upstream.answer('GET /parts/1', {}, 410);
    expect((await answer).status).toBe(502);
    await other.abandoned;
    await expectNothingLeft(app);
  });

  it('keeps later steps from being called', async () => {
    const app = await serve(() => {
      const slow = call(part, { name: 'slow' });
      return {
        broken: call(part, { name: 'broken' }),
        later: call(part, { name: 'later', after: slow.value }),
      };
    });
    const answer = app.ask();
    const slow = await app.upstream.next('GET /parts/slow');
    await app.upstream.answer('GET /parts/broken', {}, 500);
    await answer;
    slow.answer(value('too late'));
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/broken', 'GET /parts/slow']);
  });
});

describe('a tolerated failure', () => {
  it('gives null with optional, and the given value with fallback', async () => {
    const app = await serve(() => ({
      a: optional(call(part, { name: 'a' })),
      b: fallback(call(part, { name: 'b' }), { value: 'instead' }),
      c: call(part, { name: 'c' }),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', {}, 500);
    await app.upstream.answer('GET /parts/b', {}, 404);
    await app.upstream.answer('GET /parts/c', value('C'));
    const { status, json, headers } = await answer;
    expect({ status, a: json.a, b: json.b, c: json.c }).toEqual({
      status: 200,
      a: null,
      b: { value: 'instead' },
      c: value('C'),
    });
    expect(headers.get('plait-degraded')?.split(', ').toSorted()).toEqual([
      'a;reason=status;status=500',
      'b;reason=status;status=404',
    ]);
    expect(pointers({ status, json, headers }).toSorted()).toEqual(['/a', '/b']);
  });

  it('neither holds up nor ends other steps that are under way', async () => {
    const app = await serve(() => ({
      a: optional(call(part, { name: 'a' })),
      b: call(part, { name: 'b' }),
    }));
    const answer = app.ask();
    const b = await app.upstream.next('GET /parts/b');
    await app.upstream.answer('GET /parts/a', {}, 500);
    await quiet(app);
    expect(app.upstream.waiting()).toBe(1);
    b.answer(value('B'));
    expect((await answer).json).toMatchObject({ a: null, b: value('B') });
  });

  it('gives a fallback value that counts as present for steps that need it', async () => {
    const app = await serve(() => {
      const first = fallback(call(part, { name: 'first' }), { value: 'instead' });
      return { second: call(part, { name: 'second', after: first.value }) };
    });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/first', {}, 500);
    await app.upstream.answer('GET /parts/second?after=instead', value('S'));
    const { status, headers } = await answer;
    expect(status).toBe(200);
    expect(headers.get('plait-degraded')).toContain('reason=status;status=500');
  });

  it('includes the failure of a step that the tolerated step needed', async () => {
    const app = await serve(() => {
      const first = call(part, { name: 'first' });
      return { second: optional(call(part, { name: 'second', after: first.value })) };
    });
    app.upstream.answerAll(() => null);
    const answer = await app.ask();
    expect(answer.json).toMatchObject({ second: null, $problems: [{ step: 'second' }] });
    expect(answer.headers.get('plait-degraded')).toBe('second;reason=invalid-body');
    expect(app.upstream.asked()).toEqual(['GET /parts/first']);
  });

  it('does not excuse a step that is required elsewhere as well', async () => {
    const app = await serve(() => {
      const first = call(part, { name: 'first' });
      return { first, second: optional(call(part, { name: 'second', after: first.value })) };
    });
    app.upstream.answerAll(() => null);
    const { status, json } = await app.ask();
    expect({ status, step: json.step }).toEqual({ status: 502, step: 'first' });
  });

  it('makes given skip when the value is missing', async () => {
    const app = await serve(() => {
      const first = optional(call(part, { name: 'first' }));
      return {
        first,
        second: given(first, (present) => call(part, { name: 'second', after: present.value })),
      };
    });
    app.upstream.answerAll(() => null);
    const answer = await app.ask();
    expect(answer.json).toMatchObject({ first: null, second: null });
    expect(pointers(answer)).toEqual(['/first']);
    expect(app.upstream.asked()).toEqual(['GET /parts/first']);
  });

  it.each([
    {
      word: 'each',
      compose: () => ({
        x: optional(each(call(list, { name: 'l' }), (item) => call(part, { name: item.id }))),
      }),
    },
    {
      word: 'given',
      compose: () => ({
        x: optional(given(call(maybe, { name: 'm' }), () => call(part, { name: '1' }))),
      }),
    },
    {
      word: 'map',
      compose: () => ({
        x: optional(map(call(part, { name: '1' }), (got) => got.value.toUpperCase())),
      }),
    },
  ])('may be that of $word', async ({ compose }) => {
    const app = await serve(compose);
    app.upstream.answerAll((request) =>
      request === 'GET /lists/l' ? items(1) : request === 'GET /maybe/m' ? value('M') : 'broken',
    );
    const answer = await app.ask();
    expect(answer.status).toBe(200);
    expect(answer.json.x).toBeNull();
    expect(pointers(answer)).toEqual(['/x']);
  });

  it('fails the request when the composition says degraded: fail', async () => {
    const app = await serve(() => ({ a: optional(call(part, { name: 'a' })) }), {
      degraded: 'fail',
    });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', {}, 403);
    const { status, json, headers } = await answer;
    expect({ status, step: json.step }).toEqual({ status: 502, step: 'a' });
    expect(headers.has('plait-degraded')).toBe(false);
  });
});

describe('the pointers of a degraded response', () => {
  it('lead through pick, into objects and lists', async () => {
    const app = await serve(() => ({
      deep: { a: pick(optional(call(part, { name: 'a' })), 'value') },
      row: ['fixed', optional(call(part, { name: 'b' }))],
    }));
    app.upstream.answerAll(() => null);
    expect(pointers(await app.ask()).toSorted()).toEqual(['/deep/a', '/row/1']);
  });

  it('name every path at which the value lands', async () => {
    const app = await serve(() => {
      const a = optional(call(part, { name: 'a' }));
      return { one: a, two: { three: a.value } };
    });
    app.upstream.answerAll(() => null);
    expect(pointers(await app.ask())).toEqual(['/one', '/two/three']);
  });

  it('name the item of a list', async () => {
    const app = await serve(() => ({
      orders: each(call(list, { name: 'l' }), (item) => ({
        payment: optional(call(part, { name: item.id })),
      })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(5));
    await app.upstream.answer('GET /parts/4', {}, 500);
    app.upstream.answerAll(value);
    expect(pointers(await answer)).toEqual(['/orders/3/payment']);
  });

  it('come in the order of the items, whichever fails first', async () => {
    const app = await serve(() => ({
      orders: each(call(list, { name: 'l' }), (item) => optional(call(part, { name: item.id }))),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(3));
    const first = await app.upstream.next('GET /parts/1');
    await app.upstream.answer('GET /parts/3', {}, 500);
    await app.upstream.answer('GET /parts/2', value('2'));
    await quiet(app);
    first.answer({}, 500);
    expect(pointers(await answer)).toEqual(['/orders/0', '/orders/2']);
  });

  it('name the items of nested lists, and values from given inside them', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'outer' }), (outer) => ({
        cells: each(call(list, { name: outer.id }), (inner) =>
          given(call(maybe, { name: inner.id }), () => ({
            price: optional(call(part, { name: inner.id })),
          })),
        ),
      })),
    }));
    app.upstream.answerAll((request) => {
      if (request === 'GET /lists/outer') return [{ id: 'p' }, { id: 'q' }];
      if (request === 'GET /lists/p') return [];
      if (request === 'GET /lists/q') return [{ id: 'a' }, { id: 'b' }];
      return request === 'GET /parts/b' ? 'broken' : value('v');
    });
    expect(pointers(await app.ask())).toEqual(['/rows/1/cells/1/price']);
  });

  it('name the computed field when the value is only used in a computation', async () => {
    const app = await serve(() => {
      const a = optional(call(part, { name: 'a' }));
      return { late: map({ a }, ({ a: got }) => got === null) };
    });
    app.upstream.answerAll(() => null);
    const answer = await app.ask();
    expect(answer.json.late).toBe(true);
    expect(pointers(answer)).toEqual(['/late']);
  });

  it('end at the list when the failed step is outside of it and its value inside', async () => {
    const app = await serve(() => {
      const outer = optional(call(part, { name: 'outer' }));
      return { rows: each(call(list, { name: 'l' }), (item) => ({ id: item.id, outer })) };
    });
    app.upstream.answerAll((request) => (request === 'GET /lists/l' ? items(2) : null));
    const answer = await app.ask();
    expect(answer.json.rows).toEqual([
      { id: '1', outer: null },
      { id: '2', outer: null },
    ]);
    expect(pointers(answer)).toEqual(['/rows']);
  });

  it('escape slashes and tildes', async () => {
    const app = await serve(() => ({
      'a/b': { 'c~d': optional(call(part, { name: 'a' })) },
    }));
    app.upstream.answerAll(() => null);
    expect(pointers(await app.ask())).toEqual(['/a~1b/c~0d']);
  });

  it('do not lead into parts that are missing because something around them failed', async () => {
    const app = await serve(() => ({
      rows: optional(
        each(call(list, { name: 'l' }), (item) => ({
          tolerated: optional(call(hastyPart, { name: item.id })),
          required: call(part, { name: item.id }),
        })),
      ),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(2));
    await app.upstream.answer('GET /hasty/1', {}, 500);
    await app.upstream.answer('GET /hasty/2', value('2'));
    await quiet(app);
    await app.upstream.answer('GET /parts/2', {}, 501);
    const { json, headers, status } = await answer;
    expect(json.rows).toBeNull();
    expect(pointers({ json, headers, status })).toEqual(['/rows']);
    expect(headers.get('plait-degraded')).toBe('rows;reason=status;status=501');
  });

  it('are counted in the header when many items lack the same part', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'l' }), (item) => ({
        price: optional(call(priceOf, { id: item.id })),
      })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(40));
    app.upstream.answerAll(() => 'broken');
    const { headers, json } = await answer;
    expect(headers.get('plait-degraded')).toBe('rows.price;reason=invalid-body;count=40');
    expect(json.$problems).toHaveLength(40);
  });
});

describe('map', () => {
  it('answers 500 without the error message when its function throws', async () => {
    const app = await serve(() => ({
      x: map({}, () => {
        throw new Error('secret 4711');
      }),
    }));
    const { status, json } = await app.ask();
    expect({ status, step: json.step }).toEqual({ status: 500, step: 'x' });
    expect(JSON.stringify(json)).not.toContain('4711');
    // Its message goes to traces; the cause, for whoever looks into it, is kept.
    expect(String(app.internalErrors[0])).not.toContain('4711');
    expect(app.internalErrors[0]).toMatchObject({
      cause: { cause: { message: expect.stringContaining('4711') } },
    });
  });

  describe('that changes what it is given', () => {
    const changes: [string, (all: unknown[]) => unknown][] = [
      // oxlint-disable-next-line unicorn/no-array-sort -- what is tried
      ['sorts a list', (all) => all.sort()],
      // oxlint-disable-next-line unicorn/no-array-reverse -- what is tried
      ['reverses a list', (all) => all.reverse()],
      ['adds to a list', (all) => all.push(0)],
      ['takes from a list', (all) => all.pop()],
      ['empties a list', (all) => (all.length = 0)],
      ['sets a field', ([first]) => Object.assign(first as object, { n: 0 })],
      ['adds a field', ([first]) => Object.assign(first as object, { m: 0 })],
      ['removes a field', ([first]) => delete (first as { n?: number }).n],
      ['defines a field', ([first]) => Object.defineProperty(first, 'm', { value: 0 })],
    ];

    it.each(changes)('is the same failure alone and shared: it %s', async (_, change) => {
      const app = await serve(() => {
        const found = call(bag, {});
        return { x: map(found, (got): unknown => change(got.items as unknown[])) };
      });
      app.upstream.answerAll(() => ({ items: [{ n: 2 }, { n: 1 }] }));
      const alone = await app.ask();
      const shared = await Promise.all([app.ask(), app.ask()]);
      for (const { status, json } of [alone, ...shared])
        expect({ status, step: json.step }).toEqual({ status: 500, step: 'x' });
      expect(app.internalErrors).toHaveLength(3);
      for (const error of app.internalErrors) expect(String(error)).toMatch(/"x".*toSorted\(\)/);
    });

    it('may change a copy', async () => {
      const app = await serve(() => {
        const found = call(bag, {});
        return {
          x: map(found, (got) =>
            got.items.toSorted((a, b) => a.n - b.n).map(({ n }) => ({ n, seen: true })),
          ),
        };
      });
      app.upstream.answerAll(() => ({ items: [{ n: 2 }, { n: 1 }] }));
      const x = [
        { n: 1, seen: true },
        { n: 2, seen: true },
      ];
      expect((await app.ask()).json).toEqual({ x });
    });
  });

  it('answers 500 when its function gives a promise, even a rejected one', async () => {
    const app = await serve(() => ({
      x: map({}, (): unknown => Promise.reject(new Error('unheard'))),
    }));
    expect((await app.ask()).status).toBe(500);
    expect(String(app.internalErrors[0])).toContain('asynchronous');
  });

  it('is tolerated like any step when its function throws', async () => {
    const app = await serve(() => ({
      x: fallback(
        map({}, (): number => {
          throw new TypeError('no');
        }),
        7,
      ),
    }));
    const { status, json, headers } = await app.ask();
    expect({ status, x: json.x }).toEqual({ status: 200, x: 7 });
    expect(headers.get('plait-degraded')).toBe('x;reason=map-failed');
  });

  it('does not fail the request when nothing reads its value', async () => {
    const app = await serve(() => {
      map({}, () => {
        throw new Error('unread');
      });
      return { a: call(part, { name: 'a' }) };
    });
    app.upstream.answerAll(() => value('A'));
    expect((await app.ask()).json).toEqual({ a: value('A') });
  });

  it('does not call its function when an input has failed', async () => {
    let runs = 0;
    const app = await serve(() => ({
      x: optional(map(call(part, { name: 'a' }), () => (runs += 1))),
    }));
    app.upstream.answerAll(() => null);
    expect((await app.ask()).json.x).toBeNull();
    expect(runs).toBe(0);
  });
});

const rowsOfTwo = () =>
  each(call(list, { name: 'l' }), (item) => call(part, { name: item.id }), { max: 2 });

describe('a result of map that contains itself', () => {
  it.each([
    ['a call', partAfter],
    ['a lookup', pricedAfter],
  ])('fails its step before it is an argument of %s', async (_, own) => {
    const app = await serve(() => {
      const first = call(part, { name: 'first' });
      const after = map({ first }, cyclic);
      return { value: call(own, { id: '1', after }) };
    });
    app.upstream.answerAll(() => value('v'));
    const { status, json } = await app.ask();
    expect([status, json.step]).toEqual([500, 'map']);
  });

  it('fails the step for the list item that it belongs to', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'l' }), (item) =>
        call(pricedAfter, { id: item.id, after: map({ item }, cyclic) }),
      ),
    }));
    app.upstream.answerAll(() => items(2));
    const { status, json } = await app.ask();
    expect([status, json.step]).toEqual([500, 'rows.map']);
  });
});

describe('each with a list that is too long', () => {
  it('answers 502 and calls nothing for any item', async () => {
    const app = await serve(() => ({ rows: rowsOfTwo() }));
    app.upstream.answerAll(() => items(3));
    const { status, json } = await app.ask();
    expect({ status, type: json.type }).toEqual({
      status: 502,
      type: 'urn:plait:problem:too-many-items',
    });
    expect(app.upstream.asked()).toEqual(['GET /lists/l']);
  });

  it('is tolerated like any failure', async () => {
    const app = await serve(() => ({ rows: fallback(rowsOfTwo(), []) }));
    app.upstream.answerAll(() => items(3));
    const { json, headers } = await app.ask();
    expect(json.rows).toEqual([]);
    expect(headers.get('plait-degraded')).toContain(';reason=too-many-items');
  });

  it('accepts a list of exactly the allowed length', async () => {
    const app = await serve(() => ({ rows: rowsOfTwo() }));
    app.upstream.answerAll((request) => (request === 'GET /lists/l' ? items(2) : value('v')));
    expect((await app.ask()).json.rows).toHaveLength(2);
  });
});

describe('the deadline of a request', () => {
  it('answers 504 and breaks the connection when a required step hangs', async () => {
    const app = await serve(() => ({ a: call(part, { name: 'a' }) }), { deadlineMs: 200 });
    let answered = false;
    const answer = app.ask().finally(() => (answered = true));
    const hanging = await app.upstream.next('GET /parts/a');
    app.clock.advance(199);
    await quiet(app);
    expect(answered).toBe(false);

    app.clock.advance(1);
    const { status, json } = await answer;
    expect({ status, type: json.type, step: json.step }).toEqual({
      status: 504,
      type: 'urn:plait:problem:deadline',
      step: 'a',
    });
    await hanging.abandoned;
    await expectNothingLeft(app);
  });

  it('degrades an optional step that hangs', async () => {
    const app = await serve(
      () => ({ a: optional(call(part, { name: 'a' })), b: call(part, { name: 'b' }) }),
      { deadlineMs: 200 },
    );
    const answer = app.ask();
    const hanging = await app.upstream.next('GET /parts/a');
    await app.upstream.answer('GET /parts/b', value('B'));
    await quiet(app);
    app.clock.advance(200);
    const { status, json, headers } = await answer;
    expect({ status, a: json.a, b: json.b }).toEqual({ status: 200, a: null, b: value('B') });
    expect(headers.get('plait-degraded')).toBe('a;reason=deadline');
    await hanging.abandoned;
    await expectNothingLeft(app);
  });

  it('keeps steps that wait for a tolerated one from being called', async () => {
    const app = await serve(
      () => {
        const a = fallback(call(part, { name: 'a' }), { value: 'instead' });
        return { b: call(part, { name: 'b', after: a.value }) };
      },
      { deadlineMs: 200 },
    );
    const answer = app.ask();
    await app.upstream.next('GET /parts/a');
    app.clock.advance(200);
    expect((await answer).status).toBe(504);
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/a']);
  });

  it('comes sooner when the client allows less time, and is passed on', async () => {
    const app = await serve(() => ({ a: call(part, { name: 'a' }) }), { deadlineMs: 5_000 });
    const answer = app.ask({ headers: { 'x-request-timeout-ms': '120' } });
    const hanging = await app.upstream.next('GET /parts/a');
    expect(hanging.headers['x-request-timeout-ms']).toBe('120');
    app.clock.advance(120);
    expect((await answer).status).toBe(504);
  });

  it.each(['9000', '-1', 'soon', 'Infinity', ''])(
    'does not become later, or none, when the client says %j',
    async (header) => {
      const app = await serve(() => ({ a: call(part, { name: 'a' }) }), { deadlineMs: 200 });
      const answer = app.ask({ headers: { 'x-request-timeout-ms': header } });
      const hanging = await app.upstream.next('GET /parts/a');
      expect(hanging.headers['x-request-timeout-ms']).toBe('200');
      app.clock.advance(200);
      expect((await answer).status).toBe(504);
    },
  );

  it('has passed, so that nothing is called, when the client has no time left', async () => {
    const app = await serve(() => ({ a: call(part, { name: 'a' }) }));
    const { status } = await app.ask({ headers: { 'x-request-timeout-ms': '0' } });
    expect(status).toBe(504);
    expect(app.upstream.asked()).toEqual([]);
  });

  it('counts while the body arrives, so that a write that comes too late is not made', async () => {
    const body = z.object({ note: z.string() });
    const app = await serve(twoWrites, { route: 'POST /test', deadlineMs: 200, body });
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    const head = 'POST /test HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
    socket.write(`${head}content-length: 100\r\n\r\n{"note":`);
    await expect.poll(() => app.clock.pending).toBe(1);
    app.clock.advance(200);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 408 /);
    socket.destroy();
    expect(app.upstream.asked()).toEqual([]);
  });

  it('works on the real clock', async () => {
    const app = await serve(() => ({ a: call(part, { name: 'a' }) }), {
      deadlineMs: 200,
      realTime: true,
    });
    const answer = app.ask();
    const hanging = await app.upstream.next('GET /parts/a');
    expect((await answer).status).toBe(504);
    await hanging.abandoned;
  });
});

describe('an attempt that takes too long', () => {
  it('degrades the response when its step is tolerated', async () => {
    const app = await serve(() => ({ a: optional(call(hastyPart, { name: 'a' })) }));
    const answer = app.ask();
    const hanging = await app.upstream.next('GET /hasty/a');
    app.clock.advance(50);
    const { status, headers } = await answer;
    expect(status).toBe(200);
    expect(headers.get('plait-degraded')).toBe('a;reason=timeout');
    await hanging.abandoned;
    await expectNothingLeft(app);
  });

  it('answers 504 when its step is required', async () => {
    const app = await serve(() => ({ a: call(hastyPart, { name: 'a' }) }));
    const answer = app.ask();
    await app.upstream.next('GET /hasty/a');
    app.clock.advance(50);
    const { status, json } = await answer;
    expect({ status, type: json.type }).toEqual({
      status: 504,
      type: 'urn:plait:problem:upstream-timeout',
    });
  });
});

describe('a client that disconnects', () => {
  it('ends the calls made for it, tolerated or not', async () => {
    const app = await serve(() => ({
      a: call(part, { name: 'a' }),
      b: optional(call(part, { name: 'b' })),
    }));
    const client = new AbortController();
    const gone = app.ask({ signal: client.signal }).catch((error: Error) => error.name);
    const arrivals = await Promise.all(
      ['a', 'b'].map((name) => app.upstream.next(`GET /parts/${name}`)),
    );
    client.abort();
    expect(await gone).toBe('AbortError');
    await Promise.all(arrivals.map(({ abandoned }) => abandoned));
    await expectNothingLeft(app);
  });

  it('keeps later steps from being called', async () => {
    const app = await serve(() => {
      const a = fallback(call(part, { name: 'a' }), { value: 'instead' });
      return { b: call(part, { name: 'b', after: a.value }) };
    });
    const client = new AbortController();
    const gone = app.ask({ signal: client.signal }).catch(() => undefined);
    const arrival = await app.upstream.next('GET /parts/a');
    client.abort();
    await gone;
    await arrival.abandoned;
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['GET /parts/a']);
  });

  it('has nothing more computed for it', async () => {
    let runs = 0;
    const app = await serve(() => {
      const a = fallback(call(part, { name: 'a' }), { value: 'instead' });
      return { x: map(a, () => (runs += 1)) };
    });
    const client = new AbortController();
    const gone = app.ask({ signal: client.signal }).catch(() => undefined);
    const arrival = await app.upstream.next('GET /parts/a');
    client.abort();
    await gone;
    await arrival.abandoned;
    await quiet(app);
    expect(runs).toBe(0);
  });

  it('does not end a call that another client waits for, too', async () => {
    const app = await serve(() => ({ a: call(part, { name: 'a' }) }));
    const client = new AbortController();
    const gone = app.ask({ signal: client.signal }).catch(() => undefined);
    const shared = await app.upstream.next('GET /parts/a');
    const answer = app.ask();
    await expect.poll(() => app.clock.pending).toBe(3); // two deadlines and one attempt
    client.abort();
    await gone;
    await expect.poll(() => app.clock.pending).toBe(2);
    shared.answer(value('A'));
    expect((await answer).json).toEqual({ a: value('A') });
    await expectNothingLeft(app);
  });
});

const twoWrites = () => {
  const first = call(write, { name: 'first', body: { note: 'n' } });
  return {
    read: call(part, { name: 'read' }),
    first,
    second: call(write, { name: 'second', body: { note: first.value } }),
  };
};

describe('the problem of a failed request', () => {
  it('lists the writes that had succeeded', async () => {
    const app = await serve(twoWrites, { route: 'POST /test' });
    const answer = app.ask({ method: 'POST' });
    await app.upstream.answer('GET /parts/read', value('R'));
    await app.upstream.answer('POST /writes/first', value('F'));
    const second = await app.upstream.next('POST /writes/second');
    expect(JSON.parse(second.body)).toEqual({ note: 'F' });
    second.answer({}, 409);
    const { status, json } = await answer;
    expect({ status, step: json.step, completed: json.completed }).toEqual({
      status: 502,
      step: 'second',
      completed: [{ step: 'first', status: 200 }],
    });
  });

  it('lists no writes when none has succeeded', async () => {
    const app = await serve(twoWrites, { route: 'POST /test' });
    const answer = app.ask({ method: 'POST' });
    await app.upstream.answer('POST /writes/first', {}, 422);
    const { status, json } = await answer;
    expect(status).toBe(502);
    expect(json).not.toHaveProperty('completed');
  });
});

describe('a failed request', () => {
  it('leaves no unhandled rejection', async () => {
    const app = await serve(() => {
      const a = call(part, { name: 'a' });
      const mapped = map(a, (got) => got.value);
      call(part, { name: 'unread', after: mapped });
      const rows = each(call(list, { name: 'l' }), (item) => ({
        x: call(part, { name: item.id, after: mapped }),
        y: optional(call(part, { name: 'y', after: a.value })),
      }));
      return {
        a,
        mapped,
        rows,
        more: given(a, (present) => optional(map(present, (got) => got.value))),
      };
    });
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(3));
    await quiet(app);
    await app.upstream.answer('GET /parts/a', {}, 500);
    expect((await answer).status).toBe(502);
    await delay(10);
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    await expectNothingLeft(app);
  });

  it('does not affect the next one', async () => {
    const app = await serve(() => ({ a: call(part, { name: 'a' }) }), { deadlineMs: 200 });
    const failed = app.ask();
    await app.upstream.next('GET /parts/a');
    app.clock.advance(200);
    expect((await failed).status).toBe(504);
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', value('A'));
    expect((await answer).json).toEqual({ a: value('A') });
  });
});

describe('the failure of a request', () => {
  it('is the first of two, not one that followed from it', async () => {
    const app = await serve(() => {
      const a = call(part, { name: 'a' });
      return { label: map(optional(a), (got) => (got as { value: string }).value.length), a };
    });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', {}, 404);
    expect((await answer).json.type).toBe('urn:plait:problem:upstream-status');
  });
});
