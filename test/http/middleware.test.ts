/** Middleware that comes with Hono, put around a gateway that listens. */
import { gunzipSync } from 'node:zlib';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { timing } from 'hono/timing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import { map } from '../../src/dsl/steps.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { serverTiming } from '../../src/telemetry/server-timing.ts';
import { combine } from '../../src/telemetry/telemetry.ts';
import { open, raw, readAnswer } from '../support/raw-http.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { WithMocksOptions } from '../support/gateway-with-mocks.ts';

const cached = defineComposition({
  route: 'GET /cached',
  cache: { maxAge: 60 },
  compose: () => ({ text: 'x'.repeat(2_000) }),
});
const small = defineComposition({ route: 'GET /small', compose: () => ({ small: true }) });
const echo = defineComposition({
  route: 'POST /echo',
  body: z.string(),
  compose: ({ body }) => ({ length: map(body, (text) => text.length) }),
});

/** A gateway with this middleware around it; what it logs, and what it says over a bare connection. */
async function startWith(
  middleware: readonly MiddlewareHandler[],
  options: Partial<WithMocksOptions> = {},
) {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'json', write: (line) => lines.push(line) });
  const app = await startWithMocks({
    compositions: { cached, small, echo },
    accessLog: { log, headers: [], withCauses: false },
    middleware,
    ...options,
  });
  const ask = (line: string, headers: Readonly<Record<string, string>> = {}) => {
    const fields = Object.entries({ host: 'gateway', connection: 'close', ...headers });
    const text = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return raw(app.url, `${line} HTTP/1.1\r\n${text}\r\n`);
  };
  return { ...app, ask, lines };
}

function post(body: string): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body };
}

describe('cors()', () => {
  const origin = { origin: 'https://shop.example' };

  it('names the origin on responses, problems and 304s alike, and leaves the rest', async () => {
    const { ask } = await startWith([cors({ origin: origin.origin })]);
    const full = await ask('GET /cached', origin);
    const same = await ask('GET /cached', {
      ...origin,
      'if-none-match': full.headers['etag'] ?? '',
    });
    const lost = await ask('GET /nothing', origin);
    for (const { headers } of [full, same, lost]) {
      expect(headers['access-control-allow-origin']).toBe(origin.origin);
    }
    expect([full.status, same.status, lost.status]).toEqual([200, 304, 404]);
    expect(same.headers['etag']).toBe(full.headers['etag']);
    expect(full.headers['content-length']).toBe(String(full.body.length));
    expect(lost.headers['content-type']).toBe('application/problem+json');
  });

  it('answers every OPTIONS itself; a 405 still lists the methods', async () => {
    const { ask } = await startWith([cors()]);
    const preflight = await ask('OPTIONS /small', {
      ...origin,
      'access-control-request-method': 'GET',
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-methods']).toContain('GET');
    expect((await ask('DELETE /small', origin)).headers['allow']).toBe('GET, HEAD, OPTIONS');
  });

  it('leaves OPTIONS to the gateway where it is not asked', async () => {
    const { ask } = await startWith([]);
    const { status, headers } = await ask('OPTIONS /small');
    expect([status, headers['allow']]).toEqual([204, 'GET, HEAD, OPTIONS']);
  });
});

describe('secureHeaders()', () => {
  it('adds its headers to every response, and changes none of ours', async () => {
    const [plain, secured] = [await startWith([]), await startWith([secureHeaders()])];
    for (const line of ['GET /cached', 'HEAD /cached', 'GET /nothing', 'DELETE /small']) {
      const [one, other] = await Promise.all([plain, secured].map(({ ask }) => ask(line)));
      expect(other?.headers['strict-transport-security']).toContain('max-age');
      const { date: _, 'x-request-id': __, ...ours } = one?.headers ?? {};
      expect(other?.headers).toMatchObject(ours);
      expect(other?.status).toBe(one?.status);
    }
  });
});

describe('compress()', () => {
  const gzip = { 'accept-encoding': 'gzip' };

  it('compresses responses that are large, and makes their tags weak', async () => {
    const { url, ask } = await startWith([compress()]);
    const response = await fetch(`${url}/cached`, { headers: gzip });
    const plain = await ask('GET /cached');
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(response.headers.get('content-length')).toBeNull();
    expect(response.headers.get('vary')?.toLowerCase()).toBe('accept-encoding');
    expect(response.headers.get('etag')).toBe(`W/${plain.headers['etag']}`);
    expect(await response.text()).toBe(plain.body);
  });

  it('leaves small responses, problems and HEAD as they are', async () => {
    const { ask } = await startWith([compress()]);
    for (const line of ['GET /small', 'GET /nothing', 'HEAD /cached']) {
      const { headers, body } = await ask(line, gzip);
      expect(headers['content-encoding']).toBeUndefined();
      const length = Number(headers['content-length']);
      expect(line.startsWith('HEAD') ? length > 2_000 && body === '' : length === body.length).toBe(
        true,
      );
    }
  });

  it('answers its own weak tag with 304', async () => {
    const { ask } = await startWith([compress()]);
    const { headers } = await ask('GET /cached', gzip);
    const again = await ask('GET /cached', { ...gzip, 'if-none-match': headers['etag'] ?? '' });
    expect([again.status, again.body]).toEqual([304, '']);
  });

  it('sends bytes that are encoded as their header says', async () => {
    const { url } = await startWith([compress()]);
    const socket = await open(url);
    socket.write(
      'GET /cached HTTP/1.0\r\nhost: gateway\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n',
    );
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const body = gunzipSync(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4));
    expect(JSON.parse(body.toString())).toEqual({ text: 'x'.repeat(2_000) });
  });
});

describe('bodyLimit()', () => {
  it('refuses larger bodies, whether or not their length is declared', async () => {
    const { get, url } = await startWith([bodyLimit({ maxSize: 100 })]);
    expect((await get('/echo', post('"fits"'))).json).toEqual({ length: 4 });
    const declared = await fetch(`${url}/echo`, post(JSON.stringify('x'.repeat(200))));
    expect([declared.status, await declared.text()]).toEqual([413, 'Payload Too Large']);
    const socket = await open(url);
    socket.write(
      `POST /echo HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nc8\r\n${'x'.repeat(200)}\r\n0\r\n\r\n`,
    );
    expect((await readAnswer(socket)).status).toBe(413);
  });

  it('hands on a body that it has read', async () => {
    const { get } = await startWith([bodyLimit({ maxSize: 100 })]);
    const chunks = ReadableStream.from([
      new TextEncoder().encode('"in '),
      new TextEncoder().encode('two"'),
    ]);
    const init = { ...post(''), body: chunks, duplex: 'half' } as RequestInit; // as fetch wants a stream
    expect((await get('/echo', init)).json).toEqual({ length: 6 });
  });
});

describe('etag()', () => {
  it('keeps our tags, and answers them with 304', async () => {
    const [plain, tagged] = [await startWith([]), await startWith([etag()])];
    const ours = (await plain.ask('GET /cached')).headers['etag'] ?? '';
    expect((await tagged.ask('GET /cached')).headers['etag']).toBe(ours);
    const again = await tagged.ask('GET /cached', { 'if-none-match': ours });
    expect([again.status, again.body, again.headers['etag']]).toEqual([304, '', ours]);
  });

  it('adds tags to responses without one, but not to problems', async () => {
    const { ask } = await startWith([etag()]);
    const { headers, body } = await ask('GET /small');
    expect(headers['etag']).toMatch(/^"[0-9a-f]+"$/);
    expect(headers['content-length']).toBe(String(body.length));
    expect((await ask('GET /nothing')).headers['etag']).toBeUndefined();
  });
});

describe('timing()', () => {
  it('adds its times to those of the gateway', async () => {
    const { ask } = await startWith([timing()], {
      telemetry: combine([serverTiming(systemClock)]),
    });
    const { headers, body } = await ask('GET /small');
    expect(headers['server-timing']).toMatch(
      /^total;dur=[\d.]+;desc="Total Response Time", total;dur=/,
    );
    expect(headers['content-length']).toBe(String(body.length));
  });
});

describe('middleware', () => {
  it('runs in the order in which it is given, inside of the access log', async () => {
    const order: string[] = [];
    const named =
      (name: string): MiddlewareHandler =>
      async (_, next) => {
        order.push(name);
        await next();
      };
    const { ask, lines } = await startWith([named('first'), named('second')]);
    await ask('GET /small');
    expect(order).toEqual(['first', 'second']);
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['GET /small 200']);
  });

  it('may answer by itself, which is logged too', async () => {
    const { ask, lines } = await startWith([async (c) => c.text('closed', 418)]);
    const { status, body } = await ask('GET /small');
    expect([status, body]).toEqual([418, 'closed']);
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['GET (no route) 418']);
  });

  it('sees no request that cannot be read', async () => {
    const paths: string[] = [];
    const { ask } = await startWith([
      async (c, next) => {
        paths.push(c.req.path);
        await next();
      },
    ]);
    for (const [line, host] of [
      ['GET *', 'gateway'],
      ['GET /%zz', 'gateway'],
      ['GET /small', 'a b'],
    ]) {
      expect((await ask(line ?? '', { host: host ?? '' })).status).toBe(400);
    }
    expect(paths).toEqual([]);
  });

  it('makes a problem with its status by throwing an HTTPException', async () => {
    const { ask, internalErrors } = await startWith([
      () => {
        throw new HTTPException(402, { message: 'Pay first.' });
      },
    ]);
    const { status, headers, body } = await ask('GET /small');
    expect([status, headers['content-type']]).toEqual([402, 'application/problem+json']);
    expect(JSON.parse(body)).toMatchObject({
      type: 'about:blank',
      title: 'Payment Required',
      detail: 'Pay first.',
    });
    expect(internalErrors).toEqual([]);
  });

  it.each([
    ['an error', new TypeError('canary-4711')],
    ['anything else', 'canary-4711'],
  ])('that throws %s makes a 500 that says nothing of it, and is reported', async (_, thrown) => {
    const { ask, internalErrors } = await startWith([
      () => {
        throw thrown;
      },
    ]);
    const { status, headers, body } = await ask('GET /small');
    expect([status, headers['content-type']]).toEqual([500, 'application/problem+json']);
    expect(body).not.toContain('canary-4711');
    expect(String(internalErrors)).toContain('canary-4711');
  });

  it('that gives no response and does not call next() is a 500, and its line says so', async () => {
    const { ask, internalErrors, lines } = await startWith([async () => undefined]);
    const { status, headers } = await ask('GET /small');
    expect([status, headers['content-type']]).toEqual([500, 'application/problem+json']);
    expect(internalErrors.map(String)).toEqual([
      'Error: A middleware has not called next(), and gave no response.',
    ]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'error', status: 500, error: { type: 'Error' } },
    ]);
  });
});
