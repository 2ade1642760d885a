import { describe, expect, it } from 'vitest';
import { documentOf, json, load } from './_load.ts';

const text = { type: 'string' };
const object = (properties: object) => ({ type: 'object', properties });
const list = { type: 'array', items: object({ id: text }) };

interface Answering {
  readonly responses: object;
  readonly method?: string;
  readonly parameters?: readonly string[];
}

/** The suggestions for an operation `get`, whose parameters are all of its query. */
async function suggested({ responses, method = 'get', parameters = [] }: Answering) {
  const all = parameters.map((name) => ({ in: 'query', name, schema: text }));
  const operation = { operationId: 'get', parameters: all, responses };
  return load(documentOf({ '/things': { [method]: operation } }));
}

describe('the problem that an import suggests', () => {
  const problem = (entry: object) => ({
    content: {
      'application/problem+json': {
        schema: object({ errors: { type: 'array', items: object(entry) } }),
      },
    },
  });
  const effect = "shows clients the service's texts about their requests";
  it.each([
    [
      'with places',
      422,
      { detail: text, pointer: text },
      [`problem: { errors: 'errors', pointer: 'pointer', detail: 'detail' }`],
    ],
    [
      'without places',
      400,
      { detail: text, pointer: object({}) },
      [`problem: { errors: 'errors', detail: 'detail' }`],
    ],
    ['without texts', 422, { message: text }, []],
    ['of another status', 409, { detail: text }, []],
  ])('is what RFC 9457 shows: errors %s, %i', async (_, status, entry, texts) => {
    const responses = { 200: json({}), [status]: problem(entry) };
    const { suggestions } = await suggested({ responses, method: 'post' });
    expect(suggestions).toEqual(texts.map((option) => ({ option, effect, operations: ['get'] })));
  });

  it('is never switched on, and is named once for all operations at the end of the file', async () => {
    const responses = { 200: json({}), 422: problem({ detail: text }) };
    const post = (operationId: string) => ({ post: { operationId, responses } });
    const paths = { '/a': post('makeA'), '/b': post('makeB') };
    const { operations, text: file } = await load(documentOf(paths));
    expect(operations['makeA']?.problem).toBeUndefined();
    expect(file).toContain(`
/*
 * Suggested, and left to you:
 * - problem: { errors: 'errors', detail: 'detail' }
 *   shows clients the service's texts about their requests: makeA, makeB
 */
`);
  });

  it('is none of a HEAD, whose answers have no body', async () => {
    const responses = { 200: {}, 422: problem({ detail: text }) };
    const { suggestions } = await suggested({ responses, method: 'head' });
    expect(suggestions).toEqual([]);
  });
});

describe('the pages that an import suggests', () => {
  const link = { 200: { ...json(list), headers: { Link: { schema: text } } } };
  const withList = (properties: object) => ({ 200: json(object({ data: list, ...properties })) });
  it.each([
    ['a Link header', link, ['page'], "next: 'link'"],
    [
      'an offset',
      { 200: json(list) },
      ['offset', 'limit'],
      "next: { offset: 'offset', limit: 'limit' }",
    ],
    ['numbers of pages', { 200: json(list) }, ['page'], "next: { page: 'page' }"],
    [
      'a cursor',
      withList({ meta: object({ next_cursor: text }) }),
      ['cursor'],
      "items: 'data', next: { cursor: 'meta.next_cursor', query: 'cursor' }",
    ],
    [
      'a token of one name',
      withList({ nextToken: text }),
      ['nextToken'],
      "items: 'data', next: { cursor: 'nextToken', query: 'nextToken' }",
    ],
    [
      'an address',
      withList({ links: object({ next: { ...text, format: 'uri' } }) }),
      [],
      "items: 'data', next: { url: 'links.next' }",
    ],
  ])('go on by %s', async (_, responses, parameters, options) => {
    const { suggestions } = await suggested({ responses, parameters });
    expect(suggestions).toEqual([
      {
        option: `pages(operation, args, { ${options} })`,
        effect: 'reads more than the first page',
        operations: ['get'],
      },
    ]);
  });

  it.each([
    ['a Link without a parameter for pages', link, ['name']],
    ['no list', { 200: json(object({ a: text })) }, ['page']],
    ['two lists', withList({ others: list }), ['page']],
    ['an offset without a limit', { 200: json(list) }, ['offset']],
    ['a cursor that is given back only', withList({ cursor: text }), ['cursor']],
    ['a filter that is given back', withList({ name: text }), ['name']],
  ])('are none where there is %s', async (_, responses, parameters) => {
    const { suggestions } = await suggested({ responses, parameters });
    expect(suggestions).toEqual([]);
  });
});

describe('the headers that an import suggests', () => {
  it.each([
    [
      'what was made, beside a body',
      { ...json(text), headers: { ETag: {}, Location: {} } },
      'etag, location',
    ],
    ['cookies', { headers: { 'Set-Cookie': {} } }, 'set-cookie'],
  ])('are those about %s', async (_, response, names) => {
    const { suggestions } = await suggested({ responses: { 200: response }, method: 'post' });
    expect(suggestions).toEqual([
      {
        option: 'response: { headers }',
        effect: `makes these part of the value (${names})`,
        operations: ['get'],
      },
    ]);
  });

  it('are none about the exchange', async () => {
    const responses = { 200: { ...json(text), headers: { 'X-RateLimit-Limit': {} } } };
    expect((await suggested({ responses })).suggestions).toEqual([]);
  });
});
