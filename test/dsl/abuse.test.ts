/**
 * The messages of the words of the DSL when they are misused: where, what was found, what to do.
 */
import {
  call,
  defineComposition,
  defineService,
  each,
  fallback,
  given,
  lookup,
  map,
  operation,
  optional,
  pages,
  pick,
} from 'plait';
import type { Ref, Reference } from 'plait';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { compile } from '../../src/plan/compile.ts';
import {
  createThing,
  getThing,
  page,
  messageOf,
  loadErrorOf,
  thingOf,
  things,
} from '../support/page.ts';

const advice = 'Pass what call(), each(), map() or a field of params gave you.';

describe('where a reference is wanted', () => {
  it.each([
    ['a number', 7, 'the number 7'],
    ['a string', 'order', 'the string "order"'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a promise', Promise.resolve(1), 'a promise'],
    ['a function', () => 1, 'a function'],
    ['an array', [], 'an array'],
    ['an object', {}, 'an object'],
    ['an instance', new Map(), 'an instance of Map'],
  ])('%s is refused by name', (_, value, words) => {
    const message = loadErrorOf(page(() => optional(value as unknown as Reference<string>)));
    expect(message).toBe(
      `page: optional(): its first argument is not a reference but ${words}. ${advice}`,
    );
  });

  it('each word names itself', () => {
    const nothing = undefined as unknown as Ref<{ id: string }[]>;
    expect(loadErrorOf(page(() => each(nothing, (item) => item)))).toContain('each(): its first');
    expect(loadErrorOf(page(() => given(nothing, (item) => item)))).toContain('given(): its first');
    expect(loadErrorOf(page(() => fallback(nothing, [])))).toContain('fallback(): its first');
    expect(loadErrorOf(page(() => pick(nothing, 'id')))).toContain('pick(): its first');
  });

  it('a field that would become the prototype of what pick() makes is refused', () => {
    const made = page(() =>
      pick(
        map({}, () => ({ ['__proto__']: { admin: true } })),
        '__proto__',
      ),
    );
    expect(loadErrorOf(made)).toBe(
      'page: pick() names a field "__proto__", which is not an ordinary field in JavaScript. ' +
        'Rename it.',
    );
  });

  it('a step of another composition is refused, with the name of that', () => {
    let stray: Ref<string> | undefined;
    const other = page(({ params }) => ({ id: (stray = params.id) }));
    compile({ name: 'other', composition: other });
    expect(loadErrorOf(page(() => ({ stray })))).toBe(
      'page: what compose() returned.stray is a step of another composition (other). Call the ' +
        'operation again in this one.',
    );
  });
});

describe('a word outside compose()', () => {
  it.each([
    ['call', () => call(getThing, { id: 'a' })],
    ['map', () => map([], () => 1)],
    ['optional', () => optional({} as Reference<string>)],
    ['each', () => each({} as Reference<string[]>, (item) => item)],
    ['given', () => given({} as Reference<string>, (present) => present)],
    ['pick', () => pick({} as Reference<{ id: string }>, 'id')],
  ])('%s() says to move it inside', (word, run) => {
    expect(messageOf(run)).toBe(
      `${word}: ${word}() was used outside compose(). Steps belong to one composition: move it ` +
        'inside, and not into a function given to map(), which runs while a request is served.',
    );
  });

  it('is refused again after a compose that threw', () => {
    loadErrorOf(
      page(() => {
        throw new Error('no');
      }),
    );
    expect(messageOf(() => call(getThing, { id: 'a' }))).toContain('outside compose()');
  });
});

describe('a reference used as a value', () => {
  const turned = 'was turned into a value';
  const inExpression =
    `${turned} (in a string, a comparison or arithmetic). ` +
    'It has none yet: use map() to compute with it.';

  it.each<[string, (id: Ref<string>) => unknown, string]>([
    ['a template string', (id) => `${id as unknown as string}`, inExpression],
    ['arithmetic', (id) => Number(id) * 2, inExpression],
    ['a comparison by size', (id) => (id as unknown as number) > 1, inExpression],
    // eslint-disable-next-line eqeqeq -- what is tested
    ['==', (id) => (id as unknown) == 'x', inExpression],
    ['a property key', (id) => ({ [id as unknown as string]: 1 }), inExpression],
    [
      'String()',
      (id) => (id as unknown as string).toString(),
      `${turned} (toString). It has none yet: use map() to compute with it.`,
    ],
    [
      'JSON.stringify',
      (id) => JSON.stringify(id),
      `${turned} (toJSON). It has none yet: use map() to compute with it.`,
    ],
    [
      'spreading into an object',
      (id) => ({ ...(id as object) }),
      'was spread or enumerated. Use pick(), omit(), or map().',
    ],
    [
      'Object.keys',
      (id) => Object.keys(id),
      'was spread or enumerated. Use pick(), omit(), or map().',
    ],
    [
      'Object.hasOwn',
      (id) => Object.hasOwn(id, 'x'),
      'was enumerated. Use pick(), omit(), or map().',
    ],
    [
      'for-of',
      (id) => Array.from(id as unknown as string[]),
      'was iterated. Use each() for what happens per item, or map().',
    ],
    [
      'for await',
      (id) => (id as unknown as AsyncIterable<string>)[Symbol.asyncIterator],
      'was iterated. Use each() for what happens per item, or map().',
    ],
    [
      'spreading into an array',
      (id) => [...(id as unknown as string[])],
      'was iterated. Use each() for what happens per item, or map().',
    ],
    [
      'assignment',
      (id) => Object.assign(id, { name: 'x' }),
      'was assigned to. References are read-only; build a new object.',
    ],
    ['console.log', (id) => inspect(id), 'was printed. It has no value yet: print it in map().'],
    [
      'console.log of an object around it',
      (id) => inspect({ list: [id] }),
      'was printed. It has no value yet: print it in map().',
    ],
    [
      'instanceof',
      (id) => (id as unknown) instanceof Date,
      'was tested with `instanceof`. Use map() to look at its value.',
    ],
    [
      'delete',
      (id) => Reflect.deleteProperty(id, 'x'),
      'was changed. References are read-only; build a new object.',
    ],
    [
      'Object.freeze',
      (id) => Object.freeze(id),
      'was changed. References are read-only; build a new object.',
    ],
    ['in', (id) => 'length' in id, 'was tested with `in`. Use map() to look inside.'],
    [
      'a method call',
      (id) => (id as unknown as string).toUpperCase(),
      'was called like a function. Use map() or each() to compute with it.',
    ],
  ])('%s', (_, misuse, problem) => {
    // The misuse is not in the text of compose, where it might be found before it runs.
    const message = loadErrorOf(page(({ params }) => ({ wrong: misuse(params.id) })));
    const what = problem.startsWith('was called') ? 'params.id.toUpperCase' : 'params.id';
    expect(message).toBe(`page: ${what} ${problem}`);
  });

  it.each([
    [
      'catch',
      'was called. A step fails while a request is served, not here: use optional() for null in ' +
        'its place, or fallback() for a value.',
    ],
    [
      'finally',
      'was called. A step ends while a request is served, not here: use after() for calls that ' +
        'have to wait for it.',
    ],
    [
      'then',
      'was awaited. Steps wait for each other by themselves: pass the reference on, and use ' +
        'map() to compute with its value.',
    ],
  ] as const)('.%s() of a call says what to use instead', (method, advised) => {
    const promised = (ref: unknown) =>
      (ref as Record<typeof method, (handler: () => null) => unknown>)[method](() => null);
    const message = loadErrorOf(
      page(({ params }) => ({ a: promised(call(getThing, { id: params.id })) })),
    );
    expect(message).toBe(`page: the result of call(getThing).${method} ${advised}`);
  });

  it('a list has no .map() of its own', () => {
    const message = loadErrorOf(
      page(({ params }) => {
        const { tags } = call(getThing, { id: params.id });
        return (tags as unknown as string[]).map((tag) => tag);
      }),
    );
    expect(message).toBe(
      'page: the result of call(getThing).tags.map was called like a function. Use map() or ' +
        'each() to compute with it.',
    );
  });

  it('is called what its step is called', () => {
    expect(spoken(({ params }) => text(map(params.id, (id) => id)))).toBe(
      'page: the result of map()',
    );
    expect(spoken(({ query }) => text(query.limit))).toBe('page: query.limit');
    expect(
      spoken(({ params }) =>
        each(call(getThing, { id: params.id }).tags, (tag) => text(tag.label)),
      ),
    ).toBe('page: the item.label');
    expect(spoken(({ params }) => text(optional(call(getThing, { id: params.id })).id))).toBe(
      'page: the result of optional().id',
    );
    expect(spoken(({ params }) => text(pick(call(getThing, { id: params.id }), 'id')))).toBe(
      'page: the result of pick()',
    );
  });
});

describe('a reference that is used after compose() has ended', () => {
  it.each<[string, (id: Ref<string>) => unknown, string]>([
    ['a field', (id) => (id as unknown as string).length, 'params.id.length'],
    ['its text', (id) => `${id as unknown as string}`, 'params.id'],
    ['its JSON', (id) => JSON.stringify(id), 'params.id'],
    ['in', (id) => 'x' in id, 'params.id'],
    ['printing', (id) => inspect(id), 'params.id'],
    ['a call', (id) => (id as unknown as () => void)(), 'params.id'],
    ['spreading', (id) => ({ ...(id as object) }), 'params.id'],
  ])('refuses by name: %s', (_, use, named) => {
    let captured: Ref<string> | undefined;
    compile({ name: 'page', composition: page(({ params }) => ({ id: (captured = params.id) })) });
    expect(messageOf(() => captured && use(captured))).toBe(
      `page: ${named} was used after compose() had ended, as in a function given to map(). It ` +
        'has no value there: pass it as an input of map(), as in map({ order, payment }, ' +
        '({ order, payment }) => …).',
    );
  });
});

describe('what cannot be part of a response', () => {
  const plain = 'Use references, plain objects, arrays, strings, finite numbers, booleans or null.';

  it.each<[unknown, string, string]>([
    [
      Promise.resolve(),
      'a promise',
      'compose() runs once, at start-up: return references, not promises.',
    ],
    [() => 1, 'a function', 'To compute a value, wrap the function: map(inputs, fn).'],
    [new Date(0), 'an instance of Date', plain],
    [new Map(), 'an instance of Map', plain],
    [Number.NaN, 'the number NaN', plain],
    [Number.POSITIVE_INFINITY, 'the number Infinity', plain],
    [12n, 'the bigint 12', plain],
    [Symbol('x'), 'the symbol Symbol(x)', plain],
  ])('%s', (value, words, advised) => {
    expect(loadErrorOf(page(() => ({ list: [{ odd: value }] })))).toBe(
      `page: what compose() returned.list[0].odd is ${words}. ${advised}`,
    );
  });

  it('a promise that rejects later does not end the process', async () => {
    const unhandled = vi.fn<(reason: unknown) => void>();
    process.on('unhandledRejection', unhandled);
    onTestFinished(() => void process.off('unhandledRejection', unhandled));
    loadErrorOf(page(() => ({ late: Promise.reject(new Error('later')) })));
    await new Promise(setImmediate);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('an object that contains itself', () => {
    const loop: Record<string, unknown> = {};
    loop['again'] = { loop };
    expect(loadErrorOf(page(() => loop))).toBe(
      'page: what compose() returned.again.loop contains itself. A response is a tree: build it ' +
        'without the cycle.',
    );
  });

  it('one object in two places is no cycle', () => {
    const shared = { a: 1 };
    expect(() => loadErrorOf(page(() => ({ one: shared, two: shared })))).toThrow(
      'nothing was thrown',
    );
  });

  it('the place is named in arguments, inputs and bodies too', () => {
    const odd = new Date(0) as unknown as string;
    expect(loadErrorOf(page(() => call(getThing, { id: odd })))).toMatch(
      /^page: call\(getThing\)\.id is an instance of Date\./,
    );
    expect(loadErrorOf(page(() => map({ at: odd }, () => 1)))).toMatch(
      /^page: map\(\): its inputs\.at is an instance of Date\./,
    );
    expect(loadErrorOf(page(({ params }) => given(params.id, () => ({ at: odd }))))).toMatch(
      /^page: what the body of given\(\) returned\.at is an instance of Date\./,
    );
  });
});

describe('call()', () => {
  it('names an argument it does not take, and those it does', () => {
    const composition = page(({ params }) =>
      // @ts-expect-error the compiler knows the names too
      call(getThing, { id: params.id, idd: params.id }),
    );
    expect(loadErrorOf(composition)).toBe(
      'page: call(getThing) has no argument "idd". It takes: id, limit.',
    );
  });

  it.each([
    [
      'a path parameter',
      getThing,
      'call(getThing) is missing its argument "id". It takes: id, limit.',
    ],
    ['the key of a lookup', thingOf, 'call(thingOf) is missing its argument "id". It takes: id.'],
    ['a body', createThing, 'call(createThing) is missing its argument "body". It takes: body.'],
  ])('names %s that is missing', (_, target, problem) => {
    const message = loadErrorOf(page(() => call(target as typeof getThing, {} as { id: string })));
    expect(message).toBe(`page: ${problem}`);
  });

  it('wants its arguments written out', () => {
    const wanted =
      'page: call(getThing) needs its arguments, written out: call(getThing, { name: value }).';
    expect(loadErrorOf(page(() => call(getThing, undefined as unknown as { id: string })))).toBe(
      wanted,
    );
    const whole = page(({ params }) => call(getThing, params as unknown as { id: string }));
    expect(loadErrorOf(whole)).toBe(wanted);
  });
});

describe('optional() and fallback()', () => {
  const expected =
    'Give it the result of call(), each(), given() or map() itself: optional(call(…)).';

  it('tolerate steps, not fields of them', () => {
    const field = page(({ params }) => optional(call(getThing, { id: params.id }).owner));
    expect(loadErrorOf(field)).toBe(
      'page: optional() was given the result of call(getThing).owner, which is not a step. ' +
        `${expected}`,
    );
    expect(loadErrorOf(page(({ params }) => optional(params)))).toBe(
      `page: optional() was given params, which is not a step. ${expected}`,
    );
    const twice = page(({ params }) => optional(optional(call(getThing, { id: params.id }))));
    expect(loadErrorOf(twice)).toBe(
      `page: optional() was given the result of optional(), which is not a step. ${expected}`,
    );
  });

  it.each([
    ['a reference', (id: Ref<string>) => id],
    ['a part that is one', (id: Ref<string>) => ({ deep: [id] })],
    ['nothing', () => undefined],
  ])('fallback() refuses %s as its value', (_, valueOf) => {
    const composition = page(({ params }) =>
      fallback(call(getThing, { id: params.id }), valueOf(params.id) as unknown as string),
    );
    expect(loadErrorOf(composition)).toBe(
      'page: fallback(): its value must be plain data, without references. Use given() or map() ' +
        'to choose between steps, or a function to call another: fallback(step, () => call(…)).',
    );
  });

  it.each([
    ['nothing', () => 1],
    ['only what was called before', (thing: Ref<unknown>) => thing],
    ['only functions of its own', (thing: Ref<unknown>) => map({ thing }, () => 1)],
  ])('fallback() refuses a function that calls %s', (_, second) => {
    const composition = page(({ params }) => {
      const thing = call(getThing, { id: params.id });
      return fallback(thing, () => second(thing));
    });
    expect(loadErrorOf(composition)).toBe(
      'page: fallback() was given a function that calls nothing. Give the value itself: fallback(step, value).',
    );
  });

  it('fallback() refuses a field that its failure does not have', () => {
    const composition = page(({ params }) =>
      fallback(call(getThing, { id: params.id }), (failure) =>
        call(getThing, { id: (failure as unknown as { code: Ref<string> }).code }),
      ),
    );
    expect(loadErrorOf(composition)).toBe(
      'page: the item has no field "code". It has: kind, status.',
    );
  });
});

describe('map() and each()', () => {
  it('map() wants a function', () => {
    const composition = page(({ params }) => map(params.id, 'upper' as unknown as () => string));
    expect(loadErrorOf(composition)).toBe(
      'page: map() needs a function as its second argument: map(inputs, (values) => …).',
    );
  });

  it.each([0, -1, 1.5, Number.NaN, '5'])('each() refuses %s as its max', (max) => {
    const composition = page(({ params }) =>
      each(call(getThing, { id: params.id }).tags, (tag) => tag, { max: max as number }),
    );
    expect(loadErrorOf(composition)).toBe(
      `page: each(): max is ${typeof max === 'string' ? `"${max}"` : max}. ` +
        'Use a whole number of at least 1.',
    );
  });

  it.each<[string, { concurrency?: number }, string]>([
    ['no number', { concurrency: 0 }, 'concurrency is 0. Use a whole number of at least 1.'],
    [
      'a body without calls',
      { concurrency: 2 },
      'concurrency bounds nothing, since the body calls nothing. Remove it.',
    ],
    [
      'a misspelt option',
      { concurency: 2 } as { concurrency?: number },
      'unknown option "concurency". Known options: max, concurrency.',
    ],
  ])('each() refuses as its concurrency %s', (_, options, message) => {
    const composition = page(({ params }) =>
      each(call(getThing, { id: params.id }).tags, (tag) => tag, options),
    );
    expect(loadErrorOf(composition)).toBe(`page: each(): ${message}`);
  });

  it('each() refuses a concurrency where lookups are all that is asked, in inner blocks too', () => {
    const composition = page(({ params }) =>
      each(
        call(getThing, { id: params.id }).tags,
        (tag) => ({ thing: given(tag, (id) => call(thingOf, { id: id.label })) }),
        { concurrency: 2 },
      ),
    );
    expect(loadErrorOf(composition)).toBe(
      'page: each(): concurrency bounds nothing, since the body only asks lookups. Remove it.',
    );
  });
});

describe('pages()', () => {
  const listThings = operation(things, {
    name: 'listThings',
    route: 'GET /all',
    query: z.object({ cursor: z.string().optional(), limit: z.number().optional() }),
    response: z.object({
      items: z.array(z.string()),
      meta: z.object({ next: z.string().nullish() }),
    }),
  });
  const next = { cursor: 'meta.next', query: 'cursor' };
  const forms =
    'Use "link", { cursor: "next", query: "cursor" }, { url: "next" }, { offset: "offset", limit: ' +
    '"limit" } or { page: "page" }.';

  it.each<[string, object, string]>([
    ['no next', { items: 'items' }, `next does not say how the list goes on. ${forms}`],
    ['text', { items: 'items', next: 'links' }, `next does not say how the list goes on. ${forms}`],
    [
      'a parameter that is not taken',
      { items: 'items', next: { cursor: 'meta.next', query: 'page' } },
      'next.query is "page", which listThings does not take. It takes: cursor, limit.',
    ],
    [
      'a limit that is not taken',
      { items: 'items', next: { offset: 'cursor', limit: 'size' } },
      'next.limit is "size", which listThings does not take. It takes: cursor, limit.',
    ],
    [
      'a field that is not there',
      { items: 'items', next: { url: 'meta.nxt' } },
      'next.url is "meta.nxt", which listThings does not answer with. It has: items, meta.',
    ],
    [
      'a path with an empty name',
      { items: 'items', next: { ...next, cursor: 'meta..next' } },
      'next.cursor is "meta..next", in which a name is empty. Use names of fields with dots ' +
        'between, as in "data.items".',
    ],
    [
      'options of two forms',
      { items: 'items', next: { ...next, total: 'meta.next' } },
      'unknown option "total" in next. Known options: cursor, query.',
    ],
    [
      'items that are elsewhere',
      { items: 'data', next },
      'items is "data", which listThings does not answer with. It has: items, meta.',
    ],
    [
      'items that are no list',
      { items: 'meta', next },
      'items is "meta", which is not a list but an object. Give the path to the list.',
    ],
    [
      'no items',
      { next },
      'the value of listThings is not a list. Give the path to its list, as in items: "data.items".',
    ],
    [
      'no pages at all',
      { items: 'items', next, maxPages: 0 },
      'maxPages is 0. Use a whole number of at least 1.',
    ],
    [
      'a misspelt option',
      { items: 'items', next, max: 3 },
      'unknown option "max". Known options: items, next, maxPages.',
    ],
  ])('refuses %s', (_, options, message) => {
    const composition = page(() => pages(listThings, {}, options as never));
    expect(loadErrorOf(composition)).toBe(`page: pages(): ${message}`);
  });

  it.each([
    [
      createThing,
      { body: { name: 'a' } },
      'createThing is a POST. Use call(); if it only reads, declare safe: true.',
    ],
    [
      thingOf,
      { id: 'a' },
      'thingOf is a lookup, whose items are matched to keys. Use call(), which batches them.',
    ],
  ])('is for operations that read, and no lookups', (other, args, reason) => {
    const composition = page(() =>
      pages(other as unknown as typeof listThings, args as object, {} as never),
    );
    expect(loadErrorOf(composition)).toBe(
      `page: pages() is for operations that read, but ${reason}`,
    );
  });

  it('names itself where arguments are wrong, and its value where that is', () => {
    const options = { items: 'items', next: 'link' } as const;
    const wrong = page(() => pages(listThings, { curser: 'a' } as object, options));
    expect(loadErrorOf(wrong)).toBe(
      'page: pages(listThings) has no argument "curser". It takes: cursor, limit.',
    );
    const list = page(() => {
      const all = pages(listThings, {}, options) as unknown as { first: Reference<string> };
      return optional(all.first);
    });
    expect(loadErrorOf(list)).toContain('was given the result of pages(listThings).first');
  });
});

describe('defineComposition()', () => {
  it('wants a compose()', () => {
    const config = { route: 'GET /x' } as unknown as { route: 'GET /x'; compose: () => object };
    expect(messageOf(() => defineComposition(config))).toBe(
      'defineComposition: GET /x has no compose(). Describe the response there.',
    );
  });
});

describe('the cache of a composition', () => {
  it.each<[string, unknown, string]>([
    ['an age below 0', { maxAge: -1 }, 'cache.maxAge is -1. Use a whole number of at least 0.'],
    ['half a second', { maxAge: 0.5 }, 'cache.maxAge is 0.5. Use a whole number of at least 0.'],
    ['text', { maxAge: '60' }, 'cache.maxAge is "60". Use a whole number of at least 0.'],
    [
      'more than caches count',
      { maxAge: 2 ** 31 },
      'cache.maxAge is 2147483648. Use a whole number of at most 2147483647.',
    ],
    [
      'a shared age that is none',
      { maxAge: 1, sMaxAge: Number.NaN },
      'cache.sMaxAge is NaN. Use a whole number of at least 0.',
    ],
    [
      'a stale time that is none',
      { maxAge: 1, staleWhileRevalidate: -5 },
      'cache.staleWhileRevalidate is -5. Use a whole number of at least 0.',
    ],
    ['no age', {}, 'cache needs maxAge, the number of seconds for which a response is fresh.'],
    [
      'an unknown visibility',
      { maxAge: 1, visibility: 'shared' },
      'cache.visibility is "shared". Use "public" or "private".',
    ],
    [
      'a shared age for what is private',
      { maxAge: 1, sMaxAge: 5, visibility: 'private' },
      'cache.sMaxAge is for shared caches, which never store a "private" response. Remove one ' +
        'of them.',
    ],
    [
      'a misspelt knob',
      { maxAge: 1, smaxAge: 5 },
      'unknown option "smaxAge" in cache. Known options: maxAge, sMaxAge, staleWhileRevalidate, ' +
        'visibility.',
    ],
  ])('refuses %s', (_, cache, problem) => {
    expect(keeping(cache)).toBe(`page: ${problem}`);
  });

  it('refuses to be on what is no GET', () => {
    expect(keeping({ maxAge: 1 }, 'POST /x')).toBe(
      'page: responses to a POST are not cached. Remove cache, or use GET.',
    );
  });
});

describe('the cache of an operation', () => {
  const response = z.object({ id: z.string() });

  it.each<[string, unknown, string]>([
    ['no time', {}, 'cache.ttlMs is 0. Use a whole number of at least 1.'],
    ['a time of 0', { ttlMs: 0 }, 'cache.ttlMs is 0. Use a whole number of at least 1.'],
    ...['staleWhileRevalidateMs', 'staleIfErrorMs', 'negativeTtlMs'].map(
      (knob): [string, unknown, string] => [
        `${knob} below 0`,
        { ttlMs: 1, [knob]: -1 },
        `cache.${knob} is -1. Use a whole number of at least 0.`,
      ],
    ),
    ...['', 'two words', 'ä', 'x'.repeat(65)].map((tag): [string, unknown, string] => [
      `the tag "${tag}"`,
      { ttlMs: 1, tags: ['ok', tag] },
      `cache.tags has "${tag}", which cannot be used. Use up to 64 letters, digits and . : _ -, as in ` +
        '"orders".',
    ]),
    [
      'a misspelt knob',
      { ttlMs: 1, ttl: 5 },
      'unknown option "ttl" in cache. Known options: ttlMs, staleWhileRevalidateMs, ' +
        'staleIfErrorMs, negativeTtlMs, tags, ignoreMaxAge.',
    ],
  ])('refuses %s', (_, cache, problem) => {
    const kept = cache as { ttlMs: number };
    expect(messageOf(() => operation(things, { route: 'GET /x', response, cache: kept }))).toBe(
      `things.getX: ${problem}`,
    );
  });
});

describe('defineService()', () => {
  it.each(['', 'Orders', '9lives', 'two words', 'päyments', '-x'])(
    'refuses the name "%s"',
    (name) => {
      expect(messageOf(() => defineService({ name, url: 'http://x' }))).toBe(
        `defineService: name "${name}" cannot be used. Use lower-case letters, digits and ` +
          'dashes, as in "payments".',
      );
    },
  );

  it.each([
    ['timeoutMs', { timeoutMs: 0 }, 0, 1],
    ['maxBodyBytes', { maxBodyBytes: 1.5 }, 1.5, 1],
    ['connectTimeoutMs', { connectTimeoutMs: -1 }, -1, 1],
    ['bulkhead.concurrency', { bulkhead: { concurrency: 0 } }, 0, 1],
    ['bulkhead.queue', { bulkhead: { queue: -1 } }, -1, 0],
    ['bulkhead.waitMs', { bulkhead: { waitMs: Number.NaN } }, Number.NaN, 1],
  ])('refuses %s by its name', (knob, config, value, least) => {
    expect(messageOf(() => defineService({ name: 'x', url: 'http://x', ...config }))).toBe(
      `service "x": ${knob} is ${value}. Use a whole number of at least ${least}.`,
    );
  });

  it.each(['yes', true, null])('refuses redirects: %j', (redirects) => {
    const config = { redirects } as unknown as { redirects: 'follow' };
    expect(messageOf(() => defineService({ name: 'x', url: 'http://x', ...config }))).toBe(
      `service "x": redirects is ${JSON.stringify(redirects)}. Use "error" or "follow".`,
    );
  });

  it.each<[object | string, string]>([
    [{ arrays: 'csv' }, 'queryStyle.arrays is "csv". Use "repeat", "comma" or "brackets".'],
    [{ objects: true }, 'queryStyle.objects is true. Use "brackets" or "dots".'],
    [{ spaces: ' ' }, 'queryStyle.spaces is " ". Use "+" or "%20".'],
    ['comma', 'queryStyle is "comma". Write { arrays: … }.'],
    [
      { lists: 'comma' },
      'unknown option "lists" in queryStyle. Known options: arrays, objects, spaces.',
    ],
  ])('refuses queryStyle: %j', (queryStyle, problem) => {
    const own = { queryStyle } as { queryStyle: object };
    expect(messageOf(() => defineService({ name: 'x', url: 'http://x', ...own }))).toBe(
      `service "x": ${problem}`,
    );
    const response = z.null();
    expect(messageOf(() => operation(things, { route: 'GET /x', response, ...own }))).toBe(
      `things.getX: ${problem}`,
    );
  });

  it('takes a queue of none', () => {
    const service = defineService({ name: 'x', url: 'http://x', bulkhead: { queue: 0 } });
    expect(service.bulkhead.queue).toBe(0);
  });
});

describe('the address of a service', () => {
  const secret = 'a value that is not shown here';

  it.each([
    ['localhost:4001', '"localhost:4001"'],
    ['ftp://x', '"ftp://x"'],
    ['', '""'],
    ['http://a, b', '"b"'],
    ['http://user:canary@', secret],
    ['http://user:canary,canary@a', secret],
    ['http://a/?token=canary', secret],
  ])('is refused when it is "%s", and not repeated where it may hold a secret', (url, shown) => {
    const message = messageOf(() => defineService({ name: 'x', url }));
    expect(message).toBe(
      `service "x": url contains ${shown}. Use an http or https URL with a host, and without ` +
        'credentials, port 0, query or fragment, or a socket and a prefix ' +
        '(unix:/run/orders.sock:/v2), as in "http://127.0.0.1:4001", or { env: ' +
        '"ORDERS_URL" }.',
    );
  });

  it('may be several, or come from the environment', () => {
    expect(defineService({ name: 'x', url: 'http://a:1, https://b' }).url).toBe(
      'http://a:1, https://b',
    );
    expect(defineService({ name: 'x', url: { env: 'X_URL' } }).url).toEqual({ env: 'X_URL' });
  });
});

describe('operation()', () => {
  const response = z.object({ id: z.string() });

  it.each(['', 'two words', '9lives', 'a.b', 'zahlung_für'])('refuses the name "%s"', (name) => {
    expect(messageOf(() => operation(things, { name, route: 'GET /x', response }))).toBe(
      `service "things": operation name "${name}" cannot be used. Use letters, digits, - and _, ` +
        'as in "getOrder".',
    );
  });

  it('refuses a body where the method has none', () => {
    expect(messageOf(() => operation(things, { route: 'GET /x', body: response, response }))).toBe(
      'things.getX: GET has no body. Use query, or another method.',
    );
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('never redirects a %s', (method) => {
    const route = `${method} /x` as const;
    const own = { name: 'own', route, response };
    expect(messageOf(() => operation(things, { ...own, redirects: 'follow' }))).toBe(
      `things.own: a ${method} is never redirected. Remove redirects.`,
    );
    expect(operation(things, { ...own, redirects: 'error' }).redirects).toBe('error');
    const service = defineService({ name: 'x', url: 'http://x', redirects: 'follow' });
    expect(operation(service, own).redirects).toBe('error');
  });

  it('never redirects a lookup by POST', () => {
    const own = { route: 'POST /x', keys: { body: 'ids' }, by: 'id', item: response } as const;
    expect(messageOf(() => lookup(things, { ...own, name: 'own', redirects: 'follow' }))).toBe(
      'things.own: a POST is never redirected. Remove redirects.',
    );
  });

  it.each([
    ['path and query', 'id'],
    ['query and body', 'body'],
  ])('refuses one name in %s', (_, name) => {
    const query = z.object({ [name]: z.string() });
    expect(
      messageOf(() => operation(things, { route: 'POST /x/:id', query, body: response, response })),
    ).toBe(
      `things.postX: argument "${name}" is declared twice (path, query, body and headers share ` +
        'one list of names). Rename one.',
    );
  });

  it('checks its own headers and knobs as the service does', () => {
    expect(
      messageOf(() => operation(things, { route: 'GET /x', response, forward: ['te'] })),
    ).toMatch(/^things\.getX: header "te" cannot be forwarded: it belongs to one connection/);
    expect(messageOf(() => operation(things, { route: 'GET /x', response, timeoutMs: 0 }))).toBe(
      'things.getX: timeoutMs is 0. Use a whole number of at least 1.',
    );
  });

  it('refuses a knob that is none, as the service and a lookup do', () => {
    const knob = { timeoutms: 5 };
    expect(messageOf(() => defineService({ name: 'x', url: 'http://x', ...knob }))).toBe(
      'service "x": unknown option "timeoutms". Known options: name, url, forward, timeoutMs, ' +
        'maxBodyBytes, maxDepth, retry, hedge, connectTimeoutMs, retryBudget, breaker, bulkhead, ' +
        'ejection, health, headers, auth, requestId, tls, redirects, queryStyle.',
    );
    expect(
      messageOf(() =>
        defineService({ name: 'x', url: 'http://x', bulkhead: { queue: 1, ...knob } }),
      ),
    ).toMatch(/^service "x": unknown option "timeoutms" in bulkhead\./);
    expect(messageOf(() => operation(things, { route: 'GET /x', response, ...knob }))).toMatch(
      /^things\.getX: unknown option "timeoutms"\. Known options: name, route, /,
    );
    const keys = { query: 'ids' };
    expect(
      messageOf(() => lookup(things, { route: 'GET /x', keys, by: 'id', item: response, ...knob })),
    ).toMatch(/^things\.getX: unknown option "timeoutms"\. Known options: .*windowMs/);
  });

  it('takes a POST for a read where that is said of it, and nothing else', () => {
    const search = operation(things, {
      route: 'POST /search',
      response,
      safe: true,
      cache: { ttlMs: 1 },
      hedge: {},
      retry: { times: 2 },
    });
    expect([search.safe, search.idempotent]).toEqual([true, true]);
    expect(operation(things, { route: 'GET /x', response, safe: true }).safe).toBe(true);
    expect(operation(things, { route: 'POST /x', response }).safe).toBe(false);
    const unsafe = { route: 'GET /x', response, safe: false as never } as const;
    expect(messageOf(() => operation(things, unsafe))).toBe(
      'things.getX: safe is false. Write safe: true for a read by POST; otherwise remove it, since ' +
        'the method says whether it reads.',
    );
  });

  it('refuses to keep the answer of a call that changes something', () => {
    const cache = { ttlMs: 1_000 };
    expect(messageOf(() => operation(things, { route: 'POST /x', response, cache }))).toBe(
      'things.postX: a POST may change something, so its responses are not cached. Remove cache.',
    );
  });

  it.each([
    ['name', 'slash is "name". Use a list of path parameters. There are: id.'],
    [
      ['name'],
      'slash names "name", which is not a path parameter of one segment. There are: id. A parameter ":name+" takes slashes by itself.',
    ],
    [
      ['rest'],
      'slash names "rest", which is not a path parameter of one segment. There are: id. A parameter ":name+" takes slashes by itself.',
    ],
  ])('refuses slash: %j', (slash, message) => {
    const own = { slash } as unknown as { slash: ['id'] };
    expect(
      messageOf(() => operation(things, { route: 'GET /x/:id/:rest+', response, ...own })),
    ).toContain(message);
  });

  it('is named after its route unless it is told otherwise', () => {
    const { name } = operation(things, { route: 'GET /shop-items/:id/parts', response });
    expect(name).toBe('getShopItemsParts');
    const routes = [
      'POST /items:batchGet',
      'POST /users/:id:activate',
      'GET /:id.json',
      'GET /%41b/',
    ];
    const names = routes.map((written) => {
      const route = written as 'GET /x'; // any other would do
      return operation(things, { route, response }).name;
    });
    expect(names).toEqual(['postItemsBatchGet', 'postUsersActivate', 'getJson', 'getB']);
  });
});

describe('lookup()', () => {
  const common = { route: 'GET /x', keys: { query: 'ids' }, by: 'id' } as const;
  const item = z.object({ id: z.string(), name: z.string() });
  const inBody = { route: 'POST /x', name: 'getX', keys: { body: 'filter.ids' } } as const;

  it.each<[string, object, string]>([
    [
      'a path parameter named like the key argument',
      { route: 'GET /x/:id', name: 'getX' },
      'path parameter ":id" is already used for the keys. Rename one.',
    ],
    [
      'one name in path and query',
      { route: 'GET /x/:page', query: z.object({ page: z.string() }) },
      'argument "page" is declared twice (key, path, query, body and headers share one list of ' +
        'names). Rename one.',
    ],
    [
      'a body of a GET',
      { body: z.object({ a: z.string() }) },
      'GET has no body. Use query, or POST.',
    ],
    [
      'a field of the body where the keys go',
      { ...inBody, body: z.object({ filter: z.object({ ids: z.array(z.string()) }) }) },
      'field "filter.ids" of body is already used for the keys. Rename one.',
    ],
    [
      'a body that is a list',
      { ...inBody, body: z.array(z.string()) },
      'keys.body is "filter.ids", but body is an array. The keys need an object around them.',
    ],
    [
      'a field of the body that is no object around the keys',
      { ...inBody, body: z.object({ filter: z.string().optional() }) },
      'keys.body is "filter.ids", but "filter" in body is a string. The keys need an object around ' +
        'them.',
    ],
    [
      'a path in the body with an empty name',
      { ...inBody, keys: { body: 'filter.' } },
      'keys.body is "filter.", in which a name is empty. Use names of fields with dots between, as ' +
        'in "data.items".',
    ],
    [
      'a header that cannot be sent',
      { headers: z.object({ host: z.string() }) },
      'header "host" cannot be sent: the gateway sends one of its own. Remove it.',
    ],
    [
      'keys in the body of a GET',
      { keys: { body: 'ids' } },
      'keys cannot go into the body of a GET. Use { query: … }, or POST.',
    ],
    [
      'a key field that items do not have',
      { by: 'orderId' },
      'by is "orderId", which the item does not have. It has: id, name.',
    ],
    [
      'a key field that every JavaScript object has',
      { by: 'constructor' },
      'by is "constructor", which the item does not have. It has: id, name.',
    ],
    [
      'a key path that items do not have',
      { by: 'name.first' },
      'by is "name.first", which the item does not have. It has: id, name.',
    ],
    [
      'a key that is an object',
      { by: 'owner', item: z.object({ owner: z.object({ id: z.string() }) }) },
      'by is "owner", which is an object, not a key. Use the path of a text or a number.',
    ],
    [
      'items at no path',
      { items: 'data..items' },
      'items is "data..items", in which a name is empty. Use names of fields with dots between, as ' +
        'in "data.items".',
    ],
    ['an empty by', { by: [] }, 'by is empty. Use the path of the field that holds the key.'],
    [
      'a by that is no text',
      { by: 7 },
      'by is 7, not a path. Use names of fields with dots between, as in "data.items".',
    ],
    [
      'a compound key in a query without join',
      { by: ['id', 'name'] },
      'by has 2 parts, which a query cannot carry. Add join, as in { query: "ids", join: ":" }.',
    ],
    [
      'a compound key that is the name of a field, without join',
      { route: 'POST /x', name: 'getX', keys: { body: 'ids' }, by: ['id', 'name'], match: 'key' },
      'by has 2 parts, which the name of a field cannot carry. Add join, as in ' +
        '{ body: "ids", join: ":" }.',
    ],
    [
      'an unknown compare',
      { compare: 'nocase' },
      'compare is "nocase". Use "exact", "caseless" or "number".',
    ],
    [
      'errors in no place',
      { errors: { by: 'id' } },
      'errors has neither items nor when. Use { items: "errors", by: "id" } for errors beside the ' +
        'items, or { when: z.object({ … }), status: … } for errors among them.',
    ],
    [
      'errors in two places',
      { errors: { items: 'errors', when: z.object({ code: z.int() }), status: 500 } },
      'errors has both items and when. Use { items: "errors", by: "id" } for errors beside the ' +
        'items, or { when: z.object({ … }), status: … } for errors among them.',
    ],
    [
      'errors that every item may be',
      { errors: { when: z.object({ code: z.int().optional() }), status: 500 } },
      'errors.when fits an empty answer, so every answer might be a failure. Name a field that only ' +
        'failures have, as in z.object({ success: z.literal(false) }).',
    ],
    [
      'the status of a success for errors',
      { errors: { items: 'errors', by: 'id', status: 200 } },
      'errors.status is 200, which is not a failure. Use 400 to 599.',
    ],
    [
      'a status that errors do not have',
      { errors: { when: z.object({ code: z.int() }), status: 'kode' } },
      'errors.status is "kode", which errors.when does not have. Use a path to a field of it, as in ' +
        '"error.code".',
    ],
    [
      'too many parts of the key of an error',
      { errors: { items: 'errors', by: ['id', 'name'] } },
      'errors.by has 2 parts, but a key has 1 part. Give a path for each.',
    ],
    [
      'a key of errors among the items',
      { errors: { when: z.object({ code: z.int() }), status: 'code', by: 'id' } },
      'errors.by is for errors beside the items. Remove it.',
    ],
    [
      'an unknown option of errors',
      { errors: { items: 'errors', key: 'id' } },
      'unknown option "key" in errors. Known options: items, by, when, status.',
    ],
    [
      'a limit without a name',
      { limit: { value: 5 } },
      'limit.query does not name a parameter. Use { query: "limit" }.',
    ],
    [
      'a limit named like the keys',
      { limit: { query: 'ids' } },
      'query parameter "ids" is that of the keys, so limit cannot send it, too. Rename one.',
    ],
    [
      'a limit named like an argument',
      { limit: { query: 'size' }, query: z.object({ size: z.int() }) },
      'query parameter "size" is an argument, so limit cannot send it, too. Rename one.',
    ],
    [
      'a limit of many without a value',
      { limit: { query: 'size' }, many: true },
      'limit needs a value: with many, the number of keys bounds no items. Add one, as in ' +
        '{ query: "limit", value: 1000 }.',
    ],
    [
      'a limit below max',
      { limit: { query: 'size', value: 50 } },
      'limit.value is 50, but a request has up to 100 keys. Lower max, or raise it.',
    ],
    [
      'a limit of single',
      {
        route: undefined,
        keys: undefined,
        name: 'getX',
        single: 'GET /x/:id',
        limit: { query: 'size' },
      },
      'single asks for one key at a time, so limit bounds nothing. Remove it.',
    ],
    ['an unknown match', { match: 'id' }, 'match is "id". Use "by", "key" or "position".'],
    [
      'a key field of items that have none',
      { item: z.int() },
      'by is "id", which the item does not have. It has: no fields.',
    ],
    [
      'a join of one part',
      { keys: { query: 'ids', join: ':' } },
      'keys.join joins the parts of a key, but by has only one. Remove it.',
    ],
    [
      'an empty join',
      { keys: { query: 'ids', join: '' }, by: ['id', 'name'] },
      'keys.join is "". Use text that no part of a key contains, as ":".',
    ],
    [
      'a join that separates keys',
      { keys: { query: 'ids', join: ', ' }, by: ['id', 'name'] },
      'keys.join is ", ", but a comma separates keys. Use another text, as ":".',
    ],
    [
      'two parts of one name',
      {
        keys: { query: 'ids', join: ':' },
        by: ['id', 'owner.id'],
        item: z.object({ id: z.string(), owner: z.object({ id: z.string() }) }),
      },
      '"id" and "owner.id" of by both make the argument "id". Name all of them by argument.',
    ],
    [
      'an argument without a name',
      { argument: '' },
      'argument is "", not a name. Write it as in argument: "id".',
    ],
    [
      'one name for two parts',
      { keys: { query: 'ids', join: ':' }, by: ['id', 'name'], argument: 'id' },
      'argument is "id", not 2 different names, one for each of by. Write it as in argument: ' +
        '["tenantId", "id"].',
    ],
    [
      'the same name for two parts',
      { keys: { query: 'ids', join: ':' }, by: ['id', 'name'], argument: ['id', 'id'] },
      'argument is ["id","id"], not 2 different names, one for each of by. Write it as in argument: ' +
        '["tenantId", "id"].',
    ],
    [
      'a schema of another compound key',
      { keys: { query: 'ids', join: ':' }, by: ['id', 'name'], key: z.object({ id: z.string() }) },
      'key is not an object of id and name. Use z.object({ id: …, name: … }).',
    ],
    [
      'a query parameter named like a part of the key',
      {
        keys: { query: 'ids', join: ':' },
        by: ['id', 'name'],
        query: z.object({ name: z.string() }),
      },
      'query parameter "name" is already used for the keys. Rename one.',
    ],
    [
      'a query parameter named like that of the keys',
      { query: z.object({ ids: z.string() }) },
      'query parameter "ids" is already used for the keys. Rename one.',
    ],
    [
      'a query parameter named like the key argument',
      { query: z.object({ id: z.string() }) },
      'query parameter "id" is already used for the keys. Rename one.',
    ],
    ['a max of 0', { max: 0 }, 'max is 0. Use a whole number of at least 1.'],
    [
      'a request line without room for a key',
      { maxRequestLineBytes: 22 },
      'maxRequestLineBytes is 22, but a request takes 22 bytes before its first key. The default is ' +
        '7168.',
    ],
    [
      'a request body without room for a key',
      { route: 'POST /x', name: 'getX', keys: { body: 'ids' }, maxRequestBodyBytes: 10 },
      'maxRequestBodyBytes is 10, but a request takes 10 bytes before its first key. The default ' +
        'is 262144.',
    ],
    [
      'a bound on the line where keys go into the body',
      { route: 'POST /x', name: 'getX', keys: { body: 'ids' }, maxRequestLineBytes: 8_000 },
      'maxRequestLineBytes bounds nothing here: the keys go into the body. Use maxRequestBodyBytes.',
    ],
    [
      'a bound on the body where keys go into the query',
      { maxRequestBodyBytes: 8_000 },
      'maxRequestBodyBytes bounds nothing here: the keys go into the query. Use maxRequestLineBytes.',
    ],
    [
      'a bound on the line that is text',
      { maxRequestLineBytes: '8k' },
      'maxRequestLineBytes is "8k". Use a whole number of at least 1.',
    ],
    [
      'a schema of keys that is none',
      { key: String },
      'key is not a schema. Use one of zod, as in z.uuid().',
    ],
    ['an unknown notFound', { notFound: 'null' }, 'notFound is "null". Use "none" or "error".'],
    ['keys that are text', { keys: 'ids' }, 'keys is "ids". Write { query: … }.'],
    [
      'keys with a misspelt place',
      { keys: { querry: 'ids' } },
      'unknown option "querry" in keys. Known options: query, repeat, body, join.',
    ],
    ...[{}, { query: '' }, { query: 'ids', body: 'ids' }, { body: 7 }].map(
      (keys): [string, object, string] => [
        `the keys ${JSON.stringify(keys)}`,
        { keys },
        'keys does not say where the keys go. Use { query: "ids" }, { query: "id", repeat: true } ' +
          'or { body: "ids" }.',
      ],
    ),
    ['a many that is text', { many: 'yes' }, 'many is "yes". Use true or false.'],
    ['an unknown missing', { missing: 'nil' }, 'missing is "nil". Use "null" or "error".'],
  ])('refuses %s', (_, config, problem) => {
    expect(messageOf(() => lookup(things, { ...common, item, ...config }))).toBe(
      `things.getX: ${problem}`,
    );
  });
});

describe('lookup() with single', () => {
  const common = { single: 'GET /x/:id', name: 'getX', by: 'id' } as const;
  const item = z.object({ id: z.string() });
  const alone = 'single asks for one key at a time, so';

  it.each<[string, object, string]>([
    ['another route', { route: 'GET /x' }, `${alone} route says nothing. Remove it.`],
    ['a place of keys', { keys: { query: 'ids' } }, `${alone} keys says nothing. Remove it.`],
    ['a bound on keys', { max: 10 }, `${alone} max bounds nothing. Remove it.`],
    ['a window', { windowMs: 5 }, `${alone} windowMs bounds nothing. Remove it.`],
    [
      'a bound on bytes',
      { maxRequestLineBytes: 8_000 },
      `${alone} maxRequestLineBytes bounds nothing. Remove it.`,
    ],
    ['a 404 to several', { notFound: 'none' }, `${alone} notFound says nothing. Remove it.`],
    [
      'a route without the key',
      { single: 'GET /x' },
      'single is "GET /x", which has no ":id". Add it.',
    ],
    [
      'a route with a part of the key only',
      { by: ['id', 'of'], item: z.object({ id: z.string(), of: z.string() }) },
      'single is "GET /x/:id", which has no ":of". Add it.',
    ],
    [
      'an object by keys of several parts',
      {
        single: 'GET /x/:of/:id',
        by: ['id', 'of'],
        item: z.object({ id: z.string(), of: z.string() }),
        match: 'key',
      },
      'by has 2 parts, but match: "key" with single takes one. Use "by" or "position".',
    ],
    [
      'no calls at a time',
      { concurrency: 0 },
      'concurrency is 0. Use a whole number of at least 1.',
    ],
    [
      'concurrency without single',
      { single: undefined, route: 'GET /x', keys: { query: 'ids' }, concurrency: 4 },
      'concurrency bounds the calls of single, which is not given. Remove it.',
    ],
    [
      'a route without keys',
      { single: undefined, route: 'GET /x' },
      'lookup() needs keys. Use { query: "ids" }, { query: "id", repeat: true } or { body: "ids" }.',
    ],
    [
      'a query parameter named like the key',
      { query: z.object({ id: z.string() }) },
      'query parameter "id" is already used for the keys. Rename one.',
    ],
  ])('refuses %s', (_, config, problem) => {
    expect(messageOf(() => lookup(things, { ...common, item, ...config } as never))).toBe(
      `things.getX: ${problem}`,
    );
  });

  it('refuses a lookup without any route', () => {
    expect(messageOf(() => lookup(things, { by: 'id', item } as never))).toBe(
      `service "things": a lookup has no route. Write route and keys, or single, as in ` +
        `single: 'GET /payments/:orderId'.`,
    );
  });
});

function text(reference: unknown): string {
  return String(reference);
}

/** The name in the message for a reference that `compose` turns into text. */
function spoken(compose: Parameters<typeof page>[0]): string {
  return loadErrorOf(page(compose)).replace(/ was turned.*/, '');
}

/** The message about a composition with this `cache`. */
function keeping(cache: unknown, route: 'GET /x' | 'POST /x' = 'GET /x'): string {
  const kept = cache as { maxAge: number };
  return loadErrorOf(defineComposition({ route, cache: kept, compose: () => ({ a: 1 }) }));
}
