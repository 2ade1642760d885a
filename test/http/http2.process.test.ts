import { streamSSE } from 'hono/streaming';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { defineGateway } from '../../src/dsl/gateway.ts';
import { call } from '../../src/dsl/steps.ts';
import { startServer } from '../../src/http/server.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { WithMocksOptions } from '../support/gateway-with-mocks.ts';
import {
  codeOf,
  encode,
  frame,
  get,
  headers,
  number,
  openHttp2,
  request,
  reset,
  setting,
  windowOfConnection,
} from '../support/raw-http2.ts';
import { part, value } from '../support/serve.ts';
import { ask, connectHttp2, createCertificate } from '../support/tls.ts';
import { startUpstream } from '../support/upstream.ts';

/** Nothing is shared: every request is seen. */
const alone = { ...part, coalesce: false } as const;
const parts = defineComposition({
  route: 'GET /parts/:name',
  params: z.object({ name: z.string() }),
  compose: ({ params }) => ({ part: call(alone, { name: params.name }) }),
});
/** Its body is read, or, at `/ignored`, is not. */
const echo = defineComposition({
  route: 'POST /echo',
  body: z.string(),
  compose: ({ body }) => ({ echo: body }),
});
const ignored = defineComposition({
  route: 'POST /ignored',
  compose: () => ({ part: call(alone, { name: 'ignored' }) }),
});

/** Its clients have little time. */
const hasty = defineComposition({
  route: 'POST /hasty',
  deadlineMs: 200,
  body: z.string(),
  compose: ({ body }) => ({ body }),
});

async function serve(options: Partial<WithMocksOptions> = {}) {
  const upstream = await startUpstream();
  const { certificate, ca } = createCertificate();
  const gateway = await startWithMocks({
    compositions: { parts, echo, ignored, hasty },
    environment: { UPSTREAM_URL: upstream.url },
    certificate,
    ...options,
  });
  return { ...gateway, upstream, connect: () => connectHttp2(gateway.url, { ca }) };
}

/** Stream ids of clients are odd. */
const ids = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => 2 * (from + index) + 1);

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

interface Flood {
  readonly first?: Buffer;
  readonly next: (index: number) => Buffer;
}

const rapidReset: Flood = {
  next: (index) => Buffer.concat([headers(2 * index + 1, get('/parts/a')), reset(2 * index + 1)]),
};
const anotherReset: Flood = { first: headers(1, get('/parts/a')), next: () => reset(1) };
const continuation: Flood = {
  first: frame('HEADERS', 1, encode(get('/parts/a')), 1),
  next: () => frame('CONTINUATION', 1),
};
const emptyData: Flood = {
  first: headers(1, request('POST', '/hasty', ['content-type', 'application/json']), true),
  next: () => frame('DATA', 1),
};
const ping: Flood = { next: () => frame('PING', 0, Buffer.alloc(8)) };
const settings: Flood = { next: () => frame('SETTINGS', 0) };

describe('requests over HTTP/2', () => {
  it('are answered side by side over one connection, each when it is ready', async () => {
    const { connect, upstream } = await serve();
    const session = connect();
    const slow = ask(session, '/parts/slow');
    const arrival = await upstream.next('GET /parts/slow');
    const fast = ask(session, '/parts/fast');
    await upstream.answer('GET /parts/fast', value('fast'));
    expect(await fast).toMatchObject({ status: 200, body: '{"part":{"value":"fast"}}' });
    arrival.answer(value('slow'));
    expect((await slow).body).toBe('{"part":{"value":"slow"}}');
  });

  it('may have a body, may be HEAD, OPTIONS or for nothing, and are answered as over HTTP/1.1', async () => {
    const { connect, upstream } = await serve();
    upstream.answerAll(() => value('a'));
    const session = connect();
    const json = { 'content-type': 'application/json' };
    const answers = await Promise.all([
      ask(session, '/echo', { ':method': 'POST', body: '"hello"', ...json }),
      ask(session, '/parts/a', { ':method': 'HEAD' }),
      ask(session, '/parts/a', { ':method': 'OPTIONS' }),
      ask(session, '/nothing'),
      ask(session, '/echo', { ':method': 'POST', body: '{', ...json }),
      ask(session, '/echo', { ':method': 'POST', body: `"${'x'.repeat(1_100_000)}"`, ...json }),
    ]);
    expect(answers.map(({ status, body }) => [status, body.slice(0, 24)])).toEqual([
      [200, '{"echo":"hello"}'],
      [200, ''],
      [204, ''],
      [404, '{"type":"urn:plait:probl'],
      [400, '{"type":"urn:plait:probl'],
      [413, '{"type":"urn:plait:probl'],
    ]);
    expect(answers[1]?.headers['content-length']).toBe('22');
    expect(answers[3]?.headers['content-type']).toBe('application/problem+json');
  });

  it('have https as their scheme, whatever they say, and :authority as their Host', async () => {
    const urls: string[] = [];
    const { url } = await serve({
      middleware: [
        (c, next) => {
          urls.push(`${c.req.url} ${c.req.header('host')}`);
          return next();
        },
      ],
    });
    const client = await openHttp2(url);
    client.write(
      headers(1, [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':authority', 'shop.example:8443'],
        [':path', '/parts'],
      ]),
    );
    await client.body(1);
    expect(urls).toEqual(['https://shop.example:8443/parts shop.example:8443']);
  });

  it('get the headers of the edge, and none that are of a connection', async () => {
    const { connect } = await serve({
      edge: {
        isSecure: true,
        definition: defineGateway({}),
      },
    });
    const { headers: found } = await ask(connect(), '/nothing');
    expect(found['strict-transport-security']).toBe('max-age=31536000');
    expect(found['x-content-type-options']).toBe('nosniff');
    expect(Object.keys(found)).not.toContain('connection');
  });

  it('take what middleware streams, whatever it says of the connection', async () => {
    const { connect } = await serve({
      middleware: [
        (c) =>
          Promise.resolve(
            streamSSE(c, async (stream) => {
              await stream.writeSSE({ data: 'first' });
              await pause(20);
              await stream.writeSSE({ data: 'second' });
            }),
          ),
      ],
    });
    const { status, body } = await ask(connect(), '/events');
    expect([status, body]).toEqual([200, 'data: first\n\ndata: second\n\n']);
  });

  it('are logged as others are', async () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'json', write: (text) => lines.push(text) });
    const { connect } = await serve({ accessLog: { log, headers: [], withCauses: false } });
    const { headers: found } = await ask(connect(), '/nothing');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'GET (no route) 404', request_id: found['x-request-id'] },
    ]);
  });

  it('end the calls made for them when they are reset, and only those', async () => {
    const { connect, upstream } = await serve();
    const session = connect();
    const stays = ask(session, '/parts/stays');
    const arrival = await upstream.next('GET /parts/stays');
    const stream = session.request({ ':path': '/parts/leaves' });
    stream.on('error', () => undefined);
    const { abandoned } = await upstream.next('GET /parts/leaves');
    stream.close(8);
    await abandoned;
    arrival.answer(value('stays'));
    expect((await stays).status).toBe(200);
  });

  it('end all their calls when their connection breaks', async () => {
    const { connect, upstream } = await serve();
    const session = connect();
    void Promise.allSettled(['a', 'b', 'c'].map((name) => ask(session, `/parts/${name}`)));
    const arrivals = await Promise.all(
      ['a', 'b', 'c'].map((name) => upstream.next(`GET /parts/${name}`)),
    );
    session.destroy();
    await Promise.all(arrivals.map(({ abandoned }) => abandoned));
    expect(upstream.waiting()).toBe(0);
  });

  it('are answered in full although nobody reads their body', async () => {
    const { connect, upstream } = await serve();
    const session = connect();
    const text = 'x'.repeat(3_000_000);
    const sent = { ':method': 'POST', body: 'y'.repeat(200_000) };
    upstream.answerAll(() => value(text));
    const answers = await Promise.all([
      ask(session, '/ignored', sent),
      ask(session, '/ignored', { ':method': 'POST' }),
      ask(session, '/ignored', { ':method': 'POST', body: 'y' }),
    ]);
    expect(answers.map(({ status, body }) => [status, body.length])).toEqual([
      [200, text.length + 21],
      [200, text.length + 21],
      [200, text.length + 21],
    ]);
    expect((await ask(session, '/livez')).status).toBe(200);
  });
});

describe('streams of a connection', () => {
  it.each([
    // Until the client has acknowledged the limit, it cannot know it.
    [false, 'RST_STREAM', 'REFUSED_STREAM'],
    [true, 'GOAWAY', 'PROTOCOL_ERROR'],
  ])(
    'are at most 100: another is refused (limit acknowledged: %s, %s)',
    async (acknowledges, type, code) => {
      const { url, upstream } = await serve();
      const client = await openHttp2(url, acknowledges);
      client.write(...ids(100).map((id) => headers(id, get('/parts/a'))));
      await vi.waitUntil(() => upstream.waiting() === 100);
      client.write(headers(201, get('/parts/b')));
      const end = await client.next(type, type === 'GOAWAY' ? 0 : 201);
      expect(codeOf(end)).toBe(code);
      expect(upstream.asked()).not.toContain('GET /parts/b');
    },
  );

  it('are refused with the rest of their requests beyond what an address may have', async () => {
    const { url, upstream } = await serve({ edge: { requestsPerAddress: 2 } });
    const client = await openHttp2(url);
    client.write(...[1, 3, 5].map((id) => headers(id, get(`/parts/${id}`))));
    expect(await client.body(5)).toContain('Too many requests are in progress.');
    const { abandoned } = await upstream.next('GET /parts/1');
    client.write(reset(1));
    await abandoned;
    client.write(headers(7, get('/parts/7')));
    await upstream.answer('GET /parts/7', value('7'));
    expect(await client.body(7)).toContain('"7"');
  });

  it('count as in progress in all until they are read, or given up', async () => {
    const { url, upstream, connect } = await serve({
      edge: { requests: 1 },
      sockets: { writeTimeoutMs: 400 },
    });
    upstream.answerAll(() => value('a'));
    const client = await openHttp2(url);
    // No answer may be written.
    client.write(setting(4, 0), headers(1, get('/parts/a')));
    await client.next('HEADERS', 1);
    const session = connect();
    expect((await ask(session, '/parts/b')).status).toBe(503);
    expect(codeOf(await client.next('RST_STREAM', 1))).toBe('CANCEL');
    expect((await ask(session, '/parts/b')).status).toBe(200);
  });

  it('are given up when their client reads nothing of an answer, and no others', async () => {
    const { url, upstream } = await serve({ sockets: { writeTimeoutMs: 300 } });
    const large = 'x'.repeat(1_000_000);
    upstream.answerAll((asked) => value(asked.endsWith('large') ? large : 'small'));
    const client = await openHttp2(url);
    client.write(headers(1, get('/parts/large')));
    let id = 3;
    for (const until = Date.now() + 250; Date.now() < until; id += 2) {
      client.write(headers(id, get('/parts/small')), windowOfConnection(100_000));
      await client.body(id);
    }
    expect(codeOf(await client.next('RST_STREAM', 1))).toBe('CANCEL');
    client.write(headers(id, get('/parts/small')));
    expect(await client.body(id)).toContain('small');
    const resets = client.frames.filter(({ type }) => type === 'RST_STREAM');
    expect(resets.map(({ stream }) => stream)).toEqual([1]);
  });

  it('go on while their client reads slowly', async () => {
    const { url, upstream } = await serve({ sockets: { writeTimeoutMs: 600 } });
    upstream.answerAll(() => value('x'.repeat(400_000)));
    const client = await openHttp2(url);
    client.write(headers(1, get('/parts/large')), windowOfConnection(1_000_000));
    const whole = client.body(1);
    for (let round = 0; round < 14; round += 1) {
      await pause(50);
      client.write(frame('WINDOW_UPDATE', 1, number(32 * 1024)));
    }
    expect((await whole).length).toBe(400_021);
  });

  it('go on while a service takes its time, longer than a write may take', async () => {
    const sockets = { writeTimeoutMs: 100, keepAliveTimeoutMs: 100 };
    const { connect, upstream } = await serve({ sockets });
    const session = connect();
    const answer = ask(session, '/parts/a');
    const arrival = await upstream.next('GET /parts/a');
    await pause(400);
    arrival.answer(value('a'));
    expect((await answer).status).toBe(200);
  });

  it('whose body does not arrive end with 408 at the deadline', async () => {
    const { url } = await serve({ compositions: { hasty } });
    const client = await openHttp2(url);
    client.write(headers(1, request('POST', '/hasty', ['content-type', 'application/json']), true));
    expect(await client.body(1)).toContain('"status":408');
    // The rest of the body is not wanted any more.
    expect(codeOf(await client.next('RST_STREAM', 1))).toBe('NO_ERROR');
  });
});

describe('an answer over HTTP/2 that cannot be written', () => {
  it('is a reset of its stream, which is reported', async () => {
    const { certificate, ca } = createCertificate();
    const told: unknown[] = [];
    const server = await startServer({
      app: {
        fetch: ({ url }) =>
          new Response('', { headers: url.endsWith('/bad') ? { 'x-bad': 'a\nb' } : {} }),
      },
      host: '127.0.0.1',
      port: 0,
      setBy: 'PORT',
      onInternalError: (error) => told.push(error),
      certificate,
    });
    onTestFinished(() => server.close(0));
    const session = connectHttp2(server.url, { ca });
    await expect(ask(session, '/bad')).rejects.toThrow('NGHTTP2_INTERNAL_ERROR');
    expect(told).toMatchObject([{ code: 'ERR_INVALID_CHAR' }]);
    expect((await ask(session, '/good')).status).toBe(200);
  });
});

/** All error codes of RFC 9113, and one that it does not know. */
const codes = Array.from({ length: 15 }, (_, code) => code);

describe('streams that are reset', () => {
  it.each(codes)('with the code %i end quietly, in every state', async (code) => {
    const { url, upstream, internalErrors } = await serve();
    const client = await openHttp2(url);
    const json = ['content-type', 'application/json'] as const;
    // None of its answers may be written.
    client.write(setting(4, 0));
    // While a service is asked.
    client.write(headers(1, get('/parts/asked')));
    const { abandoned } = await upstream.next('GET /parts/asked');
    client.write(reset(1, code));
    await abandoned;
    // While a body is read.
    client.write(headers(3, request('POST', '/echo', json), true));
    await pause(20);
    client.write(reset(3, code));
    // While an answer is written.
    client.write(headers(5, get('/parts/written')));
    await upstream.answer('GET /parts/written', value('x'.repeat(200_000)));
    await client.next('HEADERS', 5);
    client.write(reset(5, code));
    client.write(setting(4, 65_535), headers(7, get('/livez')));
    expect(await client.body(7)).toContain('ok');
    expect(internalErrors).toEqual([]);
  });
});

describe('a connection over HTTP/2', () => {
  it('ends when its client reads nothing of it at all', async () => {
    const { url, upstream, connect } = await serve({
      edge: { requests: 4 },
      sockets: { writeTimeoutMs: 600, keepAliveTimeoutMs: 200 },
    });
    const client = await openHttp2(url);
    client.write(setting(4, 2 ** 30), windowOfConnection(2 ** 30));
    client.read('nothing');
    client.write(...ids(4).map((id) => headers(id, get('/parts/large'))));
    await vi.waitUntil(() => upstream.waiting() === 4);
    expect((await ask(connect(), '/parts/small')).status).toBe(503);
    const text = 'x'.repeat(4_000_000);
    upstream.answerAll((asked) => value(asked.endsWith('large') ? text : 'small'));
    await vi.waitUntil(async () => {
      const { status } = await ask(connect(), '/parts/small').catch(() => ({ status: 0 }));
      return status === 200;
    });
    await pause(1_000);
    client.read('on');
    await vi.waitUntil(() => client.closed);
    expect(client.frames.some(({ flags, type }) => type === 'DATA' && flags === 1)).toBe(false);
  });

  it('ends when it has idled for too long, with GOAWAY', async () => {
    const { url } = await serve({ sockets: { keepAliveTimeoutMs: 500 } });
    const client = await openHttp2(url);
    client.write(headers(1, get('/livez')));
    await client.body(1);
    expect(codeOf(await client.next('GOAWAY'))).toBe('NO_ERROR');
    await vi.waitUntil(() => client.closed);
  });

  it('is refused beyond the limit of its address', async () => {
    const { url, connect } = await serve({ sockets: { connectionsPerAddress: 1 } });
    await openHttp2(url);
    await expect(ask(connect(), '/livez')).rejects.toThrow(/closed|ECONNRESET|socket/i);
  });

  it.each([
    ['resets its requests at once', rapidReset],
    ['resets a stream again and again', anotherReset],
    ['sends more than a few frames of one head', continuation],
    ['sends frames without data', emptyData],
    ['sends pings without end', ping],
    ['sends settings without end', settings],
  ])('ends when its client %s', async (_what, flood) => {
    const { url, upstream, connect, internalErrors } = await serve({
      edge: { requestsPerAddress: 100, requests: 100 },
    });
    upstream.answerAll(() => value('a'));
    const session = connect();
    const client = await openHttp2(url);
    client.write(flood.first ?? Buffer.alloc(0));
    let sent = 0;
    for (; !client.closed && sent < 50_000; sent += 10) {
      client.write(...Array.from({ length: 10 }, (_, index) => flood.next(sent + index)));
      if (sent % 1_000 === 0) await pause(5);
    }
    await vi.waitUntil(() => client.closed);
    expect(sent).toBeLessThan(10_000);
    expect((await ask(session, '/parts/b')).status).toBe(200);
    expect(internalErrors).toEqual([]);
  });
});

describe('a stop', () => {
  it('says by GOAWAY which request was the last, and answers those before it', async () => {
    const { url, upstream, close } = await serve();
    const client = await openHttp2(url);
    client.write(headers(1, get('/parts/a')));
    const arrival = await upstream.next('GET /parts/a');
    const closed = close(5_000);
    const goaway = await client.next('GOAWAY');
    expect([codeOf(goaway), goaway.payload.readUInt32BE(0)]).toEqual(['NO_ERROR', 1]);
    // The client knows that this one was not taken.
    client.write(headers(3, get('/parts/b')));
    await pause(50);
    arrival.answer(value('a'));
    expect(await client.body(1)).toBe('{"part":{"value":"a"}}');
    await closed;
    expect(client.closed).toBe(true);
    expect(upstream.asked()).toEqual(['GET /parts/a']);
  });

  it('ends connections that idle at once, and waits for the first request of the others', async () => {
    const { url, upstream, close } = await serve();
    upstream.answerAll(() => value('a'));
    const used = await openHttp2(url);
    used.write(headers(1, get('/parts/a')));
    await used.body(1);
    const unused = await openHttp2(url);
    const startedAt = performance.now();
    const closed = close(5_000);
    await used.next('GOAWAY');
    unused.write(headers(1, get('/parts/a')));
    expect(await unused.body(1)).toContain('"a"');
    await closed;
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('breaks off what is not answered within its time', async () => {
    const { url, upstream, close } = await serve();
    const client = await openHttp2(url);
    client.write(headers(1, get('/parts/a')));
    const { abandoned } = await upstream.next('GET /parts/a');
    await close(50);
    await abandoned;
    await vi.waitUntil(() => client.closed);
    expect(upstream.waiting()).toBe(0);
  });
});
