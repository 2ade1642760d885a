/** The toxic proxy shows exactly what each toxic claims, to clients that know nothing of Plait. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get as httpGet } from 'node:http';
import type { RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startToxicProxy } from './toxic-proxy.ts';
import type { Toxic } from './toxic-proxy.ts';
import { get, getText, wire } from './toxic/_client.ts';
import { startServer, startSocketServer } from './servers.ts';

const order = JSON.stringify({ id: 'o-1', lines: ['a', 'b', 'c'] });
const headEnd = '\r\n\r\n';

const giveOrder: RequestListener = (_, response) => {
  response.sendDate = false;
  response.setHeader('content-type', 'application/json');
  response.end(order);
};

/** A proxy with this toxic in front of an upstream that gives an order, unless told otherwise. */
async function start(toxic: Toxic = { kind: 'none' }, answer: RequestListener = giveOrder) {
  const upstream = await startServer(answer);
  const proxy = await startToxicProxy(upstream.url);
  await proxy.use(toxic);
  return { upstream, proxy };
}

/** An agent with one connection that it keeps. */
function keeping(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
}

/** Waits until so many requests have arrived. */
async function arrived(proxy: { readonly requests: number }, count = 1): Promise<void> {
  await expect.poll(() => proxy.requests).toBe(count);
}

const bodyIn = (text: string) => text.slice(text.indexOf(headEnd) + headEnd.length);

function* repeat(piece: Buffer, times: number): Iterable<Buffer> {
  for (let count = 0; count < times; count += 1) yield piece;
}

describe('the toxic none', () => {
  it('passes request and answer through unchanged', async () => {
    const { upstream, proxy } = await start({ kind: 'none' }, (_, response) => {
      response.writeHead(418, 'Short And Stout', { 'x-pot': ['a', 'b'] }).end(order);
    });
    const headers = { 'x-cup': '1', 'content-type': 'text/plain' };
    const seen = await get(`${proxy.url}/a?b=%20c`, { method: 'POST', headers, body: 'milk' });
    expect(upstream.requests).toMatchObject([
      { method: 'POST', target: '/a?b=%20c', headers, body: 'milk' },
    ]);
    expect(seen.response).toMatchObject({ statusCode: 418, statusMessage: 'Short And Stout' });
    expect(seen.response?.headersDistinct['x-pot']).toEqual(['a', 'b']);
    expect(seen.body.toString()).toBe(order);
  });

  it.each<[string, RequestListener]>([
    ['a known length', giveOrder],
    ['chunks', (_, response) => void response.write('one ', () => response.end('two'))],
    ['no body', (_, response) => void response.writeHead(204).end()],
    ['an empty body', (_, response) => void response.end()],
  ])('answers many requests with %s on one connection', async (_, answer) => {
    const { upstream, proxy } = await start({ kind: 'none' }, answer);
    const agent = keeping();
    for (const method of ['GET', 'POST', 'GET', 'HEAD']) {
      const direct = await get(upstream.url, { method });
      const seen = await get(proxy.url, { method, agent });
      expect(seen).toMatchObject({ error: undefined, body: direct.body });
      expect(seen.response?.statusCode).toBe(direct.response?.statusCode);
    }
    expect(proxy).toMatchObject({ connections: 1, requests: 4 });
  });

  it('knows that the answer to HEAD has no body', async () => {
    const { proxy } = await start();
    const client = await wire(proxy.url, getText.replace('GET', 'HEAD'));
    await client.until(headEnd);
    client.socket.write(getText);
    await client.until(order);
    expect(client.text().match(/HTTP/g)).toHaveLength(2);
    expect(proxy).toMatchObject({ connections: 1, open: 1, requests: 2 });
  });

  it('closes after an answer that only the end of the connection ends', async () => {
    const upstream = await startSocketServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nrest'));
    const proxy = await startToxicProxy(upstream.url);
    const client = await wire(proxy.url, getText);
    expect(await client.over).toBe('FIN');
    expect(client.text()).toBe('HTTP/1.1 200 OK\r\n\r\nrest');
  });

  it('abandons the upstream when the client leaves', async () => {
    const { upstream, proxy } = await start({ kind: 'none' }, () => undefined);
    const client = await wire(proxy.url, getText);
    await expect.poll(() => upstream.requests.length).toBe(1);
    client.socket.destroy();
    await Promise.all([proxy.allClosed(), upstream.allClosed()]);
    expect(proxy.open).toBe(0);
  });

  it.each([
    ['before it answers', (response: ServerResponse) => response.socket?.resetAndDestroy()],
    [
      'in the middle of its answer',
      (response: ServerResponse) =>
        response.writeHead(200, { 'content-length': 9 }).write('some', () => response.destroy()),
    ],
  ])('resets the client when the upstream fails %s', async (_, fail) => {
    const { proxy } = await start({ kind: 'none' }, (_request, response) => void fail(response));
    for (const toxic of [{ kind: 'none' }, { kind: 'latency', ms: 1 }] satisfies Toxic[]) {
      await proxy.use(toxic);
      const client = await wire(proxy.url, getText);
      expect(await client.over).toBe('ECONNRESET');
    }
  });

  it.each<Toxic>([{ kind: 'none' }, { kind: 'latency', ms: 1 }])(
    'reads from the upstream no faster than the client does: %o',
    async (toxic) => {
      const piece = Buffer.alloc(64 * 1024);
      const pieces = 2_000;
      let sent = 0;
      const { proxy } = await start(toxic, (_, response) => {
        Readable.from(repeat(piece, pieces))
          .on('data', () => (sent += 1))
          .pipe(response);
      });
      const request = httpGet(proxy.url, { agent: false });
      const [response] = await once(request, 'response');
      response.pause();
      let before = -1;
      while (before !== sent) {
        before = sent;
        await sleep(50);
      }
      expect(sent).toBeLessThan(pieces / 2);
      let received = 0;
      response.on('data', (data: Buffer) => (received += data.length)).resume();
      await once(response, 'end');
      expect(received).toBe(pieces * piece.length);
    },
  );
});

describe('the toxic latency', () => {
  it('delays what the upstream sends, each piece from its own arrival', async () => {
    const { proxy } = await start({ kind: 'latency', ms: 150 }, async (_, response) => {
      for (let count = 0; count < 20; count += 1) {
        await new Promise<unknown>((resolve) => response.write('x', () => setImmediate(resolve)));
      }
      response.end();
    });
    const { body, tookMs } = await get(proxy.url);
    expect(body.toString()).toBe('x'.repeat(20));
    expect(tookMs).toBeGreaterThanOrEqual(149);
    expect(tookMs).toBeLessThan(1_500);
  });
});

describe('the toxic slow-drip', () => {
  it('sends the whole answer, a byte at a time, and keeps the connection', async () => {
    const { proxy } = await start();
    const direct = await wire(proxy.url, getText);
    await direct.until(order);
    await proxy.use({ kind: 'slow-drip', everyMs: 2 });
    const sizes: number[] = [];
    const startedAt = performance.now();
    const client = await wire(proxy.url, getText);
    client.socket.on('data', (data: Buffer) => sizes.push(data.length));
    await client.until(order);
    expect(client.text()).toBe(direct.text());
    // A timer may fire a little early.
    expect(performance.now() - startedAt).toBeGreaterThan(client.text().length * 1.8);
    expect(sizes.length).toBeGreaterThan(client.text().length / 2);
    client.socket.write(getText);
    await client.until(direct.text());
  });
});

describe('the toxic reset-before-headers', () => {
  it('resets once the request has arrived whole, without asking the upstream', async () => {
    const { upstream, proxy } = await start({ kind: 'reset-before-headers' });
    const client = await wire(proxy.url, 'POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nhe');
    await expect.poll(() => proxy.open).toBe(1);
    expect(proxy.requests).toBe(0);
    client.socket.write('re');
    expect(await client.over).toBe('ECONNRESET');
    expect(client.text()).toBe('');
    expect(proxy.requests).toBe(1);
    expect(upstream.accepted).toBe(0);
  });
});

describe('the toxic reset-after-headers', () => {
  it('gives the head and half of the body, then resets', async () => {
    const { proxy } = await start({ kind: 'reset-after-headers' });
    const { response, body, error } = await get(proxy.url);
    expect(response).toMatchObject({
      statusCode: 200,
      headers: { 'content-length': `${order.length}`, 'content-type': 'application/json' },
    });
    expect(body.toString()).toBe(order.slice(0, Math.floor(order.length / 2)));
    expect(error).toBe('ECONNRESET');
    const client = await wire(proxy.url, getText);
    expect(await client.over).toBe('ECONNRESET');
  });

  it('gives no more than 16 KiB of a large body', async () => {
    const { proxy } = await start({ kind: 'reset-after-headers' }, (_, response) => {
      response.end('x'.repeat(1_000_000));
    });
    const { body, error } = await get(proxy.url);
    expect(error).toBe('ECONNRESET');
    expect(body.length).toBe(16 * 1024);
  });
});

describe('the toxic refuse', () => {
  it('lets nobody connect until it is over, then answers on the same port', async () => {
    const { proxy } = await start({ kind: 'refuse' });
    expect(await get(proxy.url)).toMatchObject({ error: 'ECONNREFUSED' });
    await proxy.use({ kind: 'none' });
    expect((await get(proxy.url)).body.toString()).toBe(order);
    await proxy.use({ kind: 'refuse' });
    expect(await get(proxy.url)).toMatchObject({ error: 'ECONNREFUSED' });
    expect(proxy.connections).toBe(1);
  });

  it('resets the next request of a connection that is there', async () => {
    const { upstream, proxy } = await start();
    const agent = keeping();
    await get(proxy.url, { agent });
    await proxy.use({ kind: 'refuse' });
    expect(await get(proxy.url, { agent })).toMatchObject({ error: 'ECONNRESET', reused: true });
    expect(await get(proxy.url, { agent })).toMatchObject({ error: 'ECONNREFUSED' });
    expect(upstream.requests).toHaveLength(1);
  });

  it('ends where the last of several hasty changes wants it', async () => {
    const { proxy } = await start();
    const kinds = ['refuse', 'none', 'refuse', 'none'] as const;
    await Promise.all(kinds.map((kind) => proxy.use({ kind })));
    expect((await get(proxy.url)).error).toBeUndefined();
  });
});

describe('the toxic hang', () => {
  it('reads every request and never answers', async () => {
    const { upstream, proxy } = await start({ kind: 'hang' });
    const client = await wire(proxy.url, getText);
    await arrived(proxy);
    await proxy.use({ kind: 'none' });
    client.socket.write(getText);
    await arrived(proxy, 2);
    await get(proxy.url);
    expect(client.text()).toBe('');
    expect(upstream.requests).toHaveLength(1);
    client.socket.destroy();
    await proxy.allClosed();
  });
});

describe('the toxic truncate', () => {
  it('announces the whole body, sends half of it and a FIN', async () => {
    const { proxy } = await start({ kind: 'truncate' });
    const client = await wire(proxy.url, getText);
    expect(await client.over).toBe('FIN');
    expect(client.text()).toContain(`content-length: ${order.length}${headEnd}`);
    expect(bodyIn(client.text())).toBe(order.slice(0, Math.floor(order.length / 2)));
  });
});

describe('the toxic wrong-length', () => {
  it.each([7, -7])('announces %i bytes more than there are and stays open', async (offBy) => {
    const { proxy } = await start({ kind: 'wrong-length', offBy });
    const client = await wire(proxy.url, getText);
    await client.until(order);
    expect(client.text()).toContain(`content-length: ${order.length + offBy}${headEnd}`);
    await proxy.use({ kind: 'status', code: 503 });
    client.socket.write(getText);
    await client.until('{}');
    expect(client.text()).toContain(`${order}HTTP/1.1 503 Service Unavailable`);
  });

  it('makes the body too short for a client when the length is too small', async () => {
    const { proxy } = await start({ kind: 'wrong-length', offBy: -1 });
    const { body } = await get(proxy.url);
    expect(body.toString()).toBe(order.slice(0, -1));
  });
});

describe('the toxic garbage', () => {
  it.each([1, 2, 3, 4, 5])('is not HTTP to a client, with seed %i', async (seed) => {
    const { proxy } = await start({ kind: 'garbage', seed });
    expect(await get(proxy.url)).toMatchObject({
      response: undefined,
      error: expect.stringMatching(/^HPE_/),
    });
  });

  it('is the same for the same seed, and then a FIN', async () => {
    const { upstream, proxy } = await start();
    const garbage = async (seed: number) => {
      await proxy.use({ kind: 'garbage', seed, bytes: 300 });
      const client = await wire(proxy.url, getText);
      expect(await client.over).toBe('FIN');
      return client.text();
    };
    const first = await garbage(7);
    expect(first).toHaveLength(300);
    expect(new Set(first).size).toBeGreaterThan(100);
    expect(await garbage(7)).toBe(first);
    expect(await garbage(8)).not.toBe(first);
    expect(upstream.accepted).toBe(0);
  });
});

describe('the toxic header-flood', () => {
  it('is a status line and headers, without an end to the head', async () => {
    const { proxy } = await start({ kind: 'header-flood' });
    const client = await wire(proxy.url, getText);
    expect(await client.over).toBe('FIN');
    const [first, ...lines] = client.text().split('\r\n');
    expect(first).toBe('HTTP/1.1 200 OK');
    expect(lines.pop()).toBe('');
    for (const line of lines) expect(line).toMatch(/^x-flood-\d+: x+$/);
    expect(client.text().length).toBeGreaterThanOrEqual(1024 * 1024);
    expect(client.text().length).toBeLessThan(1024 * 1025);
  });

  it('goes on until the client has had enough', async () => {
    const { proxy } = await start({ kind: 'header-flood', bytes: Infinity });
    expect(await get(proxy.url)).toMatchObject({ error: 'HPE_HEADER_OVERFLOW' });
    await proxy.allClosed();
  });
});

describe('the toxic huge-body', () => {
  it.each([
    [2, false],
    [2, true],
    [3_000_000, false],
    [3_000_000, true],
  ])('is a JSON string of %i bytes; chunked: %s', async (bytes, chunked) => {
    const { proxy } = await start({ kind: 'huge-body', bytes, chunked });
    const { response, body, error } = await get(proxy.url);
    expect(error).toBeUndefined();
    expect(response?.headers['content-length']).toBe(chunked ? undefined : `${bytes}`);
    expect(body.length).toBe(bytes);
    expect(JSON.parse(body.toString())).toHaveLength(bytes - 2);
  });

  it('is written as the client reads and stops when it leaves', async () => {
    const { proxy } = await start({ kind: 'huge-body', bytes: 1e12 });
    const client = await wire(proxy.url, getText);
    while (client.text().length < 1e6) await once(client.socket, 'data');
    client.socket.destroy();
    await proxy.allClosed();
    expect(proxy.open).toBe(0);
  });
});

describe('the toxic bomb', () => {
  it('is a small body that expands to 200 MiB of zeros', async () => {
    const { proxy } = await start({ kind: 'bomb' });
    const { response, body } = await get(proxy.url);
    expect(response?.headers['content-encoding']).toBe('gzip');
    expect(body.length).toBeLessThan(300_000);
    const zeros = Buffer.alloc(64 * 1024);
    let expanded = 0;
    let areZeros = true;
    for await (const chunk of Readable.from([body]).pipe(createGunzip())) {
      expanded += chunk.length;
      areZeros &&= zeros.subarray(0, chunk.length).equals(chunk);
    }
    expect(expanded).toBe(200 * 1024 * 1024);
    expect(areZeros).toBe(true);
  });

  it('has the size that is asked for', async () => {
    const { proxy } = await start({ kind: 'bomb', bytes: 1_234_567 });
    const { body } = await get(proxy.url);
    const expanded = await Readable.from([body]).pipe(createGunzip()).toArray();
    expect(Buffer.concat(expanded)).toEqual(Buffer.alloc(1_234_567));
  });
});

describe('the toxic keep-alive-race', () => {
  it('closes right after an answer that promised to keep the connection', async () => {
    const { proxy } = await start({ kind: 'keep-alive-race', closes: 'at-once' });
    const client = await wire(proxy.url, getText);
    expect(await client.over).toBe('FIN');
    expect(client.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: keep-alive\r\n/s);
    expect(bodyIn(client.text())).toBe(order);
  });

  it('resets when the next request arrives, which the upstream never sees', async () => {
    const { upstream, proxy } = await start({ kind: 'keep-alive-race', closes: 'on-next-request' });
    const agent = keeping();
    expect((await get(proxy.url, { agent })).body.toString()).toBe(order);
    expect(await get(proxy.url, { agent })).toMatchObject({ reused: true, error: 'ECONNRESET' });
    expect((await get(proxy.url, { agent })).body.toString()).toBe(order);
    expect(upstream.requests).toHaveLength(2);
    expect(proxy).toMatchObject({ connections: 2, requests: 3 });
  });
});

describe('the toxic not-json', () => {
  it('is a page', async () => {
    const { proxy } = await start({ kind: 'not-json' });
    const { response, body } = await get(proxy.url);
    expect(response).toMatchObject({ statusCode: 200, headers: { 'content-type': 'text/html' } });
    expect(body.toString()).toBe('<html>');
  });

  it('may pretend to be JSON', async () => {
    const { proxy } = await start({ kind: 'not-json', contentType: 'application/json' });
    const { response } = await get(proxy.url);
    expect(response?.headers['content-type']).toBe('application/json');
  });
});

describe('the toxic status', () => {
  it.each([200, 204, 304, 429, 500, 503])('answers %i and keeps the connection', async (code) => {
    const { upstream, proxy } = await start({ kind: 'status', code });
    const agent = keeping();
    for (const reused of [false, true]) {
      const seen = await get(proxy.url, { agent });
      expect(seen).toMatchObject({ error: undefined, reused });
      expect(seen.response?.statusCode).toBe(code);
      expect(seen.body.toString()).toBe(code === 204 || code === 304 ? '' : '{}');
    }
    expect(upstream.accepted).toBe(0);
  });
});

describe('a change of the toxic', () => {
  it('holds for the next request of a connection that is idle', async () => {
    const { proxy } = await start();
    const agent = keeping();
    const statuses: unknown[] = [];
    for (const code of [503, 429, 200]) {
      await proxy.use({ kind: 'status', code });
      const { response } = await get(proxy.url, { agent });
      statuses.push(response?.statusCode);
    }
    expect(statuses).toEqual([503, 429, 200]);
    expect(proxy.connections).toBe(1);
  });

  it('leaves a request alone that has begun', async () => {
    const { proxy } = await start();
    const client = await wire(proxy.url, getText + getText.slice(0, 5));
    await client.until(order);
    await proxy.use({ kind: 'status', code: 503 });
    client.socket.write(getText.slice(5));
    await client.until(order);
    client.socket.write(getText);
    await client.until('{}');
    expect(client.text().match(/HTTP\/1\.1 \d+/g)).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 503',
    ]);
  });

  it.each<[Toxic, string]>([
    [{ kind: 'latency', ms: -1 }, 'ms is -1. Give a whole number from 0 to 2147483647.'],
    [{ kind: 'latency', ms: Infinity }, 'ms is Infinity. Give a whole number from 0 to'],
    [{ kind: 'slow-drip', everyMs: 0 }, 'everyMs is 0. Give a whole number from 1 to'],
    [{ kind: 'wrong-length', offBy: 0 }, 'offBy is 0, which is the right length.'],
    [{ kind: 'wrong-length', offBy: 0.5 }, 'offBy is 0.5. Give a whole number'],
    [{ kind: 'huge-body', bytes: 1 }, 'bytes is 1. Give a whole number from 2 to'],
    [{ kind: 'status', code: 101 }, 'code is 101. Give a whole number from 200 to 599.'],
  ])('to %o is refused', async (toxic, message) => {
    const { proxy } = await start();
    await expect(proxy.use(toxic)).rejects.toThrow(`toxic "${toxic.kind}": ${message}`);
    expect((await get(proxy.url)).body.toString()).toBe(order);
  });
});

describe('a request that the proxy cannot read', () => {
  it.each([
    ['chunked', 'POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n', 'chunked requests'],
    ['not HTTP', 'hello\r\n\r\n', 'this is no request line: hello'],
  ])('because it is %s is told so', async (_, text, message) => {
    const { proxy } = await start();
    const client = await wire(proxy.url, text);
    expect(await client.over).toBe('FIN');
    expect(client.text()).toMatch(/^HTTP\/1\.1 501 /);
    expect(client.text()).toContain(message);
  });
});

describe('the end of the proxy', () => {
  it('breaks what is under way, to both sides', async () => {
    const { upstream, proxy } = await start({ kind: 'none' }, () => undefined);
    const client = await wire(proxy.url, getText);
    await expect.poll(() => upstream.requests.length).toBe(1);
    await Promise.all([proxy.close(), proxy.close()]);
    expect(proxy.open).toBe(0);
    await Promise.all([client.over, upstream.allClosed()]);
    expect(await get(proxy.url)).toMatchObject({ error: 'ECONNREFUSED' });
    await expect(proxy.use({ kind: 'refuse' })).rejects.toThrow(
      'toxic proxy: it is closed. Use "refuse" before close()',
    );
  });

  it('leaves no socket and no timer: a program without vitest ends by itself', async () => {
    const { url } = await startServer(giveOrder);
    const program = `
      import { once } from 'node:events';
      import { connect } from 'node:net';
      import { createToxicProxy } from './toxic/proxy.ts';
      const proxy = await createToxicProxy('${url}');
      for (const toxic of [
        { kind: 'hang' }, { kind: 'latency', ms: 1e9 }, { kind: 'slow-drip', everyMs: 1e9 },
        { kind: 'huge-body', bytes: 1e12 }, { kind: 'header-flood', bytes: Infinity },
      ]) {
        await proxy.use(toxic);
        const socket = connect(new URL(proxy.url).port, '127.0.0.1').on('error', () => {}).pause();
        await once(socket, 'connect');
        const seen = proxy.requests;
        socket.write('GET / HTTP/1.1\\r\\n\\r\\n');
        while (proxy.requests === seen) await new Promise(setImmediate);
        await new Promise((resolve) => setTimeout(resolve, 20));
        socket.unref();
      }
      const open = proxy.open;
      await proxy.close();
      console.log(open, proxy.open, process.getActiveResourcesInfo().includes('Timeout'));
    `;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', program],
      { cwd: join(import.meta.dirname), timeout: 15_000 },
    );
    expect(stdout.trim()).toBe('5 0 false');
  });

  it('refuses an upstream that is not http', async () => {
    await expect(startToxicProxy('https://shop.example')).rejects.toThrow(
      'toxic proxy: the upstream is https://shop.example. Give a URL with http:',
    );
  });
});
