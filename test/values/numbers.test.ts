/** Numbers through a whole gateway: from services, from clients, to services, through the cache. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { lookup } from '../../src/dsl/declare-lookup.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import { optional } from '../../src/dsl/guards.ts';
import { call, each, given, map, pick } from '../../src/dsl/steps.ts';
import { serve } from '../support/serve.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startUpstream } from '../support/upstream.ts';

const service = defineService({ name: 'upstream', url: { env: 'UPSTREAM_URL' } });
const id = '12345678901234567890';
const json = (text: string) => Buffer.from(text);

const anything = operation(service, { route: 'GET /any', response: z.unknown() });
const numbered = operation(service, {
  route: 'GET /numbered',
  response: z.object({ total: z.number() }),
});
const rounded = operation(service, {
  name: 'rounded',
  route: 'GET /numbered',
  response: z.object({ total: z.number() }),
  numbers: 'rounded',
});
const Item = z.object({ id: z.bigint(), count: z.bigint(), at: z.number() });
const item = operation(service, { route: 'GET /items/:id', response: Item });
const keptItem = operation(service, {
  name: 'keptItem',
  route: 'GET /kept/:id',
  response: Item,
  cache: { ttlMs: 60_000 },
});
const itemOf = lookup(service, {
  route: 'POST /items',
  keys: { body: 'ids' },
  by: 'id',
  item: Item,
});
const create = operation(service, {
  route: 'POST /create',
  body: z.object({ id: z.bigint(), any: z.unknown() }),
  response: z.object({ id: z.bigint() }),
});

/** The answer of the gateway, as text: `JSON.parse` would round it. */
async function textOf(url: string, init?: RequestInit): Promise<string> {
  return (await fetch(`${url}/test`, init)).text();
}

describe('a number of a service', () => {
  it('leaves as it came where no schema looks into it', async () => {
    const app = await serve(() => ({ any: call(anything, {}) }));
    const body = `{"a":${id},"b":[1e400,-1e-400,0.12345678901234567890],"c":9007199254740993}`;
    app.upstream.answerAll(() => json(body));
    expect(await textOf(app.url)).toBe(`{"any":${body}}`);
  });

  it('that JavaScript cannot hold is an error that names service, operation and pointer', async () => {
    const app = await serve(() => call(numbered, {}));
    app.upstream.answerAll(() => json('{"total":9007199254740993}'));
    const answer = await app.ask();
    expect(answer.status).toBe(502);
    expect(answer.json).toMatchObject({
      type: 'urn:plait:problem:upstream-invalid-body',
      detail: 'upstream.getNumbered sent an invalid response.',
      step: 'getNumbered',
    });
  });

  it('is rounded where the operation says so', async () => {
    const app = await serve(() => call(rounded, {}));
    app.upstream.answerAll(() => json('{"total":9007199254740993}'));
    expect(await textOf(app.url)).toBe('{"total":9007199254740992}');
  });

  it('is a bigint where the schema says so, and digits on all ways out', async () => {
    const app = await serve(() => {
      const found = call(item, { id: '1' });
      return {
        found,
        picked: pick(found, 'count'),
        given: given(found, ({ count }) => ({ count })),
        sum: map(found, ({ id: own, count }) => own + count),
        next: call(item, { id: found.id }),
      };
    });
    const body = `{"id":${id},"count":7,"at":7}`;
    app.upstream.answerAll(() => json(body));
    expect(await textOf(app.url)).toBe(
      `{"found":${body},"picked":{"count":7},"given":{"count":7},"sum":12345678901234567897,` +
        `"next":${body}}`,
    );
    expect(app.upstream.asked()).toContain(`GET /items/${id}`);
  });

  it('is a bigint out of the cache, too', async () => {
    const app = await serve(() => call(keptItem, { id: '1' }));
    const body = `{"id":${id},"count":7,"at":7}`;
    app.upstream.answerAll(() => json(body));
    expect(await textOf(app.url)).toBe(body);
    expect(await textOf(app.url)).toBe(body);
    expect(app.upstream.asked()).toHaveLength(1);
  });

  it('can be the key of a lookup, which sends its digits', async () => {
    const ids = operation(service, { route: 'GET /ids', response: z.array(z.bigint()) });
    const app = await serve(() => each(call(ids, {}), (key) => call(itemOf, { id: key })));
    // The second is held by a `number`, the third is short.
    const keys = [id, '9007199254740994', '7'];
    void app.upstream.answer('GET /ids', json(`[${keys.join(',')}]`));
    const items = keys.map((key) => `{"id":${key},"count":1,"at":2}`);
    const answer = textOf(app.url);
    const asked = await app.upstream.next('POST /items');
    expect(asked.body).toBe(`{"ids":[${keys.join(',')}]}`);
    asked.answer(json(`[${items.toReversed().join(',')}]`));
    expect(await answer).toBe(`[${items.join(',')}]`);
  });
});

describe('map', () => {
  const raw = operation(service, {
    name: 'raw',
    route: 'GET /any',
    response: z.object({ name: z.string(), big: z.unknown(), list: z.array(z.unknown()) }),
  });
  const body = '{"name":"a","big":1e400,"list":[1,1e-400]}';

  it.each([
    ['takes it', () => map(call(raw, {}).big, () => 1)],
    ['computes with it', () => map(call(raw, {}), ({ big }) => Number(big))],
    ['looks at it', () => map(call(raw, {}), ({ big }) => typeof big)],
    ['copies it', () => map(call(raw, {}), (value) => ({ ...value, more: true }))],
    ['reads a list with it', () => map(call(raw, {}), ({ list }) => list.map(String))],
  ])('fails by name when it %s and no type holds it', async (_, compose) => {
    const app = await serve(() => ({ value: compose() }));
    app.upstream.answerAll(() => json(body));
    const { status, json: problem } = await app.ask();
    expect([status, problem.step]).toEqual([500, 'value']);
    expect(app.internalErrors.map(String)).toEqual([
      'StepError: step "value": the function given to map() reads a number that no JavaScript type holds',
    ]);
  });

  it('may read all that is beside it, and pass on what it is in', async () => {
    const app = await serve(() => ({
      name: map(call(raw, {}), ({ name }) => name),
      all: map({ all: call(raw, {}) }, ({ all }) => [all]),
    }));
    app.upstream.answerAll(() => json(body));
    expect(await textOf(app.url)).toBe(`{"name":"a","all":[${body}]}`);
  });

  it('can be tolerated', async () => {
    const app = await serve(() => ({ n: optional(map(call(raw, {}), ({ big }) => Number(big))) }));
    app.upstream.answerAll(() => json(body));
    expect((await app.ask()).json).toMatchObject({ n: null, $problems: [{ step: 'n' }] });
  });
});

describe('a number of a client', () => {
  const test = defineComposition({
    route: 'POST /test',
    body: z.object({ n: z.number().optional(), id: z.bigint().optional(), any: z.unknown() }),
    compose: ({ body }) => ({ n: body.n, id: body.id, any: body.any }),
  });
  const ask = async (body: string) => {
    const { url } = await startWithMocks({ compositions: { test } });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/test`, { method: 'POST', body, headers });
    return { status: answer.status, text: await answer.text() };
  };

  it('comes back as it was', async () => {
    const body = `{"n":0.5,"id":${id},"any":[${id},1e400,0.1234567890123456789]}`;
    expect(await ask(body)).toEqual({ status: 200, text: body });
  });

  it.each(['9007199254740993', '1e400', '1e-400', '0.1234567890123456789'])(
    'that JavaScript cannot hold is a 400 that names its pointer: %s',
    async (literal) => {
      const { status, text } = await ask(`{"n":${literal},"any":null}`);
      expect(status).toBe(400);
      expect(JSON.parse(text).errors).toEqual([
        { in: 'body', pointer: '/n', detail: 'is a number that cannot be held exactly' },
      ]);
    },
  );

  it.each([
    '9007199254740993',
    '9007199254740993e0',
    '+9007199254740993',
    '0009007199254740993',
    '9007199254740993.',
    '0x20000000000001',
    '1e400',
    '1e-400',
    '.1234567890123456789',
  ])('that JavaScript cannot hold is a 400 in a query, path and header, too: %s', async (text) => {
    const n = z.coerce.number();
    const parts = defineComposition({
      route: 'GET /parts/:n',
      params: z.object({ n }),
      query: z.object({ n, list: z.array(n).optional() }),
      headers: z.object({ 'x-n': n }),
      compose: ({ params, query, headers }) => ({ params, query, header: headers['x-n'] }),
    });
    const { get } = await startWithMocks({ compositions: { parts } });
    const where = async (path: string, header: string): Promise<unknown> => {
      const answer = await get(path, { headers: { 'x-n': header } });
      return [answer.status, answer.json.errors];
    };
    const encoded = encodeURIComponent(text);
    const detail = 'is a number that cannot be held exactly';
    expect(await where(`/parts/${encoded}?n=1`, '1')).toEqual([
      400,
      [{ in: 'path', pointer: '/n', detail }],
    ]);
    expect(await where(`/parts/1?n=${encoded}`, '1')).toEqual([
      400,
      [{ in: 'query', pointer: '/n', detail }],
    ]);
    expect(await where(`/parts/1?n=1&list=2&list=${encoded}`, '1')).toEqual([
      400,
      [{ in: 'query', pointer: '/list/1', detail }],
    ]);
    expect(await where('/parts/1?n=1', text)).toEqual([
      400,
      [{ in: 'header', pointer: '/x-n', detail }],
    ]);
  });

  it('goes up as its digits', async () => {
    const upstream = await startUpstream();
    const app = await startWithMocks({
      compositions: {
        test: defineComposition({
          route: 'POST /test',
          body: z.object({ id: z.bigint(), any: z.unknown() }),
          compose: ({ body }) => call(create, { body: { id: body.id, any: body.any } }),
        }),
      },
      environment: { UPSTREAM_URL: upstream.url },
    });
    const body = `{"id":7,"any":[${id},1e400]}`;
    const headers = { 'content-type': 'application/json' };
    const answer = textOf(app.url, { method: 'POST', body, headers });
    const asked = await upstream.next('POST /create');
    expect(asked.body).toBe(body);
    asked.answer(json(`{"id":${id}}`));
    expect(await answer).toBe(`{"id":${id}}`);
  });
});
