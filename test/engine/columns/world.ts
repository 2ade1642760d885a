/** Generated services: their data, their faults, and the result that a call to them must have. */
import * as fc from 'fast-check';
import type { Operation } from '../../../src/dsl/operation.ts';
import type { HttpRequest } from '../../../src/upstream/exchange/request.ts';
import type { RawReply } from '../../../src/upstream/exchange/transport.ts';
import { Thing, operations } from './operations.ts';

/** Keys that services know. */
export const keys = ['a', 'b', 'c', 'd'];

/** Texts as they stand in answers; some are no keys, or are not known. */
export const text: fc.Arbitrary<string | null> = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...keys) },
  { weight: 1, arbitrary: fc.constantFrom(null, '', 'p,q', 'unknown') },
);

const leaf = fc.record({
  id: text,
  ref: text,
  other: fc.option(text, { nil: undefined, freq: 10 }),
});

const known = fc.record({
  ref: text,
  other: fc.option(text, { nil: undefined, freq: 10 }),
  part: fc.option(leaf, { freq: 8 }),
  list: fc.option(fc.array(leaf, { maxLength: 4 }), { freq: 15 }),
  /** How many items it has where it can have several. */
  count: fc.nat(3),
});

/** Bodies of requests, as their schema makes them. */
export const things: fc.Arbitrary<Thing> = known.map(({ ref, other, part, list }) => ({
  id: 'a',
  ref,
  other,
  part,
  list,
}));

const operationIndex = fc.nat(operations.length - 1);

const faultOfAll = fc.record({
  operation: operationIndex,
  key: fc.constant(undefined),
  how: fc.constantFrom(
    ...([429, 503, 'garbage', 'empty', 'null', 'invalid', 'twice', 'strays', 'shuffled'] as const),
  ),
});

const faultOfOne = fc.record({
  operation: operationIndex,
  key: fc.constantFrom(...keys),
  how: fc.constantFrom(...([403, 404, 500, 'absent', 'absent', 'invalid', 'twice'] as const)),
});

const fault = fc.oneof({ weight: 1, arbitrary: faultOfAll }, { weight: 4, arbitrary: faultOfOne });

export const worlds = fc.record({
  things: fc.tuple(known, known, known, known),
  /** How operations misbehave: for one key, or whatever they are asked. */
  faults: fc.array(fault, { maxLength: 8 }),
  /** How long answers take: all the same time, by operation, or by request. */
  pace: fc.constantFrom('same', 'byOperation', 'byRequest'),
});

type Known = Sample<typeof known>;
type How = Sample<typeof fault>['how'];
export type World = Sample<typeof worlds>;
type Sample<A> = A extends fc.Arbitrary<infer T> ? T : never;

/** A key, and the other argument it is asked for with. */
export interface Asked {
  readonly key: string;
  readonly other: string | null | undefined;
}

/** The value that a call has to give, or the reason of its failure. */
export type Verdict = { readonly value: unknown } | { readonly reason: string };

const invalidBody = { reason: 'invalid-body' };

export function verdictOf(world: World, own: Operation, asked: Asked): Verdict {
  const how = faultOf(world, own, asked.key);
  if (how === 'garbage') return invalidBody;
  if (typeof how === 'number' && (how !== 404 || own.lookup === undefined))
    return { reason: `status;status=${how}` };
  if (own.lookup === undefined) return ordinaryVerdict(world, own, asked);
  const { many, missing } = own.lookup;
  // A 404 to a single key says that there is no item, and `null` is an empty list.
  const items = how === 404 || how === 'null' ? [] : itemsFor(world, own, asked);
  if (how === 'strays' && (many || items.length === 0)) return invalidBody;
  if (items.length === 0 && missing === 'error') return { reason: 'missing' };
  return many ? asParsed(items) : asParsed(items[0] ?? null);
}

function ordinaryVerdict(world: World, own: Operation, asked: Asked): Verdict {
  const how = faultOf(world, own, asked.key);
  if (how === 'null' || how === 'empty' || how === 'absent') return { value: null };
  if (knownAs(world, asked.key) === undefined) return { reason: 'status;status=404' };
  const items = itemsFor(world, own, asked);
  const verdict = asParsed(own.name === 'list' ? items : items[0]);
  if (own.name !== 'odd' || !('value' in verdict)) return verdict;
  return { value: own.response.parse(items[0]) };
}

function asParsed(value: unknown): Verdict {
  const parsed = Thing.nullable().or(Thing.array()).safeParse(value);
  return parsed.success ? { value: parsed.data } : invalidBody;
}

/** Of a request for several keys, what is wrong with all of it comes first. */
function faultOf({ faults }: World, own: Operation, key: string | undefined): How | undefined {
  const mine = faults.filter(({ operation: index }) => operations[index] === own);
  const ofAll = mine.find((one) => one.key === undefined)?.how;
  const ofKey = mine.find((one) => one.key !== undefined && one.key === key)?.how;
  const isAskedAlone = own.lookup === undefined || own.lookup.max === 1;
  if (isAskedAlone) return ofKey ?? ofAll;
  return ofAll ?? (typeof ofKey === 'number' ? 'absent' : ofKey);
}

function knownAs(world: World, key: string): Known | undefined {
  return world.things[keys.indexOf(key)];
}

/** The items for one key, as the service has them. */
function itemsFor(world: World, own: Operation, asked: Asked): unknown[] {
  const how = faultOf(world, own, asked.key);
  const thing = knownAs(world, asked.key);
  if (thing === undefined || how === 'absent' || how === 'empty') return [];
  const isList = own.name === 'list';
  const count = isList || own.lookup?.many === true ? thing.count : 1;
  const items = Array.from({ length: count }, (_, index) => {
    const id = isList ? keys[(keys.indexOf(asked.key) + index) % keys.length] : asked.key;
    const { ref, other, part, list } = thing;
    return { id, ref: how === 'invalid' ? 5 : ref, other, part, list, echo: asked.other, index };
  });
  return how === 'twice' ? [...items, ...items.map((item) => ({ ...item, ref: null }))] : items;
}

/** The answers of the service. */
export function answerTo(world: World, own: Operation, request: HttpRequest): RawReply {
  const url = new URL(request.target, 'http://world');
  const other = url.searchParams.get('other') ?? undefined;
  if (own.lookup === undefined) {
    const key = decodeURIComponent(url.pathname.split('/')[2] ?? '');
    return rawReply(faultOf(world, own, key), ordinaryBody(world, own, { key, other }));
  }
  const asked = keysIn(url, request.body?.toString() ?? null);
  const how = faultOf(world, own, own.lookup.max === 1 ? asked[0] : undefined);
  const items = asked.flatMap((key) => itemsFor(world, own, { key, other }));
  const stranger = { id: 'stranger', ref: null, part: null, list: null };
  if (how === 'strays') items.push({ note: 'no key' });
  return rawReply(how, how === 'shuffled' ? [stranger, ...items.toReversed()] : items);
}

function ordinaryBody(world: World, own: Operation, asked: Asked): unknown {
  if (faultOf(world, own, asked.key) === 'absent') return null;
  if (knownAs(world, asked.key) === undefined) return undefined;
  const items = itemsFor(world, own, asked);
  return own.name === 'list' ? items : items[0];
}

function keysIn({ searchParams }: URL, body: string | null): readonly string[] {
  if (body !== null) return JSON.parse(body).ids;
  return searchParams.get('ids')?.split(',') ?? searchParams.getAll('id');
}

function rawReply(how: How | undefined, value: unknown): RawReply {
  const bodies: Partial<Record<string, string>> = { garbage: '{', empty: '', null: 'null' };
  const body = bodies[String(how)] ?? JSON.stringify(value);
  const status = typeof how === 'number' ? how : body === undefined ? 404 : 200;
  const headers = { 'cache-control': 'max-age=60' };
  return { status, headers, body: Buffer.from(body ?? '') };
}

/** In milliseconds. */
export function delayOf({ pace }: World, own: Operation, { target, body }: HttpRequest): number {
  if (pace === 'same') return 1;
  if (pace === 'byOperation') return 1 + (operations.indexOf(own) % 3);
  return 1 + (hashOf(target + (body ?? '')) % 5);
}

export function hashOf(value: string): number {
  let hash = 7;
  for (const character of value) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return hash;
}
