import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { call, map } from '../../src/dsl/steps.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { part, quiet } from '../support/serve.ts';
import { startUpstream } from '../support/upstream.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { Answer } from '../support/request.ts';
import { open, raw, readAnswer } from '../support/raw-http.ts';

const mebibyte = 1024 * 1024;

const echo = defineComposition({
  route: 'POST /echo',
  body: z.unknown(),
  compose: ({ body }) => ({ echo: body }),
});
const size = defineComposition({
  route: 'POST /size',
  body: z.string(),
  compose: ({ body }) => ({ size: map(body, (text) => text.length) }),
});

const startEcho = () => startWithMocks({ compositions: { echo, size } });

async function post(
  body: NonNullable<RequestInit['body']>,
  type = 'application/json',
  path = '/echo',
): Promise<Answer> {
  const app = await startEcho();
  return app.get(path, {
    method: 'POST',
    body,
    headers: { 'content-type': type },
    duplex: 'half',
  } as RequestInit);
}

describe('a body', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=utf8',
    'application/json; charset="UTF8"',
    'application/json; charset = "utf-8" ;',
    'application/json; charset="utf\\-8"',
    'application/json; v="a; charset=latin1"; CHARSET=UTF-8',
    'application/json; charset=',
    'application/json ;x=1',
    'Application/JSON',
    'application/merge-patch+json',
  ])('is read when it is %s', async (type) => {
    expect((await post('{"a":[1,null,"ü"]}', type)).json).toEqual({ echo: { a: [1, null, 'ü'] } });
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'text/json',
    'x application/json',
    'application/json, text/plain',
    'application/json; charset=iso-8859-1',
    'application/json; charset="UTF-16"',
    'application/json; charset=utf-8859',
    "application/json; charset='utf-8'",
    'application/json; charset=latin1; charset=utf-8',
    '',
  ])('is a 415 when it is %j', async (type) => {
    const { status, json } = await post('{}', type);
    expect([status, json.type]).toEqual([415, 'urn:plait:problem:unsupported-media-type']);
  });

  it.each(['gzip', 'br', 'identity, gzip', 'utf-8'])(
    'is a 415 when its content encoding is %s',
    async (coding) => {
      const app = await startEcho();
      const headers = { 'content-type': 'application/json', 'content-encoding': coding };
      const { status, json } = await app.get('/echo', { method: 'POST', body: '{}', headers });
      expect([status, json.detail]).toEqual([415, 'The body must not be compressed.']);
    },
  );

  it.each(['', 'identity', 'None', 'identity, none'])(
    'is read when its content encoding is "%s"',
    async (coding) => {
      const app = await startEcho();
      const headers = { 'content-type': 'application/json', 'content-encoding': coding };
      const answer = await app.get('/echo', { method: 'POST', body: '{}', headers });
      expect(answer).toMatchObject({ status: 200, json: { echo: {} } });
    },
  );

  it.each(['', '{', '{"a":1}x', "{'a':1}", 'undefined', '[1,]', '\u0000'])(
    'is a 400 when it is no JSON: %j',
    async (text) => {
      const { status, json } = await post(text);
      expect(status).toBe(400);
      expect(json.errors).toEqual([{ in: 'body', pointer: '', detail: expect.any(String) }]);
    },
  );

  it('may be nested 64 deep, and no deeper', async () => {
    expect((await post('['.repeat(64) + ']'.repeat(64))).status).toBe(200);
    expect((await post('['.repeat(65) + ']'.repeat(65))).status).toBe(400);
    expect((await post('['.repeat(500_000))).status).toBe(400);
  });

  it('cannot reach the prototype of anything', async () => {
    const { json } = await post('{"a":1,"__proto__":{"b":2},"constructor":{"prototype":{"c":3}}}');
    expect(json).toEqual({ echo: { a: 1 } });
  });

  it('may have exactly 1 MiB', async () => {
    const { json } = await post(JSON.stringify('x'.repeat(mebibyte - 2)), undefined, '/size');
    expect(json).toEqual({ size: mebibyte - 2 });
  });

  it('keeps characters whole whose bytes arrive in pieces', async () => {
    const bytes = new TextEncoder().encode('"ü€😀"');
    const pieces = ReadableStream.from(Array.from(bytes, (byte) => Uint8Array.of(byte)));
    expect((await post(pieces)).json).toEqual({ echo: 'ü€😀' });
  });

  it.each([
    ['says so', JSON.stringify('x'.repeat(mebibyte))],
    [
      'does not say so',
      ReadableStream.from(Array.from({ length: 20 }, () => new Uint8Array(64 * 1024).fill(0x20))),
    ],
  ])('is a 413 when it is larger and %s', async (_, body) => {
    const { status, json } = await post(body);
    expect([status, json.type]).toEqual([413, 'urn:plait:problem:body-too-large']);
  });

  it('is refused by its announced size before it is sent', async () => {
    const { url } = await startEcho();
    const socket = await open(url);
    socket.write(
      `POST /echo HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ncontent-length: ${10 * mebibyte}\r\nconnection: close\r\n\r\n{`,
    );
    socket.once('data', () => socket.end());
    expect((await readAnswer(socket)).status).toBe(413);
  });

  it('ends its connection when it is refused, so that the rest of it is no request', async () => {
    const { url } = await startEcho();
    const socket = await open(url);
    const body = ' '.repeat(2 * mebibyte);
    const head = `POST /echo HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
    socket.write(`${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    socket.write('GET /livez HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n');
    const only = await readAnswer(socket);
    expect([only.status, only.headers['connection']]).toEqual([413, 'close']);
    expect(only.body).not.toContain('HTTP/1.1');
  });

  it('ends its request when it breaks off, and is not reported as an error', async () => {
    const app = await startEcho();
    const socket = await open(app.url);
    socket.write(
      'POST /echo HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a":',
    );
    await app.get('/livez');
    socket.destroy();
    await once(socket, 'close');
    await quiet(app);
    expect(app.internalErrors).toEqual([]);
  });

  it('takes time that counts against the deadline of its request', async () => {
    const upstream = await startUpstream();
    const clock = createFakeClock();
    const app = await startWithMocks({
      compositions: {
        test: defineComposition({
          route: 'POST /test',
          deadlineMs: 200,
          body: z.object({ name: z.string() }),
          compose: ({ body }) => ({ a: call(part, { name: body.name }) }),
        }),
      },
      environment: { UPSTREAM_URL: upstream.url },
      clock,
    });
    const socket = await open(app.url);
    socket.write(
      'POST /test HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ncontent-length: 12\r\nconnection: close\r\n\r\n{"name"',
    );
    await quiet(app);
    clock.advance(150);
    socket.write(':"a"}');
    const { headers, answer } = await upstream.next('GET /parts/a');
    expect(headers['x-request-timeout-ms']).toBe('50');
    answer({ value: 'A' });
    expect((await readAnswer(socket)).status).toBe(200);
  });

  it.each([
    ['of a declared length', 'content-length: 12\r\n\r\n{"name"'],
    ['in chunks', 'transfer-encoding: chunked\r\n\r\n7\r\n{"name"\r\n'],
    ['that never begins', 'content-length: 12\r\n\r\n'],
  ])('%s that is not there in time is a 408 and ends the connection', async (_, rest) => {
    const clock = createFakeClock();
    const app = await startWithMocks({ compositions: { echo }, clock });
    const socket = await open(app.url);
    socket.write(`POST /echo HTTP/1.1\r\nhost: g\r\ncontent-type: application/json\r\n${rest}`);
    await quiet(app);
    clock.advance(10_000);
    const { status, headers, body } = await readAnswer(socket);
    expect({ status, connection: headers['connection'] }).toEqual({
      status: 408,
      connection: 'close',
    });
    expect(JSON.parse(body)).toMatchObject({
      type: 'urn:plait:problem:request-timeout',
      detail: 'The body did not arrive in time.',
    });
    expect(JSON.parse(body)).not.toHaveProperty('headers');
    expect(app.internalErrors).toEqual([]);
  });

  it('is refused with GET, whose body means nothing', async () => {
    const { url } = await startWithMocks({
      compositions: {
        get: defineComposition({ route: 'GET /plain', compose: () => ({ plain: true }) }),
      },
    });
    const text =
      'GET /plain HTTP/1.1\r\nhost: gateway\r\ncontent-length: 3\r\nconnection: close\r\n\r\n{{{';
    expect((await raw(url, text)).status).toBe(400);
  });
});
