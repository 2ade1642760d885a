/** Answers without a body, with a blank one, or with a part: what they mean. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { verdictOf } from '../../../src/upstream/resilience/failure.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { startServer, startSocketServer } from '../../support/servers.ts';
import { failureOf, openShop } from '../../support/upstream-calls.ts';

interface Answering {
  readonly body?: string;
  readonly status?: number;
  readonly items?: string;
}

async function startAnswering({ body = '', status = 200, items }: Answering) {
  const { url } = await startServer((_, response) => void response.writeHead(status).end(body));
  const { service, call } = openShop({ url, clock: createFakeClock() });
  const ordersOf = lookup(service, {
    name: 'ordersOf',
    route: 'GET /orders',
    keys: { query: 'ids' },
    by: 'id',
    item: z.object({ id: z.string() }),
    ...(items !== undefined && { items }),
  });
  return {
    get: (response: z.ZodType) =>
      call(operation(service, { name: 'get', route: 'GET /order', response }), {}, undefined),
    lookUp: () => call(ordersOf, { id: 'a' }, undefined),
  };
}

const Order = z.object({ id: z.string() });
const blanks = ['', ' ', '\n', ' \r\n\t ', '\uFEFF', '\uFEFF \n'];

describe('an answer without a body, or with white space for one', () => {
  it.each(blanks)('is null where that fits: %j', async (body) => {
    const { get } = await startAnswering({ body });
    const schemas = [z.null(), Order.nullable(), Order.nullish(), z.unknown()];
    const replies = await Promise.all(schemas.map((schema) => get(schema)));
    expect(replies.map(({ value }) => value)).toEqual([null, null, null, null]);
  });

  it.each([
    ['absent', Order.optional(), undefined],
    ['its default', Order.default({ id: 'none' }), { id: 'none' }],
    ['its default, parsed', z.array(z.string()).prefault([]), []],
    ['what else it may be', Order.catch({ id: 'none' }), { id: 'none' }],
  ])('is %s where null does not fit', async (_, schema, value) => {
    const replies = await Promise.all(
      blanks.map(async (body) => (await startAnswering({ body })).get(schema)),
    );
    for (const reply of replies) expect(reply.value).toEqual(value);
  });

  it.each(blanks)('is an error where a value is needed: %j', async (body) => {
    const { get } = await startAnswering({ body });
    expect(await failureOf(get(Order))).toMatchObject({
      kind: 'invalid-body',
      message: expect.stringContaining('the answer had no body; make the schema nullable'),
    });
  });

  it('is not what null is: that needs a schema for it', async () => {
    const optional = await startAnswering({ body: 'null' });
    expect((await failureOf(optional.get(Order.optional()))).kind).toBe('invalid-body');
    const nullable = await startAnswering({ body: 'null' });
    expect((await nullable.get(Order.nullable())).value).toBeNull();
  });

  it.each(['\u00a0', '\u2028', '\v', '\f', ' x', '\uFEFF\uFEFF'])(
    'does not consist of what JSON does not count as white space: %j',
    async (body) => {
      const { get } = await startAnswering({ body });
      expect((await failureOf(get(z.unknown()))).message).toMatch('something that is not JSON');
    },
  );
});

describe('a lookup has no items', () => {
  it.each<[string, Answering]>([
    ['null', { body: 'null' }],
    ['an empty list', { body: '[]' }],
    ['no body', {}],
    ['a 204', { status: 204 }],
    ['white space', { body: ' \n' }],
    ['null for its list', { body: '{"items":null}', items: 'items' }],
    ['null for the object around its list', { body: 'null', items: 'items' }],
    ['no body around its list', { items: 'items' }],
    ['null on the way to its list', { body: '{"data":null}', items: 'data.items' }],
    ['null at the end of the way', { body: '{"data":{"items":null}}', items: 'data.items' }],
  ])('if it answers %s', async (_, answer) => {
    const { lookUp } = await startAnswering(answer);
    expect((await lookUp()).value).toBeNull();
  });

  it.each<[string, Answering, string]>([
    ['an object without its list', { body: '{}', items: 'items' }, '/items in its body'],
    ['its list elsewhere', { body: '{"data":[]}', items: 'items' }, '/items in its body'],
    ['an object for its list', { body: '{"items":{}}', items: 'items' }, '/items in its body'],
    ['false for its list', { body: '{"items":false}', items: 'items' }, '/items in its body'],
    ['nothing on the way', { body: '{}', items: 'data.items' }, '/data/items in its body'],
    ['a list on the way', { body: '{"data":[]}', items: 'data.items' }, '/data/items in its body'],
    ['an object', { body: '{}' }, 'its body'],
    ['a text', { body: '""' }, 'its body'],
  ])('but fails if it answers %s', async (_, answer, where) => {
    const { lookUp } = await startAnswering(answer);
    expect(await failureOf(lookUp())).toMatchObject({
      kind: 'invalid-body',
      message: `shop.ordersOf: answered a lookup, but ${where} is not a list`,
    });
  });
});

describe('a status of success', () => {
  it.each([200, 201, 202, 203, 205, 207, 208, 299])('%i comes with a body', async (status) => {
    const { get } = await startAnswering({ status, body: '{"id":"a"}' });
    expect(await get(Order)).toMatchObject({ status, value: { id: 'a' } });
  });

  it.each([
    'content-length: 2\r\n\r\n{}',
    'transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  ])('204 has no body even if one is sent', async (rest) => {
    const { url } = await startSocketServer((socket) => {
      socket.write(`HTTP/1.1 204 No Content\r\n${rest}`);
    });
    const { service, call } = openShop({ url });
    const cancel = operation(service, { route: 'GET /x', response: z.null() });
    expect(await call(cancel, {}, undefined)).toMatchObject({ status: 204, value: null });
    expect(await call(cancel, {}, undefined)).toMatchObject({ status: 204, value: null });
  });

  it.each([
    [206, 'a part (206) although no range was asked for'],
    [226, 'changes (226) although none were asked for'],
  ])('%i is never taken for the whole, by a lookup neither', async (status, said) => {
    const { get, lookUp } = await startAnswering({ status, body: '[{"id":"a"}]' });
    const failure = {
      kind: 'invalid-body',
      message: expect.stringContaining(`answered with ${said}`),
    };
    expect(await failureOf(get(z.unknown()))).toMatchObject(failure);
    expect(await failureOf(lookUp())).toMatchObject(failure);
  });

  it('304 to a request without conditions is a failure', async () => {
    const { get } = await startAnswering({ status: 304 });
    expect(await failureOf(get(z.unknown()))).toMatchObject({ kind: 'status', status: 304 });
  });
});

describe('an interim answer that was not asked for', () => {
  const whole = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';

  async function startWithInterim(interim: string) {
    const server = await startSocketServer((socket) => {
      socket.write(`HTTP/1.1 ${interim}\r\n\r\n${whole}`);
    });
    const { service, call } = openShop({ url: server.url, service: { retry: { times: 1 } } });
    const get = operation(service, { name: 'get', route: 'GET /x', response: z.unknown() });
    return { server, get: () => call(get, {}, undefined) };
  }

  it.each([
    '102 Processing',
    '103 Early Hints\r\nlink: </a.css>; rel=preload',
    '103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints',
  ])('is ignored: %j', async (interim) => {
    const { get } = await startWithInterim(interim);
    expect(await get()).toMatchObject({ status: 200, value: {} });
  });

  it.each([
    ['100 Continue', '100 (Continue)'],
    ['101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade', '101 (Switching Protocols)'],
  ])('is a fault of that answer, and no outage, if it is %j', async (interim, name) => {
    const { server, get } = await startWithInterim(interim);
    const failure = await failureOf(get());
    expect(failure).toMatchObject({
      kind: 'invalid-body',
      message: `shop.get: answered ${name}, which was not asked for and is not supported`,
    });
    expect(verdictOf({ failure, tookMs: 1, announcedMs: undefined })).toBe('ok');
    expect(server.requests).toHaveLength(1);
  });
});
