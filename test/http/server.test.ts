import { once } from 'node:events';
import { Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { startGateway } from '../support/gateway.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import { call } from '../../src/dsl/steps.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { startServer } from '../../src/http/server.ts';
import { part, serve, value } from '../support/serve.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { open, raw, readAnswer } from '../support/raw-http.ts';

const interfaces = Object.values(networkInterfaces()).flat();
/** Containers often have none. */
const hasIpv6 = interfaces.some((one) => one?.address === '::1');

const askPart = () => serve(() => ({ a: call(part, { name: 'a' }) }));
const echo = defineComposition({
  route: 'POST /echo',
  body: z.string(),
  compose: ({ body }) => ({ echo: body }),
});
const request = 'GET /test HTTP/1.1\r\nhost: gateway\r\n\r\n';

describe('closing', () => {
  it('finishes the request in flight, then ends its connection', async () => {
    const app = await askPart();
    const socket = await open(app.url);
    socket.write(request);
    const inFlight = await app.upstream.next('GET /parts/a');
    const closed = app.close(60_000);
    inFlight.answer(value('A'));
    const { status, headers, body } = await readAnswer(socket);
    expect({ status, body: JSON.parse(body) }).toEqual({ status: 200, body: { a: value('A') } });
    expect(headers['connection']).toBe('close');
    await closed;
  });

  it('refuses new connections while a request is in flight', async () => {
    const app = await askPart();
    const answer = app.ask();
    const inFlight = await app.upstream.next('GET /parts/a');
    const closed = app.close(60_000);
    // Those that arrive before the very moment of the close are still accepted.
    await vi.waitFor(async () => {
      await expect(open(app.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    });
    inFlight.answer(value('A'));
    expect((await answer).status).toBe(200);
    await closed;
  });

  it('ends connections that idle at once', async () => {
    const app = await askPart();
    const idle = await open(app.url);
    idle.write('GET /livez HTTP/1.1\r\nhost: gateway\r\n\r\n');
    await once(idle, 'data');
    const ended = once(idle, 'close');
    await app.close(60_000);
    expect(await ended).toEqual([false]);
  });

  it('writes an answer to its end for a client that reads slowly', async () => {
    const size = 8_000_000;
    const { url, close } = await startServer({
      app: { fetch: () => new Response('x'.repeat(size)) },
      host: '127.0.0.1',
      port: 0,
      setBy: 'PORT',
      onInternalError: () => undefined,
    });
    const socket = await open(url);
    socket.write('GET / HTTP/1.1\r\nhost: gateway\r\n\r\n');
    await once(socket, 'readable');
    const closed = close(60_000);
    let received = 0;
    for await (const chunk of socket) received += (chunk as Buffer).length;
    expect(received).toBeGreaterThan(size);
    await closed;
  });

  it('breaks connections whose requests have not finished within the grace period', async () => {
    const app = await askPart();
    const answer = app.ask().catch((error: Error) => error.name);
    const hanging = await app.upstream.next('GET /parts/a');
    await app.close(20);
    expect(await answer).toBe('TypeError');
    await hanging.abandoned;
  });

  it('may be called twice', async () => {
    const app = await askPart();
    await Promise.all([app.close(), app.close()]);
    await expect(open(app.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('the server', () => {
  it('names the address when the port is taken', async () => {
    const { url } = await askPart();
    const { port } = new URL(url);
    const starting = startGateway({
      plans: [],
      host: '127.0.0.1',
      port: Number(port),
      addresses: new Map(),
      onInternalError: () => undefined,
    });
    await expect(starting).rejects.toThrow(ConfigurationError);
    await expect(starting).rejects.toThrow(`127.0.0.1:${port}`);
  });

  it.skipIf(!hasIpv6)('writes an IPv6 address as one', async () => {
    const server = await startServer({
      app: { fetch: () => new Response('ok') },
      host: '::1',
      port: 0,
      setBy: 'PORT',
      onInternalError: () => undefined,
    });
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect(await (await fetch(server.url)).text()).toBe('ok');
    await server.close(0);
  });

  it('starts with less time for a whole request than for its head', async () => {
    const server = await startServer({
      app: { fetch: async () => new Response(null) },
      host: '127.0.0.1',
      port: 0,
      setBy: 'PORT',
      onInternalError: () => undefined,
      limits: { headersTimeoutMs: 10_000, requestTimeoutMs: 1_000 },
    });
    expect(server.url).toMatch(/^http:/);
    await server.close(0);
  });

  it('goes on serving when the system cannot accept connections, which is reported', async () => {
    const listened = vi.spyOn(Server.prototype, 'listen');
    onTestFinished(() => listened.mockRestore());
    const told: unknown[] = [];
    const server = await startServer({
      app: { fetch: async () => new Response('{}') },
      host: '127.0.0.1',
      port: 0,
      setBy: 'PORT',
      onInternalError: (error) => told.push(error),
    });
    onTestFinished(() => server.close(0));
    const failures = [new Error('accept ENOMEM'), new Error('accept ENOBUFS')];
    const [opened] = listened.mock.contexts;
    for (const failure of failures) (opened as Server).emit('error', failure); // the server that listens
    expect(told).toEqual(failures);
    expect((await fetch(server.url)).status).toBe(200);
  });

  it('refuses headers of more than 16 KiB', async () => {
    const { url } = await askPart();
    const text = `GET /livez HTTP/1.1\r\nhost: gateway\r\nx: ${'x'.repeat(17 * 1024)}\r\n\r\n`;
    expect((await raw(url, text)).status).toBe(431);
  });

  it('keeps connections for the next request', async () => {
    const { url } = await askPart();
    const socket = await open(url);
    const ask = 'GET /livez HTTP/1.1\r\nhost: gateway\r\n\r\n';
    socket.write(ask);
    await once(socket, 'data');
    socket.write(ask.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
    expect((await readAnswer(socket)).status).toBe(200);
  });
});

/** A stream whose chunks a test writes, and a server that answers everything with it. */
async function serveStream() {
  const cancelled = Promise.withResolvers<true>();
  let source: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => void (source = controller),
    cancel: () => cancelled.resolve(true),
  });
  const server = await startServer({
    app: { fetch: () => new Response(stream) },
    host: '127.0.0.1',
    port: 0,
    setBy: 'PORT',
    onInternalError: () => undefined,
  });
  onTestFinished(() => server.close(0));
  const socket = await open(server.url);
  socket.write('GET / HTTP/1.1\r\nhost: gateway\r\n\r\n');
  return {
    ...server,
    socket,
    write: (text: string) => source?.enqueue(new TextEncoder().encode(text)),
    end: () => source?.close(),
    fail: (error: Error) => source?.error(error),
    cancelled: cancelled.promise,
  };
}

describe('a streamed response', () => {
  it('is written chunk by chunk as it arrives', async () => {
    const { socket, write, end } = await serveStream();
    write('first');
    let received = '';
    for await (const chunk of socket.setEncoding('latin1')) {
      received += chunk;
      if (received.endsWith('first\r\n')) write('second');
      if (received.endsWith('second\r\n')) end();
      if (received.endsWith('0\r\n\r\n')) break;
    }
    expect(received).toMatch(/transfer-encoding: chunked/i);
    expect(received).toContain('\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n');
  });

  it('is cancelled when the client disconnects', async () => {
    const { socket, write, cancelled } = await serveStream();
    write('first');
    await once(socket, 'data');
    socket.destroy();
    expect(await cancelled).toBe(true);
  });

  it('is finished by a stop, which then ends its connection', async () => {
    const { socket, write, end, close } = await serveStream();
    write('first');
    await once(socket, 'readable');
    const closed = close(60_000);
    write('second');
    end();
    const { body } = await readAnswer(socket);
    expect(body).toBe('5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n');
    await closed;
  });

  it('is broken off at the end of the grace period of a stop', async () => {
    const { socket, write, close, cancelled } = await serveStream();
    write('first');
    await once(socket, 'data');
    await close(20);
    expect(await cancelled).toBe(true);
  });

  it('breaks its connection when it fails, so that nobody takes it for complete', async () => {
    const { socket, write, fail } = await serveStream();
    write('first');
    await once(socket, 'readable');
    // The adapter prints the error.
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    fail(new Error('the source is gone'));
    expect((await readAnswer(socket)).body).not.toContain('0\r\n\r\n');
    expect(printed).toHaveBeenCalledOnce();
    printed.mockClear();
  });
});

/** A request of one line for one host, as they are written. */
function askRaw(url: string, line: string, host: string) {
  return raw(url, `${line} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
}

describe('a request', () => {
  it.each(['gateway', 'Gateway.example:8080', '127.0.0.1', '[::1]:80'])(
    'may be for %s',
    async (host) => {
      const { url } = await askPart();
      expect((await askRaw(url, 'GET /livez', host)).status).toBe(200);
    },
  );

  it.each(['', 'a b', 'gateway/x', 'user@gateway', 'gateway:port', 'a,b'])(
    'is a 400 problem when it is for %j',
    async (host) => {
      const { url } = await askPart();
      const { status, headers } = await askRaw(url, 'GET /livez', host);
      expect([status, headers['content-type']]).toEqual([400, 'application/problem+json']);
    },
  );

  it('has one Host, and needs none in HTTP/1.0', async () => {
    const { url } = await askPart();
    const ends = 'connection: close\r\n\r\n';
    const [twice, none] = await Promise.all([
      raw(url, `GET /livez HTTP/1.1\r\nhost: gateway\r\nHost: other\r\n${ends}`),
      raw(url, `GET /livez HTTP/1.0\r\n${ends}`),
    ]);
    expect([twice.status, none.status]).toEqual([400, 200]);
  });

  it.each(['http://elsewhere/livez', '/x/../livez', '/./livez', '/x/%2e%2E/livez'])(
    'for %s is one for the path that is meant',
    async (target) => {
      const { url } = await askPart();
      expect((await askRaw(url, `GET ${target}`, 'gateway')).status).toBe(200);
    },
  );

  it.each([
    ['GET *', 'gateway', 400, '/'],
    ['GET http://', 'gateway', 400, '/'],
    ['GET /a\\..\\b?secret=1', 'gateway', 400, '/a%5C..%5Cb'],
    ['GET /test', 'a b', 400, '/test'],
    ['GET /te%20st', '999.999.999.999', 404, '/te%20st'],
    ['GET /test', 'gateway:99999', 404, '/test'],
  ])(
    '%s for the host %j gets its problem, its log line and its id',
    async (line, host, status, instance) => {
      const lines: string[] = [];
      const log = createLog({ level: 'info', format: 'json', write: (text) => lines.push(text) });
      const { url } = await startWithMocks({
        compositions: {},
        accessLog: { log, headers: [], withCauses: false },
      });
      const { headers, body } = await askRaw(url, line, host);
      const requestId = headers['x-request-id'];
      expect(JSON.parse(body)).toMatchObject({ status, instance, requestId });
      expect(lines.map((text) => JSON.parse(text))).toMatchObject([
        { message: `GET (no route) ${status}`, request_id: requestId },
      ]);
    },
  );

  it.each(['gateway', '127.0.0.1:8080', '999.999.999.999', '0x7f.1', 'xn--a', 'gateway:99999'])(
    'for the host %s has its body read',
    async (host) => {
      const { url } = await startWithMocks({ compositions: { echo } });
      const head = `POST /echo HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json`;
      const body =
        '\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\n"a"\r\n0\r\n\r\n';
      expect((await raw(url, head + body)).body).toBe('{"echo":"a"}');
    },
  );

  it('has its connection broken if its answer cannot be written, which is reported', async () => {
    const told: unknown[] = [];
    const server = await startServer({
      app: { fetch: () => new Response('', { headers: { 'x-bad': 'a\nb' } }) },
      host: '127.0.0.1',
      port: 0,
      setBy: 'PORT',
      onInternalError: (error) => told.push(error),
    });
    const socket = await open(server.url);
    socket.write('GET / HTTP/1.1\r\nhost: gateway\r\n\r\n');
    await once(socket, 'close');
    await server.close(0);
    expect(told).toMatchObject([{ code: 'ERR_INVALID_CHAR' }]);
  });

  it('is answered with a 500 that reveals nothing if code around the handlers throws', async () => {
    const told: unknown[] = [];
    const server = await startServer({
      app: { fetch: () => Promise.reject(new TypeError('canary-4711')) },
      host: '127.0.0.1',
      port: 0,
      setBy: 'PORT',
      onInternalError: (error) => told.push(error),
    });
    const { status, body } = await askRaw(server.url, 'GET /', 'gateway');
    await server.close(0);
    expect(status).toBe(500);
    expect(body).not.toContain('canary-4711');
    expect(told).toEqual([new TypeError('canary-4711')]);
  });
});
