import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { call } from '../../src/dsl/steps.ts';
import type { EdgeOptions } from '../../src/edge/layers.ts';
import { parseNetwork } from '../../src/network.ts';
import { combine } from '../../src/telemetry/telemetry.ts';
import type { Watched } from '../../src/telemetry/telemetry.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { open } from '../support/raw-http.ts';
import { localPart, value } from '../support/serve.ts';
import { startUpstream } from '../support/upstream.ts';

const compositions = {
  part: defineComposition({
    route: 'GET /parts/:name',
    params: z.object({ name: z.string() }),
    compose: ({ params }) => ({ part: call(localPart, { name: params.name }) }),
  }),
};
const loopback = parseNetwork('127.0.0.1');

async function serveParts(edge: EdgeOptions) {
  const upstream = await startUpstream();
  const watched: Watched[] = [];
  const app = await startWithMocks({
    compositions,
    environment: { UPSTREAM_URL: upstream.url },
    edge,
    telemetry: combine([{ watch: (gateway) => void watched.push(gateway) }]),
  });
  return { ...app, upstream, shed: () => watched[0]?.shed };
}

describe('requests in progress', () => {
  it('of one address are refused at once beyond its limit, and welcome when one has ended', async () => {
    const { get, upstream, shed } = await serveParts({ requestsPerAddress: 1 });
    const first = get('/parts/a');
    const arrival = await upstream.next('GET /local/a');
    const refused = await get('/parts/b');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.json).toMatchObject({
      type: 'urn:plait:problem:unavailable',
      detail: 'Too many requests are in progress.',
    });
    expect(shed()).toEqual({ steps: 0, requests: 0, overLimit: 1 });
    arrival.answer(value('a'));
    expect((await first).status).toBe(200);
    const again = get('/parts/b');
    await upstream.answer('GET /local/b', value('b'));
    expect((await again).status).toBe(200);
  });

  it('do not count health checks', async () => {
    const { get, upstream } = await serveParts({ requests: 1 });
    const first = get('/parts/a');
    await vi.waitUntil(() => upstream.waiting() === 1);
    expect([(await get('/parts/b')).status, (await get('/livez')).status]).toEqual([503, 200]);
    upstream.answerAll(() => value('a'));
    expect((await first).status).toBe(200);
  });

  it('of a trusted proxy count for the address that it forwards', async () => {
    const { get, upstream } = await serveParts({
      requestsPerAddress: 1,
      trustedPeers: loopback ? [loopback] : [],
    });
    const from = (address: string, name: string) =>
      get(`/parts/${name}`, { headers: { 'x-forwarded-for': address } });
    const first = from('203.0.113.1', 'a');
    const arrival = await upstream.next('GET /local/a');
    expect((await from('203.0.113.1', 'b')).status).toBe(503);
    const other = from('203.0.113.2', 'b');
    await upstream.answer('GET /local/b', value('b'));
    expect((await other).status).toBe(200);
    arrival.answer(value('a'));
    expect((await first).status).toBe(200);
  });

  it('end with their connection, pipelined ones too', async () => {
    const { url, get, upstream } = await serveParts({ requestsPerAddress: 3 });
    const socket = await open(url);
    for (const name of ['a', 'b', 'c'])
      socket.write(`GET /parts/${name} HTTP/1.1\r\nhost: gateway\r\n\r\n`);
    const arrivals = await Promise.all(
      ['a', 'b', 'c'].map((name) => upstream.next(`GET /local/${name}`)),
    );
    expect((await get('/parts/d')).status).toBe(503);
    socket.destroy();
    await Promise.all(arrivals.map(({ abandoned }) => abandoned));
    upstream.answerAll(() => value('x'));
    const answers = await Promise.all(['d', 'e', 'f'].map((name) => get(`/parts/${name}`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('last until their answer is read', async () => {
    const { url, get, upstream } = await serveParts({ requestsPerAddress: 1 });
    upstream.answerAll(() => value('x'.repeat(4_000_000)));
    const socket = await open(url);
    socket.write('GET /parts/a HTTP/1.1\r\nhost: gateway\r\n\r\n');
    await once(socket, 'readable');
    expect((await get('/parts/b')).status).toBe(503);
    socket.destroy();
    await vi.waitUntil(async () => (await get('/parts/b')).status === 200);
    expect(upstream.asked()).toEqual(['GET /local/a', 'GET /local/b']);
  });

  it('of one client that asks 500 slow things leave room for twenty others', async () => {
    const { get, upstream } = await serveParts({
      requestsPerAddress: 100,
      trustedPeers: loopback ? [loopback] : [],
    });
    const from = (address: string, name: string) =>
      get(`/parts/${name}`, { headers: { 'x-forwarded-for': address } });
    let refused = 0;
    const greedy = Array.from({ length: 500 }, async (_, index) => {
      const answer = await from('203.0.113.1', `slow-${index}`);
      refused += Number(answer.status === 503);
      return answer;
    });
    await vi.waitUntil(() => refused === 400 && upstream.waiting() === 100);
    const others = Array.from({ length: 20 }, (_, index) =>
      from(`198.51.100.${index}`, `o${index}`),
    );
    await Promise.all(
      others.map((_, index) => upstream.answer(`GET /local/o${index}`, value('own'))),
    );
    const statuses = (await Promise.all(others)).map(({ status }) => status);
    expect(statuses).toEqual(others.map(() => 200));
    upstream.answerAll(() => value('late'));
    const served = (await Promise.all(greedy)).filter(({ status }) => status === 200);
    expect(served).toHaveLength(100);
  });
});

describe('a host', () => {
  it.each([
    ['api.example.com', 200],
    ['API.example.com:8443', 200],
    ['other.example.com', 421],
    ['api.example.com.evil.example', 421],
  ])('%s is answered with %i where only api.example.com is served', async (host, status) => {
    const { url, upstream } = await serveParts({ allowedHosts: ['api.example.com'] });
    upstream.answerAll(() => value('a'));
    const socket = await open(url);
    socket.write(`GET /parts/a HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toContain(`HTTP/1.1 ${status} `);
  });

  it('of a health check may be an address', async () => {
    const { get } = await serveParts({ allowedHosts: ['api.example.com'] });
    expect((await get('/livez')).status).toBe(200);
  });
});
