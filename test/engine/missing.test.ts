import { describe, expect, it } from 'vitest';
import { optional } from '../../src/dsl/guards.ts';
import { call, each, given, map, pick } from '../../src/dsl/steps.ts';
import type { Answer } from '../support/request.ts';
import { items, list, maybe, part, priceOf, serve, value } from '../support/serve.ts';
import type { Serving } from '../support/serve.ts';

function pointers({ json }: Answer): string[] {
  return (json.$problems ?? []).map(({ pointer }: { pointer: string }) => pointer);
}

/** Answers everything at once: lists have two items, `down` and prices fail, `absent` is null. */
function answerAll({ upstream }: Serving): void {
  upstream.answerAll((request) => {
    if (request.includes('/lists/')) return items(2);
    if (request.includes('absent')) return null;
    return request.includes('down') || request.includes('prices') ? { not: 'it' } : value('v');
  });
}

async function ask(compose: () => unknown): Promise<Answer> {
  const app = await serve(compose);
  answerAll(app);
  return app.ask();
}

describe('a missing part', () => {
  it('is pointed at only where it is used, when one field of it is used', async () => {
    const answer = await ask(() => {
      const there = given(call(maybe, { name: 'there' }), (present) => ({
        price: optional(call(part, { name: 'down' })),
        other: present.value,
      }));
      return { price: there.price, other: there.other, only: pick(there, 'other'), all: there };
    });
    expect(answer.status).toBe(200);
    expect(pointers(answer)).toEqual(['/price', '/all/price']);
  });

  it('has the index of its item, even if the list is inside something else', async () => {
    const answer = await ask(() => {
      const rows = each(call(list, { name: 'a' }), (item) => ({
        price: optional(call(priceOf, { id: item.id })),
      }));
      return { inside: given(call(maybe, { name: 'there' }), () => ({ rows })) };
    });
    expect(pointers(answer)).toEqual(['/inside/rows/0/price', '/inside/rows/1/price']);
  });

  it('is the list itself when all of its items would have the same value', async () => {
    const answer = await ask(() => {
      const price = optional(call(part, { name: 'down' }));
      return { rows: each(call(list, { name: 'a' }), (item) => ({ id: item.id, price })) };
    });
    expect(pointers(answer)).toEqual(['/rows']);
  });

  it('is the list itself when all of its items would have the same inner list', async () => {
    const answer = await ask(() => {
      const prices = each(call(list, { name: 'a' }), (item) => ({
        price: optional(call(priceOf, { id: item.id })),
      }));
      const there = given(call(maybe, { name: 'there' }), () => ({
        price: optional(call(part, { name: 'down' })),
      }));
      const rows = each(call(list, { name: 'b' }), (item) => ({
        inner: each(call(list, { name: 'c' }), () => ({ id: item.id, prices, there })),
      }));
      return { rows, prices };
    });
    expect(pointers(answer)).toEqual([
      '/rows',
      '/prices/0/price',
      '/rows',
      '/prices/1/price',
      '/rows',
    ]);
  });

  it('is the inner list when all of its items would have the same innermost list', async () => {
    const answer = await ask(() => ({
      rows: each(call(list, { name: 'a' }), (item) => {
        const prices = each(call(list, { name: 'b' }), () => ({
          price: optional(call(priceOf, { id: item.id })),
        }));
        return { lines: each(call(list, { name: 'c' }), () => ({ prices })) };
      }),
    }));
    const inFirst = '/rows/0/lines';
    const inSecond = '/rows/1/lines';
    expect(pointers(answer)).toEqual([inFirst, inFirst, inSecond, inSecond]);
  });

  it('is the whole response when the failed call was made for its effect', async () => {
    const answer = await ask(() => {
      optional(call(part, { name: 'down' }));
      return { a: 1 };
    });
    expect(answer.json.a).toBe(1);
    expect(answer.headers.get('plait-degraded')).toMatch(/^part;reason=/);
    expect(pointers(answer)).toEqual(['']);
  });
});

describe('a failure that no part of the response derives from', () => {
  it.each(['before', 'after'])(
    'does not degrade the response when it happens %s the rest',
    async (when) => {
      const app = await serve(() => {
        const price = optional(call(part, { name: 'price' }));
        const absent = call(maybe, { name: 'absent' });
        return { inside: given(absent, () => ({ price })), sure: call(part, { name: 'sure' }) };
      });
      const answer = app.ask();
      const price = await app.upstream.next('GET /parts/price');
      await app.upstream.answer('GET /maybe/absent', null);
      if (when === 'before') price.answer({}, 500);
      await app.get('/livez');
      await app.upstream.answer('GET /parts/sure', value('s'));
      const { status, headers, json } = await answer;
      expect({ status, degraded: headers.get('plait-degraded'), json }).toEqual({
        status: 200,
        degraded: null,
        json: { inside: null, sure: value('s') },
      });
    },
  );

  it.each(['before', 'after'])(
    'does not degrade the response when it happens %s another failure, which is tolerated',
    async (when) => {
      const app = await serve(() => {
        const slow = optional(call(part, { name: 'slow' }));
        const broken = call(part, { name: 'broken' });
        const both = call(part, { name: broken.value, after: slow.value });
        return { both: optional(both), sure: call(part, { name: 'sure' }) };
      });
      const answer = app.ask();
      const slow = await app.upstream.next('GET /parts/slow');
      if (when === 'before') slow.answer({}, 500);
      await app.get('/livez');
      await app.upstream.answer('GET /parts/broken', {}, 404);
      await app.get('/livez');
      if (when === 'after') slow.answer({}, 500);
      await app.get('/livez');
      await app.upstream.answer('GET /parts/sure', value('s'));
      const { headers, json } = await answer;
      expect(headers.get('plait-degraded')).toBe('both;reason=status;status=404');
      expect(json).toMatchObject({ both: null, $problems: [{ pointer: '/both' }] });
    },
  );

  it('does not degrade a list without items', async () => {
    const app = await serve(() => {
      const price = optional(call(part, { name: 'down' }));
      return { rows: each(call(list, { name: 'none' }), (item) => ({ id: item.id, price })) };
    });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/down', {}, 500);
    await app.upstream.answer('GET /lists/none', []);
    expect((await answer).headers.get('plait-degraded')).toBeNull();
  });
});

describe('a step that is used both with and without a guard', () => {
  it('is required', async () => {
    const app = await serve(() => {
      const step = call(part, { name: 'down' });
      return { tolerated: optional(step), bare: map(step, ({ value: text }) => text) };
    });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/down', {}, 404);
    expect((await answer).status).toBe(502);
  });
});
