/** `after` puts effects in an order that no value asks for, and `explain` says which have none. */
import { describe, expect, it } from 'vitest';
import { defineComposition } from '../../src/dsl/composition.ts';
import { optional } from '../../src/dsl/guards.ts';
import { after, call, each, given, map } from '../../src/dsl/steps.ts';
import { drawTree } from '../../src/explain/draw-tree.ts';
import { explain } from '../../src/explain/explain.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { items, list, part, quiet, serve, value, write } from '../support/serve.ts';

const post: RequestInit = { method: 'POST' };

function noted(name: string) {
  return call(write, { name, body: { note: name } });
}

function useless() {
  const order = noted('order');
  return after(order, () => map(order, (o) => o.value));
}

function planOf(compose: () => unknown) {
  const composition = defineComposition({ route: 'POST /test', compose });
  const { plans, errors } = compileAll([{ name: 'test', composition }]);
  const [plan] = plans;
  if (plan === undefined) throw new Error(errors.join('\n'));
  return plan;
}

const parallelIn = (compose: () => unknown) => explain(planOf(compose)).parallelWrites;

describe('after', () => {
  it('begins its calls when the step has succeeded, and gives what its function returns', async () => {
    const app = await serve(
      () => {
        const order = noted('order');
        return after(order, () => ({
          order,
          invoice: noted('invoice'),
          a: call(part, { name: 'a' }),
        }));
      },
      { route: 'POST /test' },
    );
    const answer = app.ask(post);
    const order = await app.upstream.next('POST /writes/order');
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['POST /writes/order']);
    order.answer(value('O'));
    await app.upstream.answer('POST /writes/invoice', value('I'));
    await app.upstream.answer('GET /parts/a', value('A'));
    expect((await answer).json).toEqual({ order: value('O'), invoice: value('I'), a: value('A') });
  });

  it('begins none of them when the step has failed', async () => {
    const app = await serve(
      () => {
        const order = noted('order');
        return { invoice: after(order, () => noted('invoice')) };
      },
      { route: 'POST /test' },
    );
    const answer = app.ask(post);
    await app.upstream.answer('POST /writes/order', {}, 500);
    expect((await answer).json).toMatchObject({ status: 502, step: 'write' });
    expect(app.upstream.asked()).toEqual(['POST /writes/order']);
  });

  it('waits for a tolerated step whether it fails or not', async () => {
    const app = await serve(
      () => {
        const audit = optional(noted('audit'));
        return { order: after(audit, () => noted('order')) };
      },
      { route: 'POST /test' },
    );
    const answer = app.ask(post);
    await app.upstream.answer('POST /writes/audit', {}, 500);
    await app.upstream.answer('POST /writes/order', value('O'));
    expect((await answer).json).toMatchObject({ order: value('O') });
  });

  it('orders each, given, and calls one after the other', async () => {
    const app = await serve(
      () => {
        const first = noted('first');
        const rows = after(first, () =>
          each(call(list, { name: 'l' }), ({ id }) => call(part, { name: id })),
        );
        const last = after(rows, () => given(first, () => noted('last')));
        return { rows, last };
      },
      { route: 'POST /test' },
    );
    const answer = app.ask(post);
    const first = await app.upstream.next('POST /writes/first');
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['POST /writes/first']);
    first.answer(value('F'));
    await app.upstream.answer('GET /lists/l', items(1));
    const row = await app.upstream.next('GET /parts/1');
    await quiet(app);
    expect(app.upstream.asked()).not.toContain('POST /writes/last');
    row.answer(value('1'));
    await app.upstream.answer('POST /writes/last', value('L'));
    expect((await answer).json).toEqual({ rows: [value('1')], last: value('L') });
  });

  it('works for each item by itself', async () => {
    const app = await serve(
      () => ({
        rows: each(call(list, { name: 'l' }), ({ id }) => {
          const a = call(part, { name: id });
          return after(a, () => noted('w'));
        }),
      }),
      { route: 'POST /test' },
    );
    const answer = app.ask(post);
    await app.upstream.answer('GET /lists/l', items(2));
    await app.upstream.answer('GET /parts/1', value('1'));
    await app.upstream.answer('POST /writes/w', value('W'));
    expect(app.upstream.asked().filter((one) => one.startsWith('POST'))).toHaveLength(1);
    await app.upstream.answer('GET /parts/2', value('2'));
    await app.upstream.answer('POST /writes/w', value('W'));
    expect((await answer).json).toEqual({ rows: [value('W'), value('W')] });
  });

  it('refuses a function that calls nothing', () => {
    expect(() => planOf(useless)).toThrow(/after\(\) was given a function that calls nothing\./);
  });
});

describe('writes in parallel', () => {
  it.each<[string, () => unknown, readonly string[] | undefined]>([
    ['two beside each other', () => ({ a: noted('a'), b: noted('b') }), ['a', 'b']],
    ['one by itself', () => ({ a: noted('a'), b: call(part, { name: 'b' }) }), undefined],
    [
      'one that needs the other',
      () => {
        const a = noted('a');
        return { a, b: call(write, { name: a.value, body: { note: 'b' } }) };
      },
      undefined,
    ],
    [
      'one after the other',
      () => {
        const a = noted('a');
        return { a, b: after(a, () => noted('b')) };
      },
      undefined,
    ],
    [
      'one in a block that needs the other',
      () => {
        const a = noted('a');
        return { a, b: given(a, () => ({ c: noted('c') })) };
      },
      undefined,
    ],
    [
      'one in a block beside the other',
      () => ({ a: noted('a'), b: given(call(part, { name: 'p' }), () => ({ c: noted('c') })) }),
      ['a', 'b.c'],
    ],
    [
      'one for every item',
      () => ({ rows: each(call(list, { name: 'l' }), () => ({ w: noted('w') })) }),
      ['rows.w'],
    ],
  ])('are %s', (_, compose, expected) => {
    expect(parallelIn(compose)?.toSorted()).toEqual(expected);
  });

  it('are said in the tree', () => {
    const tree = drawTree(explain(planOf(() => ({ a: noted('a'), b: noted('b') }))));
    expect(tree).toContain('2 writes in parallel: a, b');
  });
});
