import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertProperty } from '../support/property.ts';
import { documentOf, json, load } from './_load.ts';

const texts = { type: 'array', items: { type: 'string' } };
const filter = {
  type: 'object',
  properties: { status: { type: 'string' }, age: { type: 'integer' } },
};
const parameter = (name: string, schema: object, more: object = {}) => ({
  in: 'query',
  name,
  schema,
  ...more,
});
const comma = { style: 'form', explode: false };
const deep = { style: 'deepObject', explode: true };

async function find(parameters: readonly object[], path = '/things') {
  const get = { operationId: 'find', parameters, responses: { 200: json({}) } };
  const loaded = await load(documentOf({ [path]: { get } }));
  return { ...loaded, find: loaded.operations['find'] };
}

const inBrackets = { arrays: 'repeat', objects: 'brackets', spaces: '+' };

describe('the query of an imported operation', () => {
  it.each([
    ['repeated lists', [parameter('a', texts)], undefined, ['a']],
    ['lists between commas', [parameter('a', texts, comma)], { arrays: 'comma' }, ['a']],
    ['lists in brackets', [parameter('a[]', texts)], { arrays: 'brackets' }, ['a']],
    ['deep objects', [parameter('filter', filter, deep)], inBrackets, ['filter']],
    [
      'lists between commas and deep objects',
      [parameter('a', texts, comma), parameter('filter', filter, deep)],
      { arrays: 'comma', objects: 'brackets' },
      ['a', 'filter'],
    ],
    [
      'lists in brackets whose name is that of another parameter',
      [parameter('a[]', texts), parameter('a', { type: 'string' })],
      undefined,
      ['a[]', 'a'],
    ],
    [
      'lists in brackets beside repeated ones',
      [parameter('a[]', texts), parameter('b', texts)],
      undefined,
      ['a[]', 'b'],
    ],
    [
      'lists in brackets beside names in brackets',
      [parameter('a[]', texts), parameter('page[size]', { type: 'integer' })],
      undefined,
      ['a[]', 'page[size]'],
    ],
    [
      'a text or a list between commas',
      [parameter('a', { oneOf: [{ type: 'string' }, texts] }, comma)],
      { arrays: 'comma' },
      ['a'],
    ],
  ])('has the style of %s', async (_, parameters, style, names) => {
    const { find: operation, findings } = await find(parameters);
    expect({ style: operation?.queryStyle }).toMatchObject({ style });
    expect(Object.keys(operation?.query?.shape ?? {})).toEqual(names);
    expect(findings).toEqual([]);
  });

  it.each([
    ['all that have some', [comma, comma, undefined], { arrays: 'comma' }, 1, 0],
    ['most that have some', [comma, comma, {}], { arrays: 'comma' }, 1, 1],
    ['only one', [comma, undefined, undefined], {}, 1, 0],
    ['not most that have some', [comma, comma, {}, {}], {}, 2, 0],
  ])('is the style of the service where lists have commas in %s', async (...row) => {
    const [, styles, ofService, commas, repeats] = row;
    const paths = styles.map((more, index) => {
      const own = more === undefined ? [parameter('q', {})] : [parameter('a', texts, more)];
      const get = { operationId: `find${index}`, parameters: own, responses: { 200: json({}) } };
      return [`/${index}`, { get }];
    });
    const { text, service, operations } = await load(documentOf(Object.fromEntries(paths)));
    expect(service.queryStyle).toEqual(ofService);
    expect(text.match(/arrays: 'comma'/g)).toHaveLength(commas);
    expect(text.match(/arrays: 'repeat'/g) ?? []).toHaveLength(repeats);
    expect(operations['find0']?.queryStyle).toMatchObject({ arrays: 'comma' });
  });

  it('keeps the name of a list in brackets that a path parameter has without them', async () => {
    const id = { in: 'path', name: 'id', required: true, schema: { type: 'string' } };
    const { find: operation } = await find([id, parameter('id[]', texts)], '/things/{id}');
    expect(Object.keys(operation?.query?.shape ?? {})).toEqual(['id[]']);
  });

  it('joins by a transform what its only style does not write', async () => {
    const all = [parameter('a', texts), parameter('b', texts, comma)];
    const { find: operation, findings } = await find(all);
    const lists = { a: ['1', '2'], b: ['1', '2'] };
    expect(operation?.query?.parse(lists)).toEqual({ a: ['1', '2'], b: '1,2' });
    expect(findings).toEqual([]);
  });

  it.each([
    ['pipeDelimited', '|'],
    ['spaceDelimited', ' '],
  ])('joins a list that is %s by a transform, and says so', async (style, separator) => {
    const { find: operation, findings } = await find([
      parameter('a', texts, { style, explode: false }),
    ]);
    expect(operation?.queryStyle).toBeUndefined();
    expect(operation?.query?.parse({ a: ['1', '2'] })).toEqual({ a: `1${separator}2` });
    expect(findings).toEqual([
      {
        pointer: '#/paths/~1things/get/parameters/0',
        detail: `parameter "a": no style writes '${separator}' between values: a transform does`,
      },
    ]);
  });

  it.each([
    ['an object without a style for it', [parameter('a', filter)], 'its value is an object'],
    [
      'an object whose fields are objects',
      [parameter('a', { type: 'object', properties: { b: filter } }, deep)],
      'its value is an object',
    ],
    [
      'an object whose fields are lists',
      [parameter('a', { type: 'object', properties: { b: texts } }, deep)],
      'its value is an object',
    ],
    [
      'an object one of whose names has brackets',
      [parameter('a', { type: 'object', properties: { 'b[c]': {} } }, deep)],
      'its value is an object',
    ],
    [
      'an object beside names in brackets',
      [parameter('a', filter, deep), parameter('page[size]', { type: 'integer' })],
      'its value is an object, and other names have brackets, too',
    ],
    [
      'a list in a style for objects',
      [parameter('a', texts, deep)],
      'its value is a list in a style for objects',
    ],
  ])('leaves out %s', async (_, parameters, problem) => {
    const { findings } = await find(parameters);
    expect(findings.map(({ detail }) => detail)).toEqual([`parameter "a" is left out: ${problem}`]);
  });

  it('can be declared, whatever names, schemas and styles meet', async () => {
    const names = fc.constantFrom('a', 'a[]', 'b', 'b[]', 'c[d]', 'id', 'id[]', 'body', 'e.f');
    const schemas = fc.constantFrom<object>(
      texts,
      filter,
      { type: 'string' },
      { type: 'object' },
      { oneOf: [{ type: 'string' }, texts] },
      { type: 'object', properties: { 'x[y]': {}, z: texts } },
      {},
    );
    const styles = fc.constantFrom<object>(
      {},
      deep,
      comma,
      { style: 'pipeDelimited', explode: false },
      { style: 'spaceDelimited' },
    );
    const one = fc.tuple(names, schemas, styles).map((parts) => parameter(...parts));
    const id = { in: 'path', name: 'id', required: true, schema: { type: 'string' } };
    const several = fc.uniqueArray(one, { selector: ({ name }) => name, maxLength: 5 });
    await assertProperty(
      fc.asyncProperty(several, async (parameters) => {
        const { find: operation } = await find([id, ...parameters], '/things/{id}');
        expect(operation?.name).toBe('find');
      }),
    );
  });
});
