import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { call } from '../../src/dsl/steps.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { collect, open } from '../support/raw-http.ts';
import { part, value } from '../support/serve.ts';
import { startUpstream } from '../support/upstream.ts';
import { get, pipelineTwenty } from './_pipelined.ts';

describe('requests pipelined on one connection', () => {
  it('are served eight at a time, and answered in their order', async () => {
    const { url, upstream } = await serveParts();
    const { sent, answered } = await pipelineTwenty(url, upstream);
    expect(answered).toEqual(sent);
  });

  it('do not hold up another connection', async () => {
    const { url, upstream, get: ask } = await serveParts();
    const socket = await open(url);
    socket.write(get('/parts/a').repeat(1_500));
    await upstream.next('GET /parts/a');
    expect((await ask('/livez')).status).toBe(200);
    socket.destroy();
  });

  it('are still served after one that waited', async () => {
    const { url, upstream } = await serveParts();
    upstream.answerAll(() => value('a'));
    const socket = await open(url);
    const received = collect(socket);
    for (let round = 0; round < 3; round += 1) {
      const before = received().match(/200 OK/g)?.length ?? 0;
      socket.write(get('/parts/a').repeat(50));
      await vi.waitUntil(() => received().match(/200 OK/g)?.length === before + 50);
    }
    expect(received().match(/200 OK/g)).toHaveLength(150);
    socket.destroy();
  });

  it('are all answered before one that cannot be read, which is the last', async () => {
    const { url, upstream } = await serveParts();
    const socket = await open(url);
    const received = collect(socket);
    socket.write(`${get('/parts/a')}GET /parts/b NONSENSE\r\n\r\n${get('/parts/c')}`);
    await upstream.answer('GET /parts/a', value('a'));
    await once(socket, 'close');
    expect(received().match(/(?<=HTTP\/1\.1 )\d+/g)).toEqual(['200', '400']);
    expect(upstream.asked()).toEqual(['GET /parts/a']);
  });
});

describe('a connection', () => {
  it('ends when its client reads nothing of an answer for too long', async () => {
    const { url, upstream } = await serveParts({ sockets: { writeTimeoutMs: 100 } });
    upstream.answerAll(() => value('x'.repeat(4_000_000)));
    const socket = await open(url);
    socket.write(get('/parts/a'));
    await once(socket, 'readable');
    await new Promise((resolve) => void setTimeout(resolve, 400));
    const received = collect(socket);
    socket.resume();
    await once(socket, 'close');
    expect(received().length).toBeLessThan(4_000_000);
  });

  it('lasts while its client reads slowly, or waits for a slow service', async () => {
    const { url, upstream } = await serveParts({ sockets: { writeTimeoutMs: 500 } });
    const socket = await open(url);
    socket.write(get('/parts/a'));
    const arrival = await upstream.next('GET /parts/a');
    await new Promise((resolve) => void setTimeout(resolve, 800));
    arrival.answer(value('x'.repeat(2_000_000)));
    let size = 0;
    while (size < 2_000_000) {
      await new Promise((resolve) => void setTimeout(resolve, 20));
      size += ((socket.read() as Buffer | null) ?? '').length;
    }
    expect(size).toBeGreaterThan(2_000_000);
    socket.destroy();
  });

  it('ends when it has idled for too long', async () => {
    const { url, upstream } = await serveParts({ sockets: { keepAliveTimeoutMs: 1 } });
    upstream.answerAll(() => value('a'));
    const socket = await open(url);
    const received = collect(socket);
    socket.write(get('/parts/a'));
    await once(socket, 'close');
    expect(received()).toContain('200 OK');
  });

  it('is refused beyond the limit of its address, until another has ended', async () => {
    const { url } = await serveParts({ sockets: { connectionsPerAddress: 2 } });
    const [first] = [await open(url), await open(url)];
    const third = await open(url);
    await once(third, 'close');
    first?.destroy();
    await vi.waitUntil(async () => {
      const next = await open(url);
      const received = collect(next);
      next.write('GET /livez HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n');
      await once(next, 'close');
      return received().includes('200 OK');
    });
    expect(third.bytesRead).toBe(0);
  });

  it('is one of any number where it is that of a proxy of ours', async () => {
    const trustedPeers = [{ address: '127.0.0.1', bits: 32, family: 'ipv4' }] as const;
    const { url } = await serveParts({ sockets: { connectionsPerAddress: 1, trustedPeers } });
    await open(url);
    const second = await open(url);
    const received = collect(second);
    second.write('GET /livez HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n');
    await once(second, 'close');
    expect(received()).toContain('200 OK');
  });
});

describe('a request that cannot be read', () => {
  it('is logged and has a request id, as any other', async () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'json', write: (text) => lines.push(text) });
    const { url } = await serveParts({ accessLog: { log, headers: [], withCauses: false } });
    const socket = await open(url);
    const received = collect(socket);
    socket.write('GET / HTTP/1.1\r\nhost : gateway\r\n\r\n');
    await once(socket, 'close');
    const [line] = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(line).toMatchObject({ method: '_OTHER', status: 400, message: '_OTHER (no route) 400' });
    expect(received()).toContain(`"requestId":"${String(line?.['request_id'])}"`);
  });

  it('is not answered when nothing was sent', async () => {
    const { url } = await serveParts();
    const socket = await open(url);
    const received = collect(socket);
    socket.end();
    await once(socket, 'close');
    expect(received()).toBe('');
  });
});

async function serveParts(options: Partial<Parameters<typeof startWithMocks>[0]> = {}) {
  const upstream = await startUpstream();
  const parts = defineComposition({
    route: 'GET /parts/:name',
    params: z.object({ name: z.string() }),
    compose: ({ params }) => ({ part: call({ ...part, coalesce: false }, { name: params.name }) }),
  });
  const app = await startWithMocks({
    compositions: { parts },
    environment: { UPSTREAM_URL: upstream.url },
    ...options,
  });
  return { ...app, upstream };
}
