/** Every style of a lookup, however its service answers, gives each key what a model does. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { UpstreamError } from '../../../src/errors.ts';
import { cache } from '../../../src/upstream/caching/cache.ts';
import { createMemoryStore } from '../../../src/upstream/caching/memory-store.ts';
import type { Dispatch, Reply } from '../../../src/upstream/call.ts';
import { parseReply } from '../../../src/upstream/exchange/parse.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import { keyOf } from '../../../src/upstream/sharing/key.ts';
import { openLoad } from '../../../src/upstream/sharing/open-load.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import { callOf, nowhere, turn, unreached } from '../../support/upstream-calls.ts';

interface Style {
  readonly match: 'by' | 'key' | 'position';
  readonly parts: 1 | 2;
  readonly place: 'query' | 'repeated' | 'body' | 'joined';
  readonly compare: 'exact' | 'caseless' | 'number';
  readonly errors: 'none' | 'beside' | 'byKey' | 'among';
  readonly many: boolean;
  readonly missing: 'null' | 'error';
  readonly wrapped: boolean;
  readonly max: number;
  readonly isCached: boolean;
}

const styles: fc.Arbitrary<Style> = fc
  .record({
    match: fc.constantFrom('by', 'key', 'position'),
    parts: fc.constantFrom(1, 2),
    place: fc.constantFrom('query', 'repeated', 'body', 'joined'),
    compare: fc.constantFrom('exact', 'caseless', 'number'),
    errors: fc.constantFrom('none', 'beside', 'byKey', 'among'),
    many: fc.boolean(),
    missing: fc.constantFrom('null', 'error'),
    wrapped: fc.boolean(),
    max: fc.constantFrom(2, 100),
    isCached: fc.boolean(),
  })
  // A name of an object has to be one text.
  .map((style) => {
    const isText = style.match === 'key' || style.errors === 'byKey';
    return isText && style.place === 'body' ? { ...style, place: 'joined' } : style;
  });

/** Seven keys, each in two forms that are the same unless they are compared exactly. */
const forms: Readonly<Record<Style['compare'], (key: number) => readonly [string, string]>> = {
  exact: (key) => [`k${key}`, `k${key}`],
  caseless: (key) => [`k${key}`, `K${key}`],
  number: (key) => [`${key}`, `00${key}.0`],
};

const cases = fc.record({
  style: styles,
  /** Of each key: its items, which may not fit the schema, and its error. */
  stocks: fc.array(
    fc.record({
      count: fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 1, 1, 2),
      error: fc.option(fc.constantFrom(404, 409, 503), { nil: undefined, freq: 3 }),
      isBroken: fc.constantFrom(false, false, false, true),
    }),
    { minLength: 7, maxLength: 7 },
  ),
  /** The keys that the service answers with although nobody has asked. */
  surplus: fc.subarray([0, 1, 2, 3, 4, 5, 6]),
  order: fc.infiniteStream(fc.nat(9)),
  asked: fc.array(
    fc.array(fc.tuple(fc.nat(6), fc.constantFrom(0, 1)), { minLength: 1, maxLength: 6 }),
    { minLength: 1, maxLength: 4 },
  ),
});

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

const item = z.object({ of: z.object({ shop: z.string(), id: z.string() }), cents: z.int() });

function declare({ place, parts, match, errors, ...style }: Style): Operation {
  const join = parts === 2 && place !== 'body' ? { join: '~' } : {};
  const isBody = place === 'body' || place === 'joined';
  const errorPaths = parts === 2 ? ['shop', 'about.id'] : 'about.id';
  return lookup(nowhere, {
    name: 'styled',
    route: isBody ? 'POST /x' : 'GET /x',
    keys: isBody
      ? { body: 'ids', ...join }
      : { query: 'ids', repeat: place === 'repeated', ...join },
    match,
    by: parts === 2 ? ['of.shop', 'of.id'] : 'of.id',
    item,
    max: style.max,
    many: style.many,
    missing: style.missing,
    compare: style.compare,
    ...(style.wrapped && { items: 'data.items' }),
    ...(style.isCached && { cache: { ttlMs: 60_000 } }),
    ...(errors === 'beside' && { errors: { items: 'errors', by: errorPaths, status: 'code' } }),
    ...(errors === 'byKey' && { errors: { items: 'errors', status: 'code' } }),
    ...(errors === 'among' && {
      errors: { when: z.object({ code: z.int() }), status: 'code' },
    }),
  } as never); // combinations that no single type describes
}

const shop = '5';

/** The service's way to write a key: the first form. */
function named(style: Style, key: number): string {
  const id = forms[style.compare](key)[0];
  return style.parts === 2 ? `${shop}~${id}` : id;
}

function itemsFor({ style, stocks }: Case, key: number): unknown[] {
  const { count = 0, isBroken = false, error } = stocks[key] ?? {};
  const of = { shop, id: forms[style.compare](key)[0] };
  if (style.errors === 'among' && error !== undefined) return [{ of, code: error }];
  const wanted = style.match === 'by' || style.many ? count : Math.min(count, 1);
  return Array.from({ length: wanted }, (_, at) => ({ of, cents: isBroken ? 'none' : at }));
}

/** The number of a key as it was sent. */
function keyIn(sent: unknown): number {
  const text = typeof sent === 'object' ? String(Object(sent).id) : String(sent).split('~').at(-1);
  return Number(String(text).replace(/^k/i, ''));
}

/** The answer of the service, its items in any order where that is allowed. */
function bodyFor(given: Case, dispatch: Dispatch): string {
  const { style, stocks, surplus, order } = given;
  const asked = (dispatch.keys ?? []).map(keyIn);
  const others = surplus.filter((key) => !asked.includes(key));
  const all = shuffled([...asked, ...others], order);
  const entry = (key: number): unknown =>
    style.many ? itemsFor(given, key) : (itemsFor(given, key)[0] ?? null);
  const items = {
    by: () => all.flatMap((key) => itemsFor(given, key)),
    key: () => Object.fromEntries(all.map((key) => [named(style, key), entry(key)])),
    position: () => asked.map(entry),
  }[style.match]();
  const failing = all.filter((key) => stocks[key]?.error !== undefined);
  const code = (key: number) => stocks[key]?.error;
  const errors =
    style.errors === 'byKey'
      ? Object.fromEntries(failing.map((key) => [named(style, key), { code: code(key) }]))
      : failing.map((key) => {
          const about = { id: forms[style.compare](key)[0] };
          return { shop, about, code: String(code(key)) };
        });
  const isBeside = style.errors === 'beside' || style.errors === 'byKey';
  if (!style.wrapped && !isBeside) return JSON.stringify(items);
  const data = style.wrapped ? { data: { items } } : items;
  return JSON.stringify(isBeside ? { ...Object(data), errors } : data);
}

function shuffled(keys: readonly number[], order: fc.Stream<number>): number[] {
  const ranks = [...order.take(keys.length)];
  return [...keys.keys()]
    .toSorted((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0))
    .map((at) => keys[at] ?? 0);
}

/** What each key gets, whoever asks for it and whatever else is asked for. */
function model(given: Case, key: number): unknown {
  const { style, stocks } = given;
  const { error } = stocks[key] ?? {};
  const isSeen = style.errors !== 'none' && error !== undefined;
  if (isSeen && error !== 404) return error;
  const items = isSeen && style.errors === 'among' ? [] : itemsFor(given, key);
  if (items.length === 0 && style.missing === 'error') return 'missing';
  if (items.some((one) => !item.safeParse(one).success)) return 'invalid-body';
  return style.many ? items : (items[0] ?? null);
}

async function answersTo(given: Case) {
  const own = declare(given.style);
  const clock = createFakeClock();
  const sent: (readonly unknown[])[] = [];
  const caching = cache({
    store: createMemoryStore({ clock }),
    clock,
    onRefreshError: () => undefined,
  });
  const send = async (dispatch: Dispatch): Promise<Reply> => {
    sent.push(dispatch.keys ?? []);
    await turn();
    const body = Buffer.from(bodyFor(given, dispatch));
    const attempt = { ...dispatch, address: unreached };
    return parseReply(attempt, { status: 200, headers: {}, body, target: '/x' } as never, 0);
  };
  const sendLoad = caching.load(batch(clock, send));
  const ask = async (keys: Case['asked'][number]) => {
    const call = callOf(own);
    const texts = keys.map(([key, form]) => forms[given.style.compare](key)[form]);
    const wanted = given.style.parts === 2 ? texts.map((id) => [shop, id]) : texts;
    const options = { call: { ...call, key: keyOf(call) }, keys: wanted, failsAtOnce: false };
    const { values, failures } = await openLoad(options, sendLoad).done;
    return values.map((value, at) => resultOf(failures?.get(at), value));
  };
  const got = await Promise.all(given.asked.map(ask));
  const again = await ask(given.asked[0] ?? []);
  return { got, again, sent };
}

function resultOf(failure: unknown, value: unknown): unknown {
  if (failure === undefined) return value;
  expect(failure).toBeInstanceOf(UpstreamError);
  const { kind, status } = failure as UpstreamError; // the line before has just said so
  return kind === 'status' ? status : kind;
}

describe('a lookup of any style', () => {
  it('gives each key what it would get alone, of answers in any order, with any others', async () => {
    await assertProperty(
      fc.asyncProperty(cases, async (given) => {
        // A list or object that is the whole body has no place for errors beside it.
        const isBeside = given.style.errors === 'beside' || given.style.errors === 'byKey';
        fc.pre(given.style.wrapped || !isBeside);
        const { got, again, sent } = await answersTo(given);
        const expected = given.asked.map((keys) => keys.map(([key]) => model(given, key)));
        expect(got).toEqual(expected);
        expect(again).toEqual(expected[0]);
        for (const keys of sent) {
          expect(keys.length).toBeLessThanOrEqual(given.style.max);
          expect(new Set(keys.map(keyIn)).size).toBe(keys.length);
        }
        const distinct = new Set(given.asked.flat().map(([key]) => key)).size;
        expect(sent.length).toBeGreaterThanOrEqual(Math.ceil(distinct / given.style.max));
      }),
      { full: 5_000 },
    );
  });
});
