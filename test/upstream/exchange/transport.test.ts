import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { ServiceConfig } from '../../../src/dsl/service.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import type { Recorded } from '../../support/servers.ts';
import { listen, startServer, startSocketServer } from '../../support/servers.ts';
import { failureOf, reasonOf, openShop, turn } from '../../support/upstream-calls.ts';

const Order = z.object({ id: z.string(), lines: z.array(z.object({ sku: z.string() })) });
const secret = 'card 4111-1111-1111-1111';

/** Calls of `shop.getOrder` at `url`, each for a request of its own; `request` ends them all. */
function startCalling(url: string, options: { service?: Partial<ServiceConfig> } = {}) {
  const clock = createFakeClock();
  const { service, open, request } = openShop({ url, clock, ...options });
  const getOrder = (response: z.ZodType = z.unknown()) =>
    open()(operation(service, { name: 'getOrder', route: 'GET /order', response }), {}, undefined);
  return { clock, getOrder, request };
}

/** A call to a server of bare sockets that does `misbehave` once it is asked. */
async function startMisbehaving(misbehave: (socket: Socket) => void, service = {}) {
  const server = await startSocketServer(misbehave);
  return { server, ...startCalling(server.url, { service }) };
}

/** A call to a server that answers with this. */
async function startAnswering(
  status: number,
  body: string | Uint8Array = '',
  headers: Readonly<Record<string, string>> = {},
) {
  const server = await startServer((_, response) => {
    response.writeHead(status, headers).end(body);
  });
  return { server, ...startCalling(server.url) };
}

const head = (status: string, ...lines: string[]) =>
  [`HTTP/1.1 ${status}`, ...lines, '', ''].join('\r\n');

const levels = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

/** Waits until the server has been asked. */
async function asked(server: { readonly requests: readonly (string | Recorded)[] }) {
  await expect.poll(() => server.requests.length).toBe(1);
}

describe('a connection that cannot be made', () => {
  it('fails with the kind connect', async () => {
    const server = createServer();
    const { url } = await listen(server);
    server.close();
    const { getOrder } = startCalling(url);
    const error = await failureOf(getOrder());
    expect(error).toMatchObject({
      kind: 'connect',
      service: 'shop',
      operation: 'getOrder',
      message: 'shop.getOrder: no connection (ECONNREFUSED)',
    });
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('fails with the kind connect if the host name is unknown', async () => {
    const { getOrder } = startCalling('http://nowhere.invalid');
    expect(await failureOf(getOrder())).toMatchObject({
      kind: 'connect',
      message: expect.stringMatching(/no connection \((ENOTFOUND|EAI_AGAIN)\)/),
    });
  });

  it('fails with the kind connect if the other side does not speak TLS', async () => {
    const server = await startSocketServer((socket) => socket.end('hello\r\n'));
    const { getOrder } = startCalling(server.url.replace('http:', 'https:'));
    expect(await failureOf(getOrder())).toMatchObject({ kind: 'connect' });
    await server.allClosed();
  });

  it('fails with the kind connect if the other side hangs up during the handshake', async () => {
    const server = await startSocketServer((socket) => socket.destroy());
    const { getOrder } = startCalling(server.url.replace('http:', 'https:'));
    expect(await failureOf(getOrder())).toMatchObject({ kind: 'connect' });
  });
});

describe('a connection that breaks', () => {
  it.each([
    ['before it answers: closed', (socket: Socket) => socket.end(), 'before it answered'],
    [
      'before it answers: reset',
      (socket: Socket) => socket.resetAndDestroy(),
      'before it answered',
    ],
    [
      'within the headers',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'),
      'before it answered',
    ],
    [
      'after 102 Processing',
      (socket: Socket) => socket.end(head('102 Processing')),
      'before it answered',
    ],
    [
      'within the body',
      (socket: Socket) => socket.end(`${head('200 OK', 'content-length: 100')}{"id"`),
      'in the middle of its answer',
    ],
    [
      'within a chunk',
      (socket: Socket) => socket.end(`${head('200 OK', 'transfer-encoding: chunked')}ff\r\n{`),
      'in the middle of its answer',
    ],
    [
      'before the last chunk',
      (socket: Socket) => socket.end(`${head('200 OK', 'transfer-encoding: chunked')}2\r\n{}\r\n`),
      'in the middle of its answer',
    ],
  ])('fails with the kind reset %s', async (_, misbehave, when) => {
    const { server, getOrder } = await startMisbehaving(misbehave);
    const error = await failureOf(getOrder());
    expect(error.kind).toBe('reset');
    expect(error.message).toMatch(`shop.getOrder: the connection broke ${when} (`);
    await server.allClosed();
    expect(server.accepted).toBe(1);
  });

  it('fails with the kind reset if it is reset within the body', async () => {
    const { server, getOrder } = await startMisbehaving((socket) => {
      socket.write(`${head('200 OK', 'content-length: 100')}{"id"`, () => {
        setImmediate(() => socket.resetAndDestroy());
      });
    });
    expect((await failureOf(getOrder())).kind).toBe('reset');
    await server.allClosed();
  });

  it('does not affect later calls if it was idle', async () => {
    const { server, getOrder } = await startMisbehaving((socket) => {
      socket.write(`${head('200 OK', 'content-length: 1')}1`);
    });
    await getOrder();
    for (const socket of server.open) socket.end();
    await server.allClosed();
    await turn();
    expect(await getOrder()).toMatchObject({ value: 1 });
    expect(server.accepted).toBe(2);
  });
});

const silent = (): void => undefined;
const dripping = (socket: Socket): void => {
  socket.write(head('200 OK', 'transfer-encoding: chunked'));
  const drip = setInterval(() => socket.write('1\r\n1\r\n'), 5);
  socket.once('close', () => clearInterval(drip));
};
const drippingHeaders = (socket: Socket): void => {
  socket.write('HTTP/1.1 200 OK\r\n');
  const drip = setInterval(() => socket.write('x-a: b\r\n'), 5);
  socket.once('close', () => clearInterval(drip));
};

describe('a service that does not finish its answer', () => {
  const cases = [
    ['says nothing', silent],
    ['sends its body byte by byte', dripping],
    ['sends its headers line by line', drippingHeaders],
  ] as const;

  it.each(cases)('and %s runs into the timeout and loses its connection', async (_, misbehave) => {
    const { server, getOrder, clock } = await startMisbehaving(misbehave, { timeoutMs: 700 });
    const failure = failureOf(getOrder());
    await asked(server);
    await turn();
    clock.advance(700);
    expect(await failure).toMatchObject({
      kind: 'timeout',
      message: 'shop.getOrder: did not answer within 700 ms',
    });
    await server.allClosed();
    await turn();
    expect(server.accepted).toBe(1);
  });

  it.each(cases)('and %s loses its connection when the request ends', async (_, misbehave) => {
    const { server, getOrder, request, clock } = await startMisbehaving(misbehave);
    const failure = reasonOf(getOrder());
    await asked(server);
    const reason = new Error('the client is gone');
    request.abort(reason);
    expect(await failure).toBe(reason);
    await server.allClosed();
    await turn();
    expect(server.accepted).toBe(1);
    expect([clock.pending, getEventListeners(request.signal, 'abort').length]).toEqual([0, 0]);
  });

  it('is given up even if the request ends with a reason that is not an error', async () => {
    const { server, getOrder, request } = await startMisbehaving(silent);
    const failure = reasonOf(getOrder());
    await asked(server);
    request.abort('just text');
    expect(await failure).toBe('just text');
    await server.allClosed();
  });

  it('is given up even if the request ends while the connection is made', async () => {
    const { server, getOrder, request } = await startMisbehaving(silent);
    const failure = reasonOf(getOrder());
    await new Promise(process.nextTick); // it has its place, and no connection yet
    const reason = new Error('the client is gone');
    request.abort(reason);
    expect(await failure).toBe(reason);
    await server.allClosed();
    await expect.poll(() => server.accepted).toBe(1);
    await server.allClosed();
    expect(server.requests).toEqual([]);
  });

  it('does not affect other calls', async () => {
    const server = await startSocketServer((socket, text) => {
      if (text.includes('/fine')) socket.write(`${head('200 OK', 'content-length: 1')}1`);
    });
    const { service, open, request } = openShop({ url: server.url });
    const get = (route: 'GET /fine' | 'GET /hang') =>
      open()(operation(service, { route, response: z.unknown() }), {}, undefined);
    const hanging = reasonOf(get('GET /hang'));
    await asked(server);
    expect(await get('GET /fine')).toMatchObject({ value: 1 });
    request.abort(new Error('over'));
    await hanging;
    await expect.poll(() => server.open.size).toBe(1);
  });

  it('is not called if the request is over', async () => {
    const { server, getOrder, request } = await startMisbehaving(silent);
    const reason = new Error('over');
    request.abort(reason);
    expect(await reasonOf(getOrder())).toBe(reason);
    expect(server.accepted).toBe(0);
  });
});

describe('an exchange that has ended', () => {
  it.each([
    ['answered', (socket: Socket) => socket.end(`${head('200 OK')}1`)],
    ['broken', (socket: Socket) => socket.destroy()],
    ['too large', (socket: Socket) => socket.end(`${head('200 OK')}${'1'.repeat(11)}`)],
  ])('leaves no abort listener behind when it was %s', async (_, misbehave) => {
    const { getOrder, request, server } = await startMisbehaving(misbehave, {
      timeoutMs: 60_000,
      maxBodyBytes: 10,
    });
    const over = getOrder().catch(() => undefined);
    await asked(server);
    await over;
    expect(getEventListeners(request.signal, 'abort')).toEqual([]);
  });
});

describe('an answer that is not HTTP', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['zeros', '\0'.repeat(64)],
    ['a broken status line', 'HTTP/1.1 two hundred OK\r\n\r\n'],
    ['a broken header', 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n'],
    ['two lengths', head('200 OK', 'content-length: 1', 'content-length: 2')],
    ['a length that is none', head('200 OK', 'content-length: 1x')],
    ['a broken chunk', `${head('200 OK', 'transfer-encoding: chunked')}zz\r\n`],
  ])('fails with the kind invalid-body: %s', async (_, text) => {
    const { server, getOrder } = await startMisbehaving((socket) => socket.write(text));
    const error = await failureOf(getOrder());
    expect(error).toMatchObject({ kind: 'invalid-body', isNotHttp: true });
    expect(error.message).toMatch('shop.getOrder: answered something that is not HTTP: Response');
    expect(error.cause).toBeUndefined();
    await server.allClosed();
  });

  it('is never read as the answer to the next call if it follows a complete one', async () => {
    const extra = `${head('200 OK', 'content-length: 1')}1${head('200 OK', 'content-length: 1')}2`;
    const { getOrder, server } = await startMisbehaving((socket) => socket.write(extra));
    expect(await getOrder()).toMatchObject({ value: 1 });
    await server.allClosed();
    expect(await getOrder()).toMatchObject({ value: 1 });
    expect(server.accepted).toBe(2);
  });
});

describe('an answer that is too large', () => {
  it('fails with the kind too-large if its headers are', async () => {
    const lines = Array.from({ length: 200 }, (_, index) => `x-${index}: ${'a'.repeat(1_000)}`);
    const { server, getOrder } = await startMisbehaving((socket) =>
      socket.write(head('200 OK', ...lines)),
    );
    expect(await failureOf(getOrder())).toMatchObject({
      kind: 'too-large',
      message: 'shop.getOrder: answered with headers that are too large',
    });
    await server.allClosed();
  });

  it.each([
    [
      'with a length',
      (body: string) => `${head('200 OK', `content-length: ${body.length}`)}${body}`,
    ],
    [
      'in chunks without an end',
      (body: string) =>
        `${head('200 OK', 'transfer-encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n`,
    ],
    ['without a length', (body: string) => `${head('200 OK')}${body}`],
  ])(
    'fails with the kind too-large and closes the connection if its body is, %s',
    async (_, send) => {
      const { server, getOrder } = await startMisbehaving(
        (socket) => socket.write(send('1'.repeat(1_001))),
        { maxBodyBytes: 1_000 },
      );
      expect(await failureOf(getOrder())).toMatchObject({
        kind: 'too-large',
        message: 'shop.getOrder: answered with more than 1000 bytes',
      });
      await server.allClosed();
      await turn();
      expect(server.accepted).toBe(1);
    },
  );

  it('has more than maxBodyBytes, not exactly as many', async () => {
    const body = JSON.stringify('x'.repeat(998));
    const { getOrder } = await startMisbehaving(
      (socket) => socket.end(`${head('200 OK')}${body}`),
      { maxBodyBytes: 1_000 },
    );
    expect(await getOrder()).toMatchObject({ value: 'x'.repeat(998) });
  });
});

describe('the body of an answer', () => {
  it.each(['{', `<html>${secret}</html>`, `{"a":"${secret}`, 'undefined', '\0', '[1,]'])(
    'fails with the kind invalid-body and is not quoted if it is not JSON (%j)',
    async (body) => {
      const { getOrder } = await startAnswering(200, body);
      const error = await failureOf(getOrder());
      expect(error.kind).toBe('invalid-body');
      expect(error.message).toMatch('shop.getOrder: answered something that is not JSON');
      expect(`${error.stack} ${String(error.cause)}`).not.toMatch(/card|4111|html/);
    },
  );

  it.each([
    { depth: 64, maxDepth: undefined, fits: true },
    { depth: 65, maxDepth: undefined, fits: false },
    { depth: 65, maxDepth: 65, fits: true },
    { depth: 3, maxDepth: 2, fits: false },
  ])(
    'may be nested as deeply as maxDepth $maxDepth allows: $depth levels, $fits',
    async ({ depth, maxDepth, fits }) => {
      const text = '['.repeat(depth) + ']'.repeat(depth);
      const service = maxDepth === undefined ? {} : { maxDepth };
      const { url } = await startServer((_, response) => void response.end(text));
      const { getOrder } = startCalling(url, { service });
      const called = getOrder();
      const outcome = await called.then(
        () => 'fits',
        (error: Error) => error.message,
      );
      expect(outcome).toBe(
        fits
          ? 'fits'
          : `shop.getOrder: answered JSON that is nested deeper than ${maxDepth ?? 64} levels (maxDepth)`,
      );
    },
  );

  it('is not quoted in errors, not even the names of its fields', async () => {
    const strict = z.strictObject({ by: z.record(z.string(), z.number()) });
    const { getOrder } = await startAnswering(200, `{"by":{"${secret}":"x"},"${secret}":1}`);
    const error = await failureOf(getOrder(strict));
    expect(error.message).toMatch('/by/* in its body does not fit the schema');
    expect(error.message).not.toMatch(secret);
  });

  it('fails with the kind invalid-body if its schema throws', async () => {
    const { getOrder } = await startAnswering(200, '{}');
    const thrower = z.object({}).transform(() => {
      throw new TypeError('a mistake in a transform');
    });
    const error = await failureOf(getOrder(thrower));
    expect(error.kind).toBe('invalid-body');
    expect(error.message).toMatch('does not fit the schema: thrown');
    expect(error.cause).toEqual(new TypeError('a mistake in a transform'));
  });

  it('may have 64 levels of nesting, but not 65', async () => {
    const { getOrder } = await startAnswering(200, levels(64));
    expect(JSON.stringify((await getOrder()).value)).toBe(levels(64));
    const deep = await startAnswering(200, levels(65));
    expect((await failureOf(deep.getOrder())).kind).toBe('invalid-body');
  });

  it('cannot bring a prototype along', async () => {
    const { getOrder } = await startAnswering(
      200,
      '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"id":"a"}',
    );
    const { value } = await getOrder(z.looseObject({ id: z.string() }));
    expect(JSON.stringify(value)).toBe('{"id":"a"}');
    expect((value as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each([
    [{ id: 7, lines: [] }, '/id in its body'],
    [{ id: 'a', lines: [{ sku: 'b' }, { sku: secret.length }] }, '/lines/1/sku in its body'],
    [{ id: 'a', note: secret }, '/lines in its body'],
    [[secret], 'its body'],
    [secret, 'its body'],
  ])('is named by a JSON Pointer if it does not fit the schema: %j', async (body, place) => {
    const { getOrder } = await startAnswering(200, JSON.stringify(body));
    const error = await failureOf(getOrder(Order));
    expect(error).toMatchObject({ kind: 'invalid-body', service: 'shop', operation: 'getOrder' });
    expect(error.message).toMatch(
      `shop.getOrder: answered 200, but ${place} does not fit the schema: `,
    );
    expect(error.message).not.toContain('4111');
  });

  it('becomes the value that the schema makes of it', async () => {
    const { getOrder } = await startAnswering(200, '{"id":"7","extra":true}');
    const schema = z.object({ id: z.coerce.number(), on: z.boolean().default(true) });
    expect(await getOrder(schema)).toMatchObject({ value: { id: 7, on: true } });
  });

  it('may come in pieces that split characters', async () => {
    const bytes = Buffer.from('{"id":"äöü€😀"}');
    const server = await startServer((_, response) => {
      for (const byte of bytes) response.write(Buffer.of(byte));
      response.end();
    });
    const { getOrder } = startCalling(server.url);
    expect(await getOrder()).toMatchObject({ value: { id: 'äöü€😀' } });
  });

  it('may come without a length and without any header, ended by the connection', async () => {
    const { getOrder } = await startMisbehaving((socket) => socket.end(`${head('200 OK')}[1]`));
    expect(await getOrder()).toMatchObject({ value: [1] });
  });

  it('may come after informational answers', async () => {
    const { getOrder } = await startMisbehaving((socket) =>
      socket.end(
        `${head('103 Early Hints', 'link: </a>')}${head('200 OK', 'content-length: 3')}[1]`,
      ),
    );
    expect(await getOrder()).toMatchObject({ status: 200, value: [1] });
  });
});

describe('the status of an answer', () => {
  it.each([200, 201, 202, 203, 207, 299])('means success if it is %d', async (status) => {
    const { getOrder } = await startAnswering(status, '{"a":1}');
    expect(await getOrder()).toMatchObject({ status, value: { a: 1 } });
  });

  it.each([200, 201, 202, 204, 205])(
    'gives null if it is %d and there is no body',
    async (status) => {
      const { getOrder } = await startAnswering(status);
      expect(await getOrder(z.null())).toMatchObject({ status, value: null });
    },
  );

  it('fails a 204 if the schema needs a body, with advice in the message', async () => {
    const { getOrder } = await startAnswering(204);
    const error = await failureOf(getOrder(Order));
    expect(error.kind).toBe('invalid-body');
    expect(error.message).toMatch('answered 204, but its body does not fit the schema: ');
    expect(error.message).toMatch('the answer had no body; make the schema nullable');
  });

  it('counts if it is a failure, even if the body never ends', async () => {
    const { url, open, allClosed } = await startSocketServer((socket) => {
      socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\n\r\n{');
    });
    const { service, call } = openShop({ url, service: { timeoutMs: 100 } });
    const getOrder = operation(service, { route: 'GET /orders', response: z.unknown() });
    expect(await failureOf(call(getOrder, {}, undefined))).toMatchObject({
      kind: 'status',
      status: 404,
    });
    await allClosed();
    expect(open.size).toBe(0);
  });

  it('counts if it is a failure, even if the body is larger than allowed', async () => {
    const { url } = await startServer((_, response) =>
      response.writeHead(409).end('x'.repeat(5_000)),
    );
    const { service, call } = openShop({ url, service: { maxBodyBytes: 100 } });
    const getOrder = operation(service, { route: 'GET /orders', response: z.unknown() });
    expect(await failureOf(call(getOrder, {}, undefined))).toMatchObject({
      kind: 'status',
      status: 409,
    });
  });

  it.each([300, 304, 400, 401, 403, 404, 409, 410, 418, 422, 429, 500, 502, 503, 504, 599])(
    'fails the call if it is %d, without quoting the body',
    async (status) => {
      const { getOrder } = await startAnswering(status, JSON.stringify({ secret }));
      const error = await failureOf(getOrder());
      expect(error).toMatchObject({
        kind: 'status',
        status,
        message: `shop.getOrder: answered ${status}`,
        retryAfterSeconds: undefined,
      });
      expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('4111');
    },
  );

  it.each([301, 302, 303, 307, 308])('is not followed if it is %d', async (status) => {
    const elsewhere = await startServer();
    const { getOrder, server } = await startAnswering(status, '', { location: elsewhere.url });
    expect(await failureOf(getOrder())).toMatchObject({ kind: 'status', status });
    expect([server.requests.length, elsewhere.requests.length]).toEqual([1, 0]);
  });

  it('fails the call if it is an unexpected 101', async () => {
    const { server, getOrder } = await startMisbehaving((socket) =>
      socket.write(head('101 Switching Protocols', 'connection: upgrade', 'upgrade: websocket')),
    );
    expect((await failureOf(getOrder())).kind).toBe('invalid-body');
    await server.allClosed();
  });

  it.each([
    ['7', 7],
    ['0', 0],
    ['120', 120],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
    ['Wed, 21 Oct 2015 07:28:00 CET', undefined],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['9'.repeat(400), 999_999_999],
  ])('gives the number in Retry-After with a 503: %j', async (header, seconds) => {
    const { getOrder } = await startAnswering(503, '', { 'retry-after': header });
    expect((await failureOf(getOrder())).retryAfterSeconds).toBe(seconds);
  });
});
