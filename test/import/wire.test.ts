/** Requests of imported operations as they arrive at the service, through a whole gateway. */
import { call, defineComposition } from 'plait';
import type { Operation } from 'plait';
import { describe, expect, it } from 'vitest';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';
import { documentOf, json, load } from './_load.ts';

const text = { type: 'string' };
const integer = { type: 'integer' };
const file = { type: 'string', format: 'binary' };
const listOf = (items: object) => ({ type: 'array', items });
const object = (properties: object, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
});
const done = { 200: json(object({ done: { type: 'boolean' } })) };
const sending = (type: string, schema: object) => ({
  requestBody: { required: true, content: { [type]: { schema } } },
  responses: done,
});
const query = (name: string, schema: object, more: object = {}) => ({
  in: 'query',
  name,
  schema,
  ...more,
});

type Args = Readonly<Record<string, unknown>>;

/** Calls the operation `it` once; `given`: with arguments that come of the operation `file`. */
async function called(
  [method, path]: readonly [string, string],
  operation: object,
  given: Args | ((file: unknown) => Args),
) {
  const paths = {
    '/file': {
      get: { operationId: 'file', responses: { 200: { content: { 'application/pdf': {} } } } },
    },
    [path]: { [method]: { operationId: 'it', ...operation } },
  };
  const { operations } = await load(documentOf(paths));
  const known = (name: string) => operations[name] as Operation<never>; // each has its arguments
  const made = defineComposition({
    route: 'POST /it',
    compose() {
      const args = typeof given === 'function' ? given(call(known('file'), {} as never)) : given;
      return { value: call(known('it'), args as never) }; // as `known`
    },
  });
  const server = await startServer((request, response) => {
    if (request.url === '/file')
      return void response.setHeader('content-type', 'application/pdf').end('%PDF');
    if (request.url === '/rates')
      return void response.setHeader('content-type', 'text/csv').end('code,rate\r\nEUR,2\r\n');
    if (request.url === '/orders')
      return void response.writeHead(201, { location: '/orders/1', etag: '"1"' }).end();
    response.writeHead(200, { 'content-length': 13 }).end('{"done":true}');
  });
  const environment = { ORDERS_URL: server.url };
  const gateway = await startWithMocks({ compositions: { made }, environment });
  const { status, json: body } = await gateway.get('/it', { method: 'POST' });
  expect(status).toBe(200);
  const request = server.requests.findLast(({ target }) => target !== '/file');
  const type = request?.headers['content-type'];
  return { body, request: { ...request, type } };
}

describe('a body of an imported operation is sent as', () => {
  it.each([
    [
      'JSON of its own type',
      sending('application/merge-patch+json', object({ note: { type: ['string', 'null'] } })),
      { body: { note: null } },
      { type: 'application/merge-patch+json', body: '{"note":null}' },
    ],
    [
      'a form',
      sending(
        'application/x-www-form-urlencoded',
        object({ q: text, tag: listOf(text), n: integer }),
      ),
      { body: { q: 'a b&c', tag: ['1', '2'], n: 3 } },
      { type: 'application/x-www-form-urlencoded', body: 'q=a+b%26c&tag=1&tag=2&n=3' },
    ],
    [
      'a table',
      sending('text/csv', listOf(object({ code: text, rate: { type: 'number' } }))),
      { body: [{ code: 'EUR,', rate: 1.5 }] },
      { type: 'text/csv; charset=utf-8', body: 'code,rate\r\n"EUR,",1.5\r\n' },
    ],
    [
      'a text',
      sending('text/plain', text),
      { body: 'a\nb' },
      { type: 'text/plain; charset=utf-8', body: 'a\nb' },
    ],
    [
      'bytes with the type of their source',
      sending('application/octet-stream', file),
      (bytes: unknown) => ({ body: bytes }),
      { type: 'application/pdf', body: '%PDF' },
    ],
  ])('%s', async (_, operation, given, expected) => {
    const { request, body } = await called(['post', '/things'], operation, given);
    expect(request).toMatchObject({ method: 'POST', target: '/things', ...expected });
    expect(body).toEqual({ value: { done: true } });
  });

  it('several parts, of which files have a name and the type of their source', async () => {
    const schema = object({ title: text, files: listOf(file), tags: listOf(text) });
    const operation = sending('multipart/form-data', schema);
    const { request } = await called(['put', '/things'], operation, (bytes) => ({
      body: { title: 'é', files: [bytes], tags: ['1', '2'] },
    }));
    const [, boundary = ''] =
      /^multipart\/form-data; boundary=(.*)$/.exec(request.type ?? '') ?? [];
    const parts = request.body?.split(`--${boundary}`).slice(1, -1);
    const head = 'Content-Disposition: form-data;';
    expect(parts?.map((part) => part.trim())).toEqual([
      `${head} name="title"\r\n\r\né`,
      `${head} name="files"; filename="files"\r\nContent-Type: application/pdf\r\n\r\n%PDF`,
      `${head} name="tags"\r\n\r\n1`,
      `${head} name="tags"\r\n\r\n2`,
    ]);
  });

  it('nothing where it may be left out', async () => {
    const { requestBody, responses } = sending(
      'application/x-www-form-urlencoded',
      object({ q: text }),
    );
    const operation = { requestBody: { ...requestBody, required: false }, responses };
    const { request } = await called(['post', '/things'], operation, {});
    expect(request).toMatchObject({ type: undefined, body: '' });
  });
});

describe('the query of an imported operation is sent with', () => {
  const comma = { style: 'form', explode: false };
  const deep = { style: 'deepObject', explode: true };
  const lists = listOf(text);
  it.each([
    ['repeated names', [query('a', lists)], { a: ['1', '2'] }, 'a=1&a=2'],
    ['commas', [query('a', lists, comma)], { a: ['1,', '2'] }, 'a=1%2C,2'],
    ['brackets', [query('a[]', lists)], { a: ['1', '2'] }, 'a%5B%5D=1&a%5B%5D=2'],
    [
      'fields of objects',
      [query('f', object({ a: text, b: integer }), deep)],
      { f: { a: 'x', b: 1 } },
      'f%5Ba%5D=x&f%5Bb%5D=1',
    ],
    [
      'bars',
      [query('a', lists, { style: 'pipeDelimited', explode: false })],
      { a: ['1', '2'] },
      'a=1%7C2',
    ],
  ])('%s', async (_, parameters, given, expected) => {
    const operation = { parameters, responses: done };
    const { request } = await called(['get', '/things'], operation, given);
    expect(request.target).toBe(`/things?${expected}`);
  });

  it('as large a page as there are keys', async () => {
    const limit = query('limit', { type: 'integer', minimum: 1, maximum: 50, default: 1 });
    const ids = query('ids', lists, { required: true });
    const get = {
      operationId: 'listThings',
      parameters: [ids, limit],
      responses: { 200: json(listOf(object({ id: text }))) },
    };
    const { operations } = await load(documentOf({ '/things': { get } }));
    const server = await startServer((_, response) => void response.end('[{"id":"2"},{"id":"1"}]'));
    const listThings = operations['listThings'] as Operation<never>; // its argument is `id`
    const made = defineComposition({
      route: 'GET /it',
      compose: () => ({
        one: call(listThings, { id: '1' } as never),
        two: call(listThings, { id: '2' } as never),
      }),
    });
    const environment = { ORDERS_URL: server.url };
    const gateway = await startWithMocks({ compositions: { made }, environment });
    expect((await gateway.get('/it')).json).toEqual({ one: { id: '1' }, two: { id: '2' } });
    expect(server.requests.map(({ target }) => target)).toEqual(['/things?ids=1&ids=2&limit=2']);
  });
});

describe('the answer of an imported operation is read', () => {
  it('from headers where it has no body', async () => {
    const headers = { Location: { schema: text }, ETag: { schema: text, required: true } };
    const operation = { responses: { 201: { headers } } };
    const { body } = await called(['post', '/orders'], operation, {});
    expect(body).toEqual({ value: { headers: { location: '/orders/1', etag: '"1"' } } });
  });

  it('from headers of a HEAD', async () => {
    const headers = { 'Content-Length': { schema: integer, required: true } };
    const operation = { responses: { 200: { headers } } };
    const { body, request } = await called(['head', '/things'], operation, {});
    expect(request.method).toBe('HEAD');
    expect(body).toEqual({ value: { headers: { 'content-length': 13 } } });
  });

  it('from a table', async () => {
    const schema = listOf(object({ code: text, rate: { type: 'number' } }));
    const operation = { responses: { 200: { content: { 'text/csv': { schema } } } } };
    const { body } = await called(['get', '/rates'], operation, {});
    expect(body).toEqual({ value: [{ code: 'EUR', rate: 2 }] });
  });
});
