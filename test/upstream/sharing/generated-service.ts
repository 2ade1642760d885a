/** Generated styles of lookups, a service that answers in them, and what each key must be given. */
import type { IncomingMessage } from 'node:http';
import * as fc from 'fast-check';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import type { Service } from '../../../src/dsl/service.ts';

/**
 * `gone`, `failing`: the answer says so, by 404 or 503, where it says such things. `absent`: it has no item. `twice`: it has two. `misfit`: its item does not fit the schema.
 * `refused`: a request with it is a 400.
 */
const states = [
  'plain',
  'plain',
  'absent',
  'twice',
  'misfit',
  'refused',
  'gone',
  'failing',
] as const;

const tokens = ['a', 'b', '7', 'x y', 'é€', 'c?d', '50%'];

const places = ['separated', 'repeated', 'body', 'inBody', 'single'] as const;

/** The ways to say that a key has no item. */
const nothings = ['404', '410', 'null', 'empty'] as const;

const matches = ['by', 'key', 'position'] as const;

const fields = fc.record({
  place: fc.constantFrom(...places),
  match: fc.constantFrom(...matches),
  isCompound: fc.boolean(),
  isCaseless: fc.boolean(),
  isWrapped: fc.boolean(),
  /** Whether items that are errors say that their key has failed. */
  hasErrors: fc.boolean(),
  many: fc.boolean(),
  /** The order of the items, by a number for each key. */
  order: fc.array(fc.nat(9), { minLength: tokens.length, maxLength: tokens.length }),
  states: fc.array(fc.constantFrom(...states), {
    minLength: tokens.length,
    maxLength: tokens.length,
  }),
  hasSurplus: fc.boolean(),
  hasNumbers: fc.boolean(),
  nothing: fc.constantFrom(...nothings),
  keys: fc.array(fc.constantFrom(...tokens, 'A', 'É€'), { minLength: 1, maxLength: 8 }),
});

/** An answer to one compound key is no object by key: nothing says how its name would be made. */
export const situations = fields.map((one) => ({
  ...one,
  isCompound: one.isCompound && !(one.place === 'single' && one.match === 'key'),
}));

export type Situation = typeof situations extends fc.Arbitrary<infer T> ? T : never;

const text = z.union([z.string(), z.int()]);
const tenant = 't1';

export function lookupOf(service: Service, situation: Situation): Operation {
  const { place, match, isCompound, isWrapped, many } = situation;
  const join = isJoined(situation) ? { join: '/' } : {};
  const common = {
    match,
    compare: situation.isCaseless ? 'caseless' : 'exact',
    name: 'itemOf',
    by: isCompound ? ['of.tenant', 'id'] : 'id',
    item: z.object({ id: text, of: z.object({ tenant: z.string() }), count: z.int() }),
    many,
    ...(situation.hasErrors && { errors: { when: z.object({ code: z.int() }), status: 'code' } }),
    ...(isWrapped && { items: 'data.list' }),
  };
  const keys = {
    separated: { route: 'GET /items', keys: { query: 'ids', ...join } },
    repeated: { route: 'GET /items', keys: { query: 'id', repeat: true, ...join } },
    body: { route: 'POST /items', keys: { body: 'ids', ...join } },
    inBody: { route: 'POST /items', keys: { body: 'filter.ids', ...join } },
    single: { single: isCompound ? 'GET /of/:tenant/items/:id' : 'GET /items/:id' },
  }[place];
  // The types of a lookup are those of one style.
  return lookup(service, { ...common, ...keys } as never);
}

function isJoined({ place, match, isCompound }: Situation): boolean {
  return isCompound && place !== 'single' && (place !== 'inBody' || match === 'key');
}

export function argumentsOf({ isCompound }: Situation, key: string): object {
  return isCompound ? { tenant, id: key } : { id: key };
}

/** Equal keys have the same one, which is how the service writes them. */
export function writtenAs({ isCaseless }: Situation, key: string): string {
  return isCaseless ? key.toLowerCase() : key;
}

function stateOf({ states: all }: Situation, key: string): (typeof states)[number] | undefined {
  return all[tokens.indexOf(key)];
}

/** The keys of a request. */
function keysIn(
  situation: Situation,
  request: { readonly url?: string | undefined; readonly body: string },
): readonly string[] {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://shop');
  const { place } = situation;
  const alone = (key: string): string =>
    isJoined(situation) ? key.replace(`${tenant}/`, '') : key;
  const inBody = (): { ids?: unknown[]; filter?: { ids: unknown[] } } => JSON.parse(request.body);
  switch (place) {
    case 'separated':
      return (searchParams.get('ids') ?? '').split(',').map(alone);
    case 'repeated':
      return searchParams.getAll('id').map(alone);
    case 'body':
      return (inBody().ids ?? []).map(String).map(alone);
    case 'inBody':
      return (inBody().filter?.ids ?? []).map((key) =>
        typeof key === 'string' ? alone(key) : (key as { id: string }).id,
      );
    case 'single':
      return [decodeURIComponent(pathname.split('/').at(-1) ?? '')];
    default:
      return place satisfies never;
  }
}

function itemOf({ hasNumbers }: Situation, key: string, count: unknown): object {
  return { id: hasNumbers && key === '7' ? 7 : key, of: { tenant }, count };
}

/** An error has the key of its item, which is how it is found in a list. */
function errorOf(situation: Situation, key: string): object {
  const code = stateOf(situation, key) === 'gone' ? 404 : 503;
  return { ...itemOf(situation, key, 0), code };
}

function itemsOf(situation: Situation, key: string): readonly object[] {
  switch (stateOf(situation, key)) {
    case 'absent':
    case 'refused':
    case undefined:
      return [];
    case 'gone':
    case 'failing':
      return situation.hasErrors ? [errorOf(situation, key)] : [];
    case 'misfit':
      return [itemOf(situation, key, 'many')];
    case 'plain':
      return [itemOf(situation, key, 1)];
    case 'twice':
      return [itemOf(situation, key, 1), itemOf(situation, key, 2)];
  }
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The answer of the service: items in any order, those of other keys among them. */
export function answerTo(situation: Situation, request: IncomingMessage, body: string): Answer {
  const asked = keysIn(situation, { url: request.url, body });
  const keys = asked.map((key) => writtenAs(situation, key));
  if (keys.some((key) => stateOf(situation, key) === 'refused')) return { status: 400, body: '' };
  const isOne = situation.place === 'single';
  if (isOne && itemsOf(situation, keys[0] ?? '').length === 0) return nothingIn(situation);
  return { status: 200, body: wrapped(situation, bodyFor(situation, keys)) };
}

function bodyFor(situation: Situation, keys: readonly string[]): unknown {
  const { match, place, many } = situation;
  if (match === 'key') return byName(situation, keys);
  const entries = keys.map((key) => entryOf(situation, key));
  if (place === 'single' && (match === 'position' || !many)) return entries[0];
  return match === 'position' ? entries : listFor(situation, keys);
}

/** The items in any order, those of another key among them. */
function listFor(situation: Situation, keys: readonly string[]): readonly object[] {
  const { order, hasSurplus } = situation;
  const rankOf = (key: string): number => order[tokens.indexOf(key)] ?? 0;
  const sorted = keys.toSorted((one, other) => rankOf(one) - rankOf(other));
  return [
    ...(hasSurplus ? [itemOf(situation, 'another', 3)] : []),
    ...sorted.flatMap((key) => itemsOf(situation, key)),
  ];
}

function byName(situation: Situation, keys: readonly string[]): object {
  const { isCompound, hasSurplus, nothing } = situation;
  const named = (hasSurplus ? [...keys, 'another'] : keys).map(
    (key) => [isCompound ? `${tenant}/${key}` : key, entryOf(situation, key)] as const,
  );
  const isSaid = nothing === 'null';
  return Object.fromEntries(named.filter(([, entry]) => isSaid || entry !== null));
}

/** What stands for a key where it needs no field of its own: its item, or the list of them. */
function entryOf(situation: Situation, key: string): unknown {
  const items = itemsOf(situation, key);
  if (items.length === 0) return null;
  return situation.many ? items : items[0];
}

/** The answer that says that the only key has no item. */
function nothingIn(situation: Situation): Answer {
  switch (situation.nothing) {
    case '404':
      return { status: 404, body: '{"error":"none"}' };
    case '410':
      return { status: 410, body: '' };
    case 'empty':
      return { status: 204, body: '' };
    case 'null':
      return { status: 200, body: wrapped(situation, null) };
  }
}

function wrapped({ isWrapped }: Situation, items: unknown): string {
  return JSON.stringify(isWrapped ? { data: { list: items } } : items);
}

/** What a key must be given: its value, or the kind of its failure. */
export function expectedFor(situation: Situation, given: string): unknown {
  const { place, many, hasErrors } = situation;
  const [key = '', ...keys] = [given, ...situation.keys].map((one) => writtenAs(situation, one));
  const isRefused = (one: string): boolean => stateOf(situation, one) === 'refused';
  // One client request asks for all keys at once, so that a bad one among them is its own.
  if (place === 'single' ? isRefused(key) : keys.some(isRefused)) return 'status';
  const items = itemsOf(situation, key);
  const state = stateOf(situation, key);
  if (state === 'misfit') return 'invalid-body';
  const isGone = state === 'gone' || (state === 'failing' && !hasErrors);
  if (state === 'failing' && hasErrors) return 'status';
  if (many) return isGone ? [] : items;
  return isGone ? null : (items[0] ?? null);
}
