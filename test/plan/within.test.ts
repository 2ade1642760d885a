/** `withinMs`: what is refused at start-up, since it would bound nothing or not everybody. */
import { after, call, defineComposition, each, fallback, map, optional } from 'plait';
import { describe, expect, it } from 'vitest';
import { createThing, getThing, loadErrorOf, messageOf, page, thingOf } from '../support/page.ts';

describe('withinMs', () => {
  it.each<[string, object, string]>([
    ['no number', { withinMs: '5' }, 'withinMs is "5". Use a whole number of at least 1.'],
    ['no time', { withinMs: 0 }, 'withinMs is 0. Use a whole number of at least 1.'],
    ['a misspelt option', { within: 5 }, 'unknown option "within". Known options: withinMs.'],
    ['the index that a list gives', 3 as never, 'its options are 3. Write { withinMs: … }.'],
    ['all the time', { withinMs: 10_000 }, 'withinMs is 10000, but the request ends after 10000.'],
  ])('is refused as %s', (_, options, words) => {
    const optionalError = loadErrorOf(
      page(({ params }) => ({ x: optional(call(getThing, { id: params.id }), options) })),
    );
    const fallbackError = loadErrorOf(
      page(({ params }) => ({ x: fallback(call(getThing, { id: params.id }), 1, options) })),
    );
    expect(optionalError).toMatch(/^page: optional\(\): /);
    expect(fallbackError).toMatch(/^page: fallback\(\): /);
    expect(optionalError).toContain(words);
    expect(fallbackError).toContain(words);
  });

  it('is refused for as long as the deadline of the composition', () => {
    const composition = defineComposition({
      route: 'GET /pages/:id',
      deadlineMs: 500,
      compose: ({ params }) => ({
        x: optional(call(getThing, { id: params.id }), { withinMs: 501 }),
      }),
    });
    expect(loadErrorOf(composition)).toBe(
      'page: optional(): withinMs is 501, but the request ends after 500. Use less.',
    );
  });

  it('is refused on a map', () => {
    const composition = page(({ params }) => ({
      x: optional(
        map(params.id, (id) => id),
        { withinMs: 5 },
      ),
    }));
    expect(loadErrorOf(composition)).toBe(
      'page: optional(): a map takes no time, so withinMs bounds nothing. Put it on the call.',
    );
  });

  const alone =
    'page: withinMs cannot end "x" for one reader only: it is also used without it. Use the ' +
    'result of optional() or fallback() everywhere.';

  it.each<[string, (x: ReturnType<typeof thing>) => unknown]>([
    ['bare', (x) => ({ x: optional(x, { withinMs: 5 }), y: x })],
    [
      'with another limit',
      (x) => ({ x: optional(x, { withinMs: 5 }), y: optional(x, { withinMs: 6 }) }),
    ],
    ['with none', (x) => ({ x: fallback(x, null), y: optional(x, { withinMs: 5 }) })],
    [
      'before another step',
      (x) => ({
        x: optional(x, { withinMs: 5 }),
        y: after(x, () => call(createThing, { body: { name: 'n' } })),
      }),
    ],
    [
      'by a second source that has another',
      (x) => ({
        x: optional(
          fallback(x, () => thing('2')),
          { withinMs: 5 },
        ),
        y: optional(x, { withinMs: 6 }),
      }),
    ],
    ['inside each', (x) => ({ x: optional(x, { withinMs: 5 }), y: each(x.tags, () => x.id) })],
  ])('is refused on a step that is used %s, too', (_, use) => {
    expect(loadErrorOf(page(({ params }) => use(thing(params.id))))).toBe(alone);
  });

  it('is taken with the same limit for all, of a call, a lookup and an each', () => {
    const composition = page(({ params: { id } }) => {
      const x = call(getThing, { id });
      const row = optional(
        each(optional(x, { withinMs: 5 }).tags as never, () => 1),
        {
          withinMs: 7,
        },
      );
      return {
        x: optional(x, { withinMs: 5 }),
        y: fallback(x, null, { withinMs: 5 }),
        of: optional(call(thingOf, { id }), { withinMs: 9_999 }),
        row,
      };
    });
    expect(() => messageOf(() => loadErrorOf(composition))).toThrow('nothing was thrown');
  });
});

function thing(id: Parameters<typeof call<{ id: string }, never>>[1]['id']) {
  return call(getThing, { id });
}
