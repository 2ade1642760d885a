import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import type { Json } from '../../src/dsl/node.ts';
import { call, map } from '../../src/dsl/steps.ts';
import { part, value } from '../support/serve.ts';
import { startUpstream } from '../support/upstream.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { Answer } from '../support/request.ts';

const search = defineComposition({
  route: 'GET /search/:page',
  params: z.object({ page: z.coerce.number().int().min(1) }),
  query: z.object({
    limit: z.coerce.number().int().max(100).default(20),
    tag: z.array(z.string()).default([]),
    sort: z.enum(['asc', 'desc']).optional(),
    'a/b~c': z.coerce.number().optional(),
  }),
  headers: z.object({ 'x-tenant': z.string().min(2) }),
  compose: ({ params, query, headers }) => ({ params, query, tenant: headers['x-tenant'] }),
});

const create = defineComposition({
  route: 'POST /things/:id',
  query: z.object({ dry: z.enum(['yes', 'no']).default('no') }),
  body: z.object({
    name: z.string(),
    sizes: z.array(z.object({ width: z.number() })),
  }),
  compose: ({ params, query, body }) => ({ id: params.id, dry: query.dry, name: body.name }),
});

const plain = defineComposition({
  route: 'GET /plain/:id',
  compose: ({ params }) => ({ id: params.id }),
});

async function startInputs() {
  const app = await startWithMocks({ compositions: { search, create, plain } });
  return {
    ...app,
    search: (path: string, headers: Record<string, string> = { 'x-tenant': 'acme' }) =>
      app.get(`/search/${path}`, { headers }),
    create: (path: string, body: unknown) =>
      app.get(`/things/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}

/** Where the errors of a 400 are: `query/limit`. */
function places({ json }: Answer): string[] {
  return json.errors.map((error: { in: string; pointer: string }) => error.in + error.pointer);
}

describe('the inputs of a request', () => {
  it('are given to the composition as their schemas parsed them', async () => {
    const app = await startInputs();
    const { status, json } = await app.search('3?limit=7&tag=x&tag=y');
    expect({ status, json }).toEqual({
      status: 200,
      json: { params: { page: 3 }, query: { limit: 7, tag: ['x', 'y'] }, tenant: 'acme' },
    });
  });

  it('have the defaults of their schemas', async () => {
    const app = await startInputs();
    expect((await app.search('1')).json.query).toEqual({ limit: 20, tag: [] });
  });

  it('are a list with one entry when a list is given once', async () => {
    const app = await startInputs();
    expect((await app.search('1?tag=x')).json.query.tag).toEqual(['x']);
  });

  it('are decoded once, spaces and plus signs included', async () => {
    const app = await startInputs();
    expect((await app.search('1?tag=a+b&tag=a%20b&tag=a%2Bb&tag=%2525')).json.query.tag).toEqual([
      'a b',
      'a b',
      'a+b',
      '%25',
    ]);
    expect((await app.get('/plain/a%20b%2Fc%3F')).json.id).toBe('a b/c?');
  });

  it('leave out the fields of a body that no schema declares', async () => {
    const app = await startInputs();
    const body = { name: 'n', sizes: [], admin: true };
    expect((await app.create('7?dry=yes', body)).json).toEqual({ id: '7', dry: 'yes', name: 'n' });
  });
});

const split = (given: unknown): unknown => (typeof given === 'string' ? given.split(',') : given);

describe('a query parameter that takes a list', () => {
  it.each([
    ['an array', z.array(z.string()), ['a'], ['a', 'b']],
    ['a transformed array', z.array(z.string()).transform((all) => all.join()), 'a', 'a,b'],
    ['a piped array', z.array(z.string()).pipe(z.array(z.string()).max(9)), ['a'], ['a', 'b']],
    ['a tuple', z.tuple([z.string()]).rest(z.string()), ['a'], ['a', 'b']],
    ['a set', z.array(z.string()).transform((all) => new Set(all).size), 1, 2],
    ['a preprocessed array', z.preprocess(split, z.array(z.string())), ['a'], ['a', 'b']],
    ['a text or an array', z.union([z.string(), z.array(z.string())]), 'a', ['a', 'b']],
  ] as const)('as %s gets it, given once and twice', async (_, q, once, twice) => {
    const composition = defineComposition({
      route: 'GET /list',
      query: z.object({ q }),
      compose: ({ query }) => map(query, ({ q: got }) => ({ got: got as Json })),
    });
    const app = await startWithMocks({ compositions: { composition } });
    expect((await app.get('/list?q=a')).json).toEqual({ got: once });
    expect((await app.get('/list?q=a&q=b')).json).toEqual({ got: twice });
  });
});

describe('a request that does not fit', () => {
  it('is answered with one entry for every bad field, in all its parts', async () => {
    const app = await startInputs();
    const answer = await app.search('0?limit=101&sort=up', {});
    expect(answer.status).toBe(400);
    expect(answer.json.type).toBe('urn:plait:problem:invalid-request');
    expect(places(answer).toSorted()).toEqual([
      'header/x-tenant',
      'path/page',
      'query/limit',
      'query/sort',
    ]);
    for (const { detail } of answer.json.errors) expect(detail).not.toBe('');
  });

  it('is answered with pointers into the body', async () => {
    const app = await startInputs();
    const answer = await app.create('7', { sizes: [{ width: 1 }, { width: 'wide' }] });
    expect(answer.status).toBe(400);
    expect(places(answer).toSorted()).toEqual(['body/name', 'body/sizes/1/width']);
  });

  it('is told of bad query and body together', async () => {
    const app = await startInputs();
    const answer = await app.create('7?dry=maybe', []);
    expect(places(answer).toSorted()).toEqual(['body', 'query/dry']);
  });

  it('escapes slashes and tildes in pointers', async () => {
    const app = await startInputs();
    expect(places(await app.search('1?a%2Fb~c=x'))).toEqual(['query/a~1b~0c']);
    expect(places(await app.search('1?no%2Fsuch~one=x'))).toEqual(['query/no~1such~0one']);
  });

  it.each(['tag=%ff', 'tag=J%FCrgen', 'tag=a&tag=%ed%a0%80', 'tag=%c3'])(
    'is told of a query that is not UTF-8, which must not become another text: %s',
    async (query) => {
      const answer = await (await startInputs()).search(`2?${query}`);
      expect([answer.status, places(answer)]).toEqual([400, ['query/tag']]);
      expect(answer.json.errors[0].detail).toBe('is not percent-encoded UTF-8');
    },
  );

  it.each([
    ['tag=%EF%BF%BD', '\ufffd'],
    ['tag=50%', '50%'],
    ['tag=J%C3%BCrgen', 'J\u00fcrgen'],
  ])('may have %s in its query', async (query, tag) => {
    const { json } = await (await startInputs()).search(`2?${query}`);
    expect(json.query.tag).toEqual([tag]);
  });

  it.each(['caf\u00e9', Buffer.from('caf\u00e9').toString('latin1')])(
    'is told of the header %j, whose encoding nothing says',
    async (tenant) => {
      const answer = await (await startInputs()).search('2', { 'x-tenant': tenant });
      expect([answer.status, places(answer)]).toEqual([400, ['header/x-tenant']]);
      expect(answer.json.errors[0].detail).toBe('has characters that are not ASCII: encode them');
    },
  );

  it('is told which query parameters there are when it has an unknown one', async () => {
    const app = await startInputs();
    const answer = await app.search('1?limits=3');
    expect(places(answer)).toEqual(['query/limits']);
    expect(answer.json.errors[0].detail).toContain('limit, tag, sort');
  });

  it('may have no query where none is declared', async () => {
    const app = await startInputs();
    expect(places(await app.get('/plain/1?x=1'))).toEqual(['query/x']);
    expect((await app.get('/plain/1?')).status).toBe(200);
  });

  it('may give a parameter that is no list only once, and is told so once', async () => {
    const app = await startInputs();
    const answer = await app.search('1?limit=1&limit=2');
    expect(answer.status).toBe(400);
    expect(places(answer)).toEqual(['query/limit']);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'finds no parameter %s in what every object has',
    async (name) => {
      const app = await startInputs();
      expect(places(await app.search(`1?${name}=1`))).toEqual([`query/${name}`]);
    },
  );

  it('reaches no service', async () => {
    const upstream = await startUpstream();
    upstream.answerAll(value);
    const app = await startWithMocks({
      compositions: {
        test: defineComposition({
          route: 'GET /test/:name',
          query: z.object({ n: z.coerce.number() }),
          compose: ({ params }) => call(part, { name: params.name }),
        }),
      },
      environment: { UPSTREAM_URL: upstream.url },
    });
    expect(places(await app.get('/test/a?n=x'))).toEqual(['query/n']);
    expect(places(await app.get('/test/a?n=1&n=2'))).toEqual(['query/n']);
    expect(upstream.asked()).toEqual([]);
    expect((await app.get('/test/a?n=1')).status).toBe(200);
  });
});

async function startDerived() {
  const upstream = await startUpstream();
  upstream.answerAll(() => value('..'));
  const derived = defineComposition({
    route: 'GET /derived/:name',
    query: z.object({ name: z.string().default('x') }),
    compose({ params, query }) {
      const first = call(part, { name: params.name });
      return {
        byQuery: call(part, { name: query.name }),
        computed: call(part, { name: map(first, (got) => got.value.replace('..', 'ok')) }),
      };
    },
  });
  const upstreamValue = defineComposition({
    route: 'GET /upstream-value',
    compose: () => call(part, { name: call(part, { name: 'a' }).value }),
  });
  const app = await startWithMocks({
    compositions: { derived, upstreamValue },
    environment: { UPSTREAM_URL: upstream.url },
  });
  return { app, upstream };
}

describe('an argument that cannot be sent', () => {
  it.each(['..', '.', '', 'a\u0000b', 'x'.repeat(1_025)])(
    'is the mistake of the client when it is the text of the client: %j',
    async (text) => {
      const { app, upstream } = await startDerived();
      const answer = await app.get(`/derived/a?name=${encodeURIComponent(text)}`);
      expect(answer.status).toBe(400);
      expect(places(answer)).toEqual(['query/name']);
      expect(upstream.asked().every((request) => request === 'GET /parts/a')).toBe(true);
    },
  );

  it('is pointed at like any other, slashes and tildes escaped', async () => {
    const upstream = await startUpstream();
    const app = await startWithMocks({
      compositions: {
        test: defineComposition({
          route: 'GET /test',
          query: z.object({ 'a/b~c': z.string() }),
          compose: ({ query }) => call(part, { name: query['a/b~c'] }),
        }),
      },
      environment: { UPSTREAM_URL: upstream.url },
    });
    expect(places(await app.get('/test?a%2Fb~c=..'))).toEqual(['query/a~1b~0c']);
  });

  it('is the mistake of a service when it comes from a service', async () => {
    const { app, upstream } = await startDerived();
    const { status, json } = await app.get('/upstream-value');
    expect({ status, type: json.type }).toEqual({
      status: 502,
      type: 'urn:plait:problem:upstream-invalid-argument',
    });
    expect(upstream.asked()).toEqual(['GET /parts/a']);
  });
});
