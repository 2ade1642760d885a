/** Queries in the styles that services read. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { QueryStyle } from '../../../src/dsl/query-style.ts';
import { defineService } from '../../../src/dsl/service.ts';
import { UpstreamError } from '../../../src/errors.ts';
import { targetOf } from '../../../src/upstream/exchange/target.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import { dispatchFor, failureOf, nowhere, openShop } from '../../support/upstream-calls.ts';

const response = z.null();

function searching(queryStyle: QueryStyle | undefined, service = nowhere) {
  const query = z.looseObject({});
  const own = queryStyle === undefined ? {} : { queryStyle };
  return operation(service, { name: 'find', route: 'GET /s', query, response, ...own });
}

function targetWith(style: QueryStyle | undefined, query: Readonly<Record<string, unknown>>) {
  return targetOf(dispatchFor(searching(style)), query);
}

describe('a query', () => {
  it.each<[QueryStyle | undefined, Record<string, unknown>, string]>([
    [undefined, { a: [1, 2], b: 'x y' }, 'a=1&a=2&b=x+y'],
    [{}, { a: [1, 2], b: 'x y' }, 'a=1&a=2&b=x+y'],
    [{ arrays: 'repeat' }, { a: [1, 2] }, 'a=1&a=2'],
    [{ arrays: 'comma' }, { a: [1, 2], b: 'c,d' }, 'a=1,2&b=c%2Cd'],
    [{ arrays: 'comma' }, { a: ['1,5', '2 3'] }, 'a=1%2C5,2+3'],
    [{ arrays: 'comma' }, { a: [''], b: [], c: [null, 1], d: [null] }, 'a=&c=1'],
    [{ arrays: 'brackets' }, { a: [1, 2], b: 3 }, 'a%5B%5D=1&a%5B%5D=2&b=3'],
    [{ spaces: '%20' }, { 'a b': 'c d+e' }, 'a%20b=c%20d%2Be'],
    [{ spaces: '+', arrays: 'comma' }, { 'a b': 'c d+e' }, 'a+b=c+d%2Be'],
    [
      { objects: 'brackets' },
      { f: { status: 'x', n: { m: 1 } } },
      'f%5Bstatus%5D=x&f%5Bn%5D%5Bm%5D=1',
    ],
    [{ objects: 'dots' }, { f: { status: 'x', n: { m: 1 } } }, 'f.status=x&f.n.m=1'],
    [{ objects: 'brackets' }, { f: { a: [1, 2] } }, 'f%5Ba%5D=1&f%5Ba%5D=2'],
    [{ objects: 'dots', arrays: 'comma' }, { f: { a: [1, 2] } }, 'f.a=1,2'],
    [{ objects: 'brackets', arrays: 'brackets' }, { f: { a: [1] } }, 'f%5Ba%5D%5B%5D=1'],
    [{ objects: 'dots' }, { f: {}, g: { a: undefined, b: null }, h: 1 }, 'h=1'],
    [
      { objects: 'brackets' },
      { f: { 'a.b': new Date(0) } },
      'f%5Ba.b%5D=1970-01-01T00%3A00%3A00.000Z',
    ],
    [{ objects: 'dots' }, { a: { b: { c: { d: { e: { f: 7 } } } } } }, 'a.b.c.d.e.f=7'],
    [{ objects: 'dots' }, { f: { 'a[b]': true } }, 'f.a%5Bb%5D=true'],
  ])('in the style %j writes %j as %s', (style, query, search) => {
    expect(targetWith(style, query)).toBe(search === '' ? '/s' : `/s?${search}`);
  });

  it.each<[QueryStyle, Record<string, unknown>, string]>([
    [{ arrays: 'comma' }, { a: { b: 1 } }, 'is an object, which cannot be written in a query'],
    [{ objects: 'dots' }, { a: [{ b: 1 }] }, 'is an object, which cannot be written in a query'],
    [{ objects: 'dots' }, { a: [[1]] }, 'is an object, which cannot be written in a query'],
    [{ objects: 'dots' }, { a: new Map() }, 'is an object, which cannot be written in a query'],
    [{ objects: 'dots' }, { a: { b: Number.NaN } }, 'is NaN'],
    [{ arrays: 'comma' }, { a: ['\ud800'] }, 'is not well-formed Unicode'],
    [{ spaces: '%20' }, { a: new Date(Number.NaN) }, 'is not a valid date'],
    [
      { objects: 'brackets' },
      { a: { b: { b: { b: { b: { b: { b: 1 } } } } } } },
      'is nested deeper than 5 levels',
    ],
    [
      { objects: 'dots' },
      { a: { 'b.c': 1 } },
      'has a field that queryStyle cannot write: its name contains "."',
    ],
    [
      { objects: 'brackets' },
      { a: { 'b]': 1 } },
      'has a field that queryStyle cannot write: its name contains "]"',
    ],
    [
      { objects: 'brackets' },
      { a: { '': 1 } },
      'has a field that queryStyle cannot write: its name is empty',
    ],
    [
      { objects: 'dots' },
      { a: { '\ud800': 1 } },
      'has a field that queryStyle cannot write: its name is not well-formed Unicode',
    ],
    [
      { arrays: 'brackets' },
      { 'a[]': 1 },
      'has a field that queryStyle cannot write: its name contains "["',
    ],
  ])('in the style %j refuses %j: it %s', (style, query, problem) => {
    const write = () => targetWith(style, query);
    expect(write).toThrow(UpstreamError);
    const [argument = ''] = Object.keys(query);
    expect(write).toThrow(`shop.find: argument "${argument}" ${problem}`);
  });

  const text = fc.string({ unit: 'binary', maxLength: 6 });
  const leaf = fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 }));
  const style = fc.record(
    {
      arrays: fc.constantFrom('repeat' as const, 'comma' as const, 'brackets' as const),
      objects: fc.constantFrom('brackets' as const, 'dots' as const),
      spaces: fc.constantFrom('+' as const, '%20' as const),
    },
    { requiredKeys: [] },
  );

  it('is read back by the decoder of its style', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 4 });
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.dictionary(name, fc.oneof({ maxDepth: 4 }, leaf, tie('tree')), { maxKeys: 3 }),
    }));
    assertProperty(
      fc.property(style, tree, (queryStyle, query) => {
        const { objects } = queryStyle;
        const flat = flattened(query, objects === undefined ? 0 : 5);
        const target = targetOrNone(queryStyle, flat.query);
        const isReserved = flat.names.some((one) => /[[\].]/.test(one));
        expect(target !== undefined || isReserved).toBe(true);
        if (target === undefined) return;
        expect(new URL(`http://h${target}`).hash).toBe('');
        expect(decoded(target, queryStyle)).toEqual(flat.leaves);
      }),
      { full: 2_000 },
    );
  });
});

/** The target; `undefined` if a name cannot be written. */
function targetOrNone(style: QueryStyle, query: Tree): string | undefined {
  try {
    return targetWith(style, query);
  } catch (error) {
    if (error instanceof UpstreamError) return undefined;
    throw error;
  }
}

type Tree = { [name: string]: string | string[] | Tree };

/** By the path of a leaf: its values. */
type Leaves = ReadonlyMap<string, readonly string[]>;

/** A tree that is no deeper than `levels`, and its leaves and names. */
function flattened(tree: Tree, levels: number) {
  const leaves = new Map<string, string[]>();
  const names: string[] = [];
  function visit(branch: Tree, path: readonly string[]): Tree {
    const kept: [string, Tree[string]][] = [];
    for (const [name, value] of Object.entries(branch)) {
      const inner = [...path, name];
      if (typeof value === 'string' || Array.isArray(value)) {
        leaves.set(JSON.stringify(inner), [value].flat());
        kept.push([name, value]);
        names.push(name);
      } else if (path.length < levels) {
        kept.push([name, visit(value, inner)]);
        names.push(name);
      }
    }
    return Object.fromEntries(kept);
  }
  return { query: visit(tree, []), leaves, names };
}

/** Reads a query as a service with this style does. */
function decoded(target: string, { arrays, objects, spaces = '+' }: QueryStyle): Leaves {
  const [, search = ''] = target.split('?', 2);
  const decode = (part: string) =>
    decodeURIComponent(spaces === '+' ? part.replaceAll('+', '%20') : part);
  const leaves = new Map<string, string[]>();
  for (const pair of search.split('&').filter((one) => one !== '')) {
    const [written = '', value = ''] = pair.split('=', 2);
    const name = decode(written).replace(arrays === 'brackets' ? /\[\]$/ : /$^/, '');
    const path =
      objects === 'dots'
        ? name.split('.')
        : objects === 'brackets'
          ? name.split(/\]?\[|\]$/).slice(0, name.endsWith(']') ? -1 : undefined)
          : [name];
    const values = (arrays === 'comma' ? value.split(',') : [value]).map(decode);
    const place = JSON.stringify(path);
    leaves.set(place, [...(leaves.get(place) ?? []), ...values]);
  }
  return leaves;
}

describe('the style of an operation', () => {
  it('is that of its service, but for what it says itself', async () => {
    const { url, requests } = await startServer();
    const { service, open } = openShop({
      url,
      service: { queryStyle: { arrays: 'brackets', objects: 'dots', spaces: '%20' } },
    });
    const args = { a: ['x y', 'z'], f: { g: 1 } };
    await open()(searching(undefined, service), args, undefined);
    await open()(searching({ arrays: 'comma' }, service), args, undefined);
    await open()(searching({ objects: 'brackets', spaces: '+' }, service), args, undefined);
    expect(requests.map(({ target }) => target)).toEqual([
      '/s?a%5B%5D=x%20y&a%5B%5D=z&f.g=1',
      '/s?a=x%20y,z&f.g=1',
      '/s?a%5B%5D=x+y&a%5B%5D=z&f%5Bg%5D=1',
    ]);
  });

  it('holds for a parameter that a schema checks', async () => {
    const { url, requests } = await startServer();
    const { service, call } = openShop({ url, service: { queryStyle: { objects: 'brackets' } } });
    const filter = z.object({
      status: z.enum(['open']),
      total: z.object({ gte: z.number() }).optional(),
    });
    const find = operation(service, { route: 'GET /s', query: z.object({ filter }), response });
    await call(find, { filter: { status: 'open', total: { gte: 5 } } }, undefined);
    expect(requests[0]?.target).toBe('/s?filter%5Bstatus%5D=open&filter%5Btotal%5D%5Bgte%5D=5');
    const error = await failureOf(call(find, { filter: { status: 'shut' } }, undefined));
    expect(error.message).toContain('argument "filter.status"');
  });
});

describe('the keys of a lookup in a query', () => {
  const item = z.object({ id: z.string() });

  it.each<[QueryStyle | undefined, boolean | undefined, string]>([
    [undefined, undefined, 'ids=a%20b,c'],
    [undefined, true, 'ids=a%20b&ids=c'],
    [{ spaces: '%20' }, undefined, 'ids=a%20b,c'],
    [{ arrays: 'comma' }, undefined, 'ids=a%20b,c'],
    [{ arrays: 'repeat' }, undefined, 'ids=a%20b&ids=c'],
    [{ arrays: 'brackets' }, undefined, 'ids%5B%5D=a%20b&ids%5B%5D=c'],
    [{ arrays: 'brackets' }, true, 'ids=a%20b&ids=c'],
    [{ arrays: 'repeat' }, false, 'ids=a%20b,c'],
  ])('in the style %j with repeat: %j are %s', (queryStyle, repeat, search) => {
    const service = defineService({
      name: 'x',
      url: 'http://x',
      ...(queryStyle && { queryStyle }),
    });
    const keys = { query: 'ids', ...(repeat !== undefined && { repeat }) };
    const of = lookup(service, { route: 'GET /l', keys, by: 'id', item });
    expect(targetOf(dispatchFor(of, {}, { keys: ['a b', 'c'] }), {})).toBe(`/l?${search}`);
  });

  it('stand beside other parameters in the same style', () => {
    const queryStyle = { arrays: 'brackets', objects: 'dots' } as const;
    const query = z.object({ f: z.object({ a: z.array(z.string()) }) });
    const keys = { query: 'ids' } as const;
    const of = lookup(nowhere, { route: 'GET /l', keys, by: 'id', item, query, queryStyle });
    const dispatch = dispatchFor(of, {}, { keys: ['1', '2'] });
    expect(targetOf(dispatch, { f: { a: ['x'] } })).toBe('/l?f.a%5B%5D=x&ids%5B%5D=1&ids%5B%5D=2');
  });
});
