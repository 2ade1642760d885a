/** `problem`: what a service says is wrong with a request, and what of it the client is told. */
import { gzipSync } from 'node:zlib';
import {
  call,
  defineComposition,
  defineService,
  each,
  map,
  omit,
  operation,
  optional,
  pick,
} from 'plait';
import type { Ref } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Composition } from '../../src/dsl/composition.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, retry: false });
const Address = z.object({ zip: z.string(), city: z.string() });
const Line = z.object({ sku: z.string(), count: z.int() });
const Order = z.object({
  name: z.string(),
  address: Address,
  lines: z.array(Line),
  note: z.string().nullish(),
});
const config = {
  route: 'POST /orders/:shop',
  query: z.object({ limit: z.string().optional() }),
  headers: z.object({ 'x-plan': z.string().optional() }),
  body: Order,
  response: z.object({ id: z.string() }),
} as const;
const problem = { errors: 'errors', pointer: 'source.pointer', detail: 'detail' } as const;
const place = operation(shop, { ...config, name: 'place', problem });
const placeQuietly = operation(shop, { ...config, name: 'placeQuietly' });
const noPlace = operation(shop, {
  ...config,
  name: 'noPlace',
  problem: { errors: 'errors', detail: 'detail' },
});
const enveloped = operation(shop, {
  ...config,
  name: 'enveloped',
  problem,
  failure: { body: z.object({ code: z.int() }), status: 'code' },
});
const addLine = operation(shop, {
  name: 'addLine',
  route: 'POST /lines',
  body: Line,
  response: z.object({ id: z.string() }),
  problem,
});
const first = operation(shop, { name: 'first', route: 'GET /first', response: Order });
const renamed = operation(shop, {
  name: 'renamed',
  route: 'POST /renamed',
  body: z.object({ name: z.string() }).transform(({ name }) => ({ title: name, name: 'n' })),
  response: z.object({ id: z.string() }),
  problem,
});

const client = {
  route: 'POST /to/:shop',
  query: z.object({ max: z.string().optional() }),
  headers: z.object({ 'x-tier': z.string().optional() }),
  body: Order,
} as const;
const whole = defineComposition({
  ...client,
  compose: ({ params, query, headers, body }) =>
    call(place, {
      shop: params.shop,
      limit: query.max,
      headers: { 'x-plan': headers['x-tier'] },
      body,
    }),
});
const order = {
  name: 'n',
  address: { zip: 'z', city: 'c' },
  lines: [
    { sku: 'a', count: 1 },
    { sku: 'b', count: 2 },
  ],
  note: null,
};

interface Refusal {
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a client is told of it if the service refuses an order like this. */
async function told(composition: Composition, { status = 422, body, headers = {} }: Refusal) {
  const server = await startServer((request, outgoing) => {
    if (request.url === '/first') return void outgoing.end(JSON.stringify(order));
    outgoing.writeHead(status, headers);
    const isText = body instanceof Uint8Array || typeof body === 'string';
    outgoing.end(isText ? body : JSON.stringify(body));
  });
  const gateway = await startWithMocks({
    compositions: { composition },
    environment: { SHOP_URL: server.url },
  });
  return gateway.get('/to/berlin?max=5', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-tier': 'gold' },
    body: JSON.stringify(order),
  });
}

/** An answer with one entry, and much that is nobody's business. */
function refusing(pointer: unknown, detail: unknown = 'is wrong'): Refusal {
  const entry = { source: { pointer, line: 'secret' }, detail, value: 'secret' };
  return { body: { title: 'secret', errors: [entry], trace: ['secret'] } };
}

/** The errors that a client is told of it. */
async function errorsOf(composition: Composition, refusal: Refusal): Promise<unknown> {
  const { json } = await told(composition, refusal);
  expect(JSON.stringify(json)).not.toContain('secret');
  return json.errors;
}

describe('the place that a service calls wrong', () => {
  it.each<[unknown, string, string]>([
    ['/name', 'body', '/name'],
    ['#/name', 'body', '/name'],
    ['/address/zip', 'body', '/address/zip'],
    ['address.zip', 'body', '/address/zip'],
    ['/body/address/zip', 'body', '/address/zip'],
    ['body.address.zip', 'body', '/address/zip'],
    [['body', 'lines', 1, 'sku'], 'body', '/lines/1/sku'],
    [['lines', '1', 'sku'], 'body', '/lines/1/sku'],
    ['lines[1].sku', 'body', '/lines/1/sku'],
    ["$.lines[1]['sku']", 'body', '/lines/1/sku'],
    ['/lines/7', 'body', '/lines/7'],
    ['', 'body', ''],
    ['#', 'body', ''],
    ['limit', 'query', '/max'],
    ['/query/limit', 'query', '/max'],
    [['query', 'limit'], 'query', '/max'],
    [['path', 'shop'], 'path', '/shop'],
    [['header', 'X-Plan'], 'header', '/x-tier'],
  ])('%j is where the client has sent it', async (pointer, part, expected) => {
    expect(await errorsOf(whole, refusing(pointer))).toEqual([
      { in: part, pointer: expected, detail: 'is wrong' },
    ]);
  });

  it.each([
    ['an unknown field', '/nothing'],
    ['a field that only the client knows', '/max'],
    ['an unknown header', ['header', 'x-other']],
    ['no place', undefined],
    ['a number', 7],
    ['an object', { secret: 1 }],
    ['a list with something else in it', ['lines', null]],
    ['names without end', Array.from({ length: 21 }, () => 'name')],
    ['a name without end', `/lines/${'9'.repeat(201)}`],
    ['characters that are not shown', '/lines/\n'],
    ['escapes that are none', '#/%'],
  ])('is left out if it is %s', async (_, pointer) => {
    expect(await errorsOf(whole, refusing(pointer))).toEqual([{ detail: 'is wrong' }]);
  });

  interface Sent {
    readonly shop: Ref<string>;
    readonly max: Ref<string | undefined>;
    readonly body: Ref<z.output<typeof Order>>;
  }
  const made = <W>(compose: (sent: Sent) => W) =>
    defineComposition({
      ...client,
      compose: ({ params, query, body }) => compose({ shop: params.shop, max: query.max, body }),
    });

  it.each<[string, Composition, string, object]>([
    [
      'a field by another name',
      made(({ shop: id, body }) =>
        call(place, { shop: id, body: { ...order, name: body.address.city } }),
      ),
      '/name',
      { in: 'body', pointer: '/address/city' },
    ],
    [
      'a part of what is sent by another name',
      made(({ shop: id, body }) =>
        call(place, { shop: id, body: { ...order, address: body.address } }),
      ),
      '/address/zip',
      { in: 'body', pointer: '/address/zip' },
    ],
    [
      'an item of a list, also what pick keeps of it',
      made(({ body }) =>
        each(body.lines, (line) => call(addLine, { body: pick(line, 'sku', 'count') })),
      ),
      '/sku',
      { in: 'body', pointer: '/lines/0/sku' },
    ],
    [
      'something that is made of a parameter',
      made(({ shop: id }) => call(place, { shop: id, body: { ...order, name: id } })),
      '/name',
      { in: 'path', pointer: '/shop' },
    ],
  ])('is the client’s if it is %s', async (_, composition, pointer, expected) => {
    expect(await errorsOf(composition, refusing(pointer))).toEqual([
      { ...expected, detail: 'is wrong' },
    ]);
  });

  it.each<[string, Composition, string]>([
    [
      'a constant',
      made(({ shop: id, body }) => call(place, { shop: id, body: { ...order, name: body.name } })),
      '/address/zip',
    ],
    [
      'around several that are',
      made(({ shop: id, body }) =>
        call(place, { shop: id, body: { ...order, address: { zip: body.name, city: 'c' } } }),
      ),
      '/address',
    ],
    [
      'made by map',
      made(({ shop: id, body }) =>
        call(place, { shop: id, body: { ...order, name: map(body.name, (name) => name) } }),
      ),
      '/name',
    ],
    [
      'of another answer, whatever the client has sent by that name',
      made(({ shop: id, max }) => call(place, { shop: id, limit: max, body: call(first, {}) })),
      '/name',
    ],
    [
      'nothing that pick has kept',
      made(({ shop: id, body }) =>
        call(place, { shop: id, body: pick(body, 'name', 'address', 'lines') }),
      ),
      '/note',
    ],
    [
      'something that omit has left out',
      made(({ shop: id, body }) => call(place, { shop: id, body: omit(body, 'note') })),
      '/note',
    ],
    [
      'moved by the schema of the operation',
      made(({ body }) => call(renamed, { body: { name: body.name } })),
      '/name',
    ],
    [
      'moved by the schema of the composition',
      defineComposition({
        ...client,
        body: z
          .object({})
          .loose()
          .transform((): z.output<typeof Order> => order),
        compose: ({ params, body }) => call(place, { shop: params.shop, body }),
      }),
      '/address/zip',
    ],
  ])('is left out if it is %s', async (_, composition, pointer) => {
    expect(await errorsOf(composition, refusing(pointer))).toEqual([{ detail: 'is wrong' }]);
  });
});

/** An answer with these texts. */
function saying(details: readonly unknown[]): Refusal {
  return { body: { errors: details.map((detail) => ({ detail })) } };
}

it('an item of a list is named beside texts that have no place in the request', async () => {
  const composition = defineComposition({
    ...client,
    compose: ({ body }) => each(body.lines, (line) => call(addLine, { body: line })),
  });
  expect(await errorsOf(composition, refusing('/price'))).toEqual([
    { in: 'body', pointer: '/lines/0', detail: 'was answered 422' },
    { detail: 'is wrong' },
  ]);
});

describe('the text that a service gives', () => {
  it.each<[string, unknown, unknown]>([
    ['one line', ' must\r\nbe\tshort\u0000 ', 'must be short'],
    ['without changes of direction', 'a\u202eb\u2066c', 'a b c'],
    ['200 characters at most', '𝒂'.repeat(300), '𝒂'.repeat(200)],
    ['made of whole characters', 'a\ud800', 'a\ufffd'],
  ])('is %s', async (_, detail, expected) => {
    expect(await errorsOf(whole, saying([detail]))).toEqual([{ detail: expected }]);
  });

  it.each([[7], [null], [''], ['\n'], [['secret']], [{ text: 'secret' }]])(
    'is nothing where it is %j',
    async (detail) => {
      expect(await errorsOf(whole, saying([detail]))).toBeUndefined();
    },
  );

  it('is that of 50 entries at most', async () => {
    const many = Array.from({ length: 60 }, (_, index) => `no. ${index}`);
    const found = await errorsOf(whole, saying(many));
    expect(found).toEqual(many.slice(0, 50).map((detail) => ({ detail })));
  });

  it('goes without places where the operation names none', async () => {
    const composition = defineComposition({
      ...client,
      compose: ({ params, body }) => call(noPlace, { shop: params.shop, body }),
    });
    expect(await errorsOf(composition, refusing('/name'))).toEqual([{ detail: 'is wrong' }]);
  });
});

describe('a client is told what a service says is wrong', () => {
  const entry = { errors: [{ source: { pointer: '/name' }, detail: 'is wrong' }] };
  const expected = [{ in: 'body', pointer: '/name', detail: 'is wrong' }];
  const text = JSON.stringify(entry);

  it.each<[string, Refusal]>([
    ['of a 400', { status: 400, body: entry }],
    ['of any type', { body: entry, headers: { 'content-type': 'text/plain' } }],
    ['compressed', { body: gzipSync(text), headers: { 'content-encoding': 'gzip' } }],
    ['of nearly 64 KiB', { body: text.padEnd(65_536) }],
  ])('in an answer %s', async (_, refusal) => {
    const { status, json } = await told(whole, refusal);
    expect([status, json.errors]).toEqual([refusal.status ?? 422, expected]);
    expect(json.detail).toBe(`shop.place answered ${status}.`);
  });

  it('in a 2xx that is a failure', async () => {
    const composition = defineComposition({
      ...client,
      compose: ({ params, body }) => call(enveloped, { shop: params.shop, body }),
    });
    const { status, json } = await told(composition, {
      status: 200,
      body: { code: 422, ...entry },
    });
    expect([status, json.errors]).toEqual([422, expected]);
  });

  it.each<[string, Refusal]>([
    ['of more than 64 KiB', { body: text.padEnd(65_537) }],
    [
      'of more than 64 KiB once it is decompressed',
      { body: gzipSync(text.padEnd(65_537)), headers: { 'content-encoding': 'gzip' } },
    ],
    ['that is not JSON', { body: `${text}!` }],
    ['without a body', { body: '' }],
    ['that is another list', { body: { errors: { source: '/name', detail: 'no' } } }],
    ['in an unknown encoding', { body: text, headers: { 'content-encoding': 'secret' } }],
    ['of another status', { status: 409, body: entry }],
  ])('and of nothing in an answer %s', async (_, refusal) => {
    const { status, json } = await told(whole, refusal);
    expect([status, json.errors]).toEqual([refusal.status ?? 422, undefined]);
  });

  it('and of nothing where the operation does not declare it, or did not ask for the client', async () => {
    const quiet = defineComposition({
      ...client,
      compose: ({ params, body }) => call(placeQuietly, { shop: params.shop, body }),
    });
    const ours = defineComposition({
      ...client,
      compose: () => call(place, { shop: 'a', body: order }),
    });
    const tolerant = defineComposition({
      ...client,
      compose: ({ params, body }) => ({ it: optional(call(place, { shop: params.shop, body })) }),
    });
    expect((await told(quiet, { body: entry })).json.errors).toBeUndefined();
    const { status, json } = await told(ours, { body: entry });
    expect([status, json.errors]).toEqual([502, undefined]);
    const tolerated = await told(tolerant, { body: entry });
    expect(JSON.stringify(tolerated.json)).not.toContain('is wrong');
  });
});
