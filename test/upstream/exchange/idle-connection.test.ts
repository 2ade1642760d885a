/** Idle connections that the service closes: no failure of it, and no failure of a read. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { ServiceConfig } from '../../../src/dsl/service.ts';
import { startServer, startSocketServer } from '../../support/servers.ts';
import { openShop, turn } from '../../support/upstream-calls.ts';

const ok = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n1';
const emptyList = ok.replace('content-length: 1\r\n\r\n1', 'content-length: 2\r\n\r\n[]');

type Break = (socket: Socket) => void;

const breaks: readonly (readonly [string, Break])[] = [
  ['closes it', (socket) => socket.end()],
  ['resets it', (socket) => socket.resetAndDestroy()],
];

/** A service that answers the first request of each connection, and does `later` at the second. */
async function startClosing(later: Break, service: Partial<ServiceConfig> = {}) {
  const seen = new Map<Socket, number>();
  const server = await startSocketServer((socket, text) => {
    const count = (seen.get(socket) ?? 0) + 1;
    seen.set(socket, count);
    if (count > 1) later(socket);
    else socket.write(text.includes('ids=') ? emptyList : ok);
  });
  const shop = openShop({
    url: server.url,
    service: { breaker: { volume: 1, failedPercent: 1 }, ...service },
  });
  const operations = {
    read: operation(shop.service, { route: 'GET /things/:id', response: z.unknown() }),
    keys: lookup(shop.service, {
      route: 'GET /items',
      keys: { query: 'ids' },
      by: 'id',
      item: z.object({ id: z.string() }),
    }),
    write: operation(shop.service, { route: 'POST /things/:id', response: z.unknown() }),
    put: operation(shop.service, {
      route: 'PUT /things/:id',
      response: z.unknown(),
      idempotent: true,
    }),
  };
  return {
    server,
    breaker: () => shop.upstreams.status()[0]?.breaker,
    async ask(what: keyof typeof operations, id = 'a') {
      const call = shop.open()(operations[what], { id }, undefined);
      const answer = await call.then(
        ({ value }) => value,
        (error: unknown) => error,
      );
      // The connection is free for the next call.
      await turn();
      return answer;
    },
  };
}

describe('a connection that was idle', () => {
  it.each(breaks)('and on which the service %s is replaced for a read', async (_, later) => {
    const { ask, server, breaker } = await startClosing(later);
    for (let time = 0; time < 5; time += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      expect(await ask('read')).toBe(1);
      // oxlint-disable-next-line no-await-in-loop -- see above
      expect(await ask('keys')).toBe(null);
    }
    expect(breaker()).toBe('closed');
    expect(server.requests.length).toBeGreaterThan(10);
  });

  it.each(breaks)('and on which the service %s costs no retry budget', async (_, later) => {
    const options = { retry: {}, retryBudget: { percent: 0, floor: 0 } };
    const { ask, breaker } = await startClosing(later, options);
    for (let time = 0; time < 6; time += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      expect(await ask('read')).toBe(1);
      // oxlint-disable-next-line no-await-in-loop -- see above
      expect(await ask('put')).toBe(1);
    }
    expect(breaker()).toBe('closed');
  });

  it.each(breaks)('and on which the service %s fails a write, and no breaker', async (_, later) => {
    const { ask, server, breaker } = await startClosing(later);
    expect(await ask('write')).toBe(1);
    expect(await ask('write')).toMatchObject({ kind: 'reset', isStale: true });
    expect(breaker()).toBe('closed');
    expect(server.requests).toHaveLength(2);
  });

  it('is blamed on the service when an answer had begun', async () => {
    const { ask, server, breaker } = await startClosing((socket) => socket.end('HTTP/1.1 2'));
    expect(await ask('read')).toBe(1);
    expect(await ask('read')).toMatchObject({ kind: 'reset', isStale: false });
    expect(breaker()).toBe('open');
    expect(server.requests).toHaveLength(2);
  });

  it('is sent again only once', async () => {
    const server = await startSocketServer((socket) => {
      if (server.requests.length === 1) socket.write(ok);
      else socket.end();
    });
    const shop = openShop({ url: server.url });
    const read = operation(shop.service, { route: 'GET /things', response: z.unknown() });
    await shop.open()(read, {}, undefined);
    await turn();
    const error = await shop
      .open()(read, {}, undefined)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'reset', isStale: false });
    expect(server.requests).toHaveLength(3);
  });
});

describe('a new connection', () => {
  it.each(breaks)('on which the service %s before it answers is its failure', async (_, later) => {
    const server = await startSocketServer(later);
    const shop = openShop({ url: server.url, service: { breaker: { volume: 1 } } });
    const read = operation(shop.service, { route: 'GET /things', response: z.unknown() });
    const error = await shop
      .open()(read, {}, undefined)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'reset', isStale: false });
    expect(shop.upstreams.status()[0]?.breaker).toBe('open');
    expect(server.requests).toHaveLength(1);
  });
});

describe('the time a service keeps a connection', () => {
  it.each([
    ['timeout=1', 3],
    ['timeout=2', 3],
    ['timeout=2, max=100', 3],
    ['timeout=30', 1],
    [undefined, 1],
  ])('announced as %j makes %i connections of three requests', async (keepAlive, connections) => {
    const server = await startServer((_, response) => {
      if (keepAlive !== undefined)
        response.setHeader('keep-alive', keepAlive).setHeader('connection', 'keep-alive');
      response.end('1');
    });
    const shop = openShop({ url: server.url });
    const read = operation(shop.service, { route: 'GET /things', response: z.unknown() });
    for (let time = 0; time < 3; time += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await shop.open()(read, {}, undefined);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await turn();
    }
    expect(server.accepted).toBe(connections);
  });
});
