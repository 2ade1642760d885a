/** What `connections.test.ts` shows without TLS holds over it as well. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { call } from '../../src/dsl/steps.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { WithMocksOptions } from '../support/gateway-with-mocks.ts';
import { collect, open, raw } from '../support/raw-http.ts';
import { part, value } from '../support/serve.ts';
import { createCertificate } from '../support/tls.ts';
import { startUpstream } from '../support/upstream.ts';
import { get, pipelineTwenty } from './_pipelined.ts';

const alone = { ...part, coalesce: false } as const;
const parts = defineComposition({
  route: 'GET /parts/:name',
  params: z.object({ name: z.string() }),
  compose: ({ params }) => ({ part: call(alone, { name: params.name }) }),
});
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

async function serveParts(sockets: WithMocksOptions['sockets'] = {}) {
  const upstream = await startUpstream();
  const { certificate } = createCertificate();
  const environment = { UPSTREAM_URL: upstream.url };
  const app = await startWithMocks({ compositions: { parts }, environment, certificate, sockets });
  return { ...app, upstream };
}

describe('a connection over TLS that speaks HTTP/1.1', () => {
  it('has eight requests served at a time, and answered in their order', async () => {
    const { url, upstream } = await serveParts();
    const { sent, answered } = await pipelineTwenty(url, upstream);
    expect(answered).toEqual(sent);
  });

  it('ends when its client reads nothing of an answer for too long', async () => {
    const { url, upstream } = await serveParts({ writeTimeoutMs: 200 });
    upstream.answerAll(() => value('x'.repeat(4_000_000)));
    const socket = await open(url);
    socket.write(get('/parts/a'));
    await once(socket, 'readable');
    await pause(800);
    const received = collect(socket);
    socket.resume();
    await once(socket, 'close');
    expect(received().length).toBeLessThan(4_000_000);
  });

  it('lasts while its client reads slowly, or waits for a slow service', async () => {
    const { url, upstream } = await serveParts({ writeTimeoutMs: 500 });
    const socket = await open(url);
    socket.write(get('/parts/a'));
    const arrival = await upstream.next('GET /parts/a');
    await pause(800);
    arrival.answer(value('x'.repeat(2_000_000)));
    let size = 0;
    while (size < 2_000_000) {
      await pause(20);
      size += ((socket.read() as Buffer | null) ?? '').length;
    }
    expect(size).toBeGreaterThan(2_000_000);
    socket.destroy();
  });

  it('ends when it has idled for too long', async () => {
    const { url, upstream } = await serveParts({ keepAliveTimeoutMs: 1 });
    upstream.answerAll(() => value('a'));
    const socket = await open(url);
    const received = collect(socket);
    socket.write(get('/parts/a'));
    await once(socket, 'close');
    expect(received()).toContain('200 OK');
  });

  it('ends when its head or its body does not arrive in time', async () => {
    const { url } = await serveParts({ headersTimeoutMs: 1_000, requestTimeoutMs: 1_000 });
    expect((await raw(url, 'GET / HTTP/1.1\r\nhost: ')).status).toBe(408);
  });

  it.each([
    ['GET / HTTP/1.1\r\nhost : gateway\r\n\r\n', 400],
    ['CONNECT gateway:80 HTTP/1.1\r\nhost: gateway\r\n\r\n', 405],
    [`GET / HTTP/1.1\r\nhost: gateway\r\nx: ${'1'.repeat(17_000)}\r\n\r\n`, 431],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    [`GET / HTTP/2.0\r\nhost: gateway\r\n\r\n`, 505],
  ])('answers what cannot be read by a problem: %j', async (sent, status) => {
    const { url } = await serveParts();
    const answer = await raw(url, sent);
    expect(answer).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
    });
  });

  it('ends with a stop, after its request was answered', async () => {
    const { url, upstream, close } = await serveParts();
    const socket = await open(url);
    const received = collect(socket);
    socket.write(get('/parts/a'));
    const arrival = await upstream.next('GET /parts/a');
    const closed = close(5_000);
    await pause(50);
    arrival.answer(value('a'));
    await closed;
    expect(received()).toMatch(/200 OK[^]*"a"/);
  });
});
