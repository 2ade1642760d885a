import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { run, runMocks, shipped } from '../support/processes.ts';
import { open } from '../support/raw-http.ts';
import { get, headers, openHttp2, setting, windowOfConnection } from '../support/raw-http2.ts';
import { writeTlsFiles } from '../support/tls.ts';

const path = '/orders/ord_1001/summary';
const request = `GET ${path} HTTP/1.1\r\nhost: gateway\r\n\r\n`;

it('ten clients that pipeline 1,500 requests each are all answered, and cost little memory', async () => {
  const gateway = run('bin/plait.js', ['start', ...shipped], {
    ...(await runMocks()),
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    // V8 would rather take memory than collect garbage while there is some.
    NODE_OPTIONS: '--max-old-space-size=128',
  });
  const url = await gateway.ready;
  await pipeline(url, { connections: 8, requests: 250 });
  const before = gateway.memory();
  let most = before;
  let healthy = 0;
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      most = Math.max(most, gateway.memory());
      healthy += Number((await fetch(`${url}/livez`)).ok);
      await setTimeout(50);
    }
  };
  const flood = pipeline(url, { connections: 10, requests: 1_500 });
  const [answered] = await Promise.all([flood.finally(() => over.abort()), watch()]);
  expect(answered).toBe(15_000);
  expect(most - before).toBeLessThan(150);
  expect(healthy).toBeGreaterThan(5);
});

it('fifteen clients that never read answers of 24 MiB are cut off, and nothing of theirs is kept', async () => {
  const { url } = await serveWhole({ WRITE_TIMEOUT_MS: '2000' });
  await (await fetch(`${url}/whole`)).arrayBuffer();
  const before = await kept(url);
  const sockets = await Promise.all(Array.from({ length: 15 }, () => open(url)));
  for (const socket of sockets) socket.write('GET /whole HTTP/1.1\r\nhost: gateway\r\n\r\n');
  await vi.waitUntil(async () => (await kept(url)) > before + 100, waiting);
  await vi.waitUntil(async () => (await kept(url)) < before + 10, waiting);
  for (const socket of sockets) socket.destroy();
  expect((await fetch(`${url}/whole`)).status).toBe(200);
});

it.each([
  ['leave their windows closed', 0],
  ['open their windows, and read nothing of their connections', 2 ** 30],
])(
  'fifteen clients over HTTP/2 that %s are cut off from answers of 24 MiB, and nothing is kept',
  async (_what, window) => {
    const times = { WRITE_TIMEOUT_MS: '2000', KEEP_ALIVE_TIMEOUT_MS: '2000' };
    const { url } = await serveWhole({ ...times, ...writeTlsFiles().environment });
    await askHttp2(url, '/whole');
    const keptNow = async (): Promise<number> => Number(await askHttp2(url, '/kept'));
    const before = await keptNow();
    const clients = await Promise.all(Array.from({ length: 15 }, () => openHttp2(url)));
    for (const client of clients) {
      if (window > 0) client.write(setting(4, window), windowOfConnection(window));
      if (window > 0) client.read('nothing');
      client.write(headers(1, get('/whole')));
    }
    await vi.waitUntil(async () => (await keptNow()) > before + 100, waiting);
    await vi.waitUntil(async () => (await keptNow()) < before + 10, waiting);
    expect((await askHttp2(url, '/whole')).length).toBeGreaterThan(24 * 2 ** 20);
  },
);

/** The body of an answer, over a connection of its own. */
async function askHttp2(url: string, target: string): Promise<string> {
  const client = await openHttp2(url);
  client.write(setting(4, 2 ** 30), windowOfConnection(2 ** 30), headers(1, get(target)));
  const body = await client.body(1);
  client.close();
  return body;
}

it('more clients than there are file descriptors cost no accepted request its services', async () => {
  const { url } = await serveWhole({}, { openFiles: 120 });
  const crowd = await Promise.all(
    Array.from({ length: 300 }, () => open(url).catch(() => undefined)),
  );
  const statuses = new Set<number>();
  for (const socket of crowd) {
    if (socket === undefined) continue;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1'))?.[1];
      if (status !== undefined) statuses.add(Number(status));
    });
    socket.write('GET /small HTTP/1.1\r\nhost: gateway\r\n\r\n');
  }
  await vi.waitUntil(() => statuses.size > 0);
  await setTimeout(1_000);
  for (const socket of crowd) socket?.destroy();
  expect([...statuses]).toEqual([200]);
});

const waiting = { timeout: 60_000, interval: 100 };

/** Answers `/kept` with the MiB that the process has in use after its garbage is collected. */
const gatewayThatTells = `
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  import { defineGateway } from 'plait';
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc');
  export default defineGateway({
    middleware: [
      async (c, next) => {
        if (c.req.path !== '/kept') return next();
        collectGarbage();
        const { heapUsed, external } = process.memoryUsage();
        return c.json((heapUsed + external) / 2 ** 20);
      },
    ],
  });`;

async function kept(url: string): Promise<number> {
  return Number(await (await fetch(`${url}/kept`)).text());
}

/** A gateway over a service that answers `/whole` with 24 MiB of text, and `/small` with little. */
async function serveWhole(
  environment: Record<string, string>,
  { openFiles }: { readonly openFiles?: number } = {},
) {
  const whole = JSON.stringify('x'.repeat(24 * 2 ** 20));
  const service = createServer(({ url }, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(url === '/whole' ? whole : '"x"');
  });
  await new Promise<void>((resolve) => void service.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    service.closeAllConnections();
    service.close();
  });
  const { port } = service.address() as AddressInfo;
  const composition = (name: string): string => `
    import { call, defineComposition, defineService, operation } from 'plait';
    import { z } from 'zod';
    const service = defineService({ name: '${name}', url: 'http://127.0.0.1:${port}' });
    const get = operation(service, {
      name: 'get', route: 'GET /${name}', response: z.string(), maxBodyBytes: 32 * 2 ** 20, coalesce: false,
    });
    export default defineComposition({ route: 'GET /${name}', compose: () => ({ got: call(get, {}) }) });`;
  const folder = await folderWith({
    'whole.ts': composition('whole'),
    'small.ts': composition('small'),
    'gateway.ts': gatewayThatTells,
  });
  const settings = {
    ...(await runMocks()),
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    REQUESTS_PER_ADDRESS: 'off',
    ...environment,
  };
  const args = ['start', '--compositions', folder];
  const gateway = run('bin/plait.js', args, settings, {
    ...(openFiles !== undefined && { openFiles }),
  });
  return { gateway, url: await gateway.ready };
}

interface Flood {
  readonly connections: number;
  readonly requests: number;
}

/** Sends all requests of a connection at once; counts the answers with 200. */
async function pipeline(url: string, { connections, requests }: Flood): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(url)));
  const counts = sockets.map(countAnswers);
  for (const socket of sockets) socket.write(request.repeat(requests));
  const total = (): number => counts.reduce((sum, count) => sum + count(), 0);
  await vi.waitUntil(() => total() === connections * requests, { timeout: 100_000 });
  for (const socket of sockets) socket.destroy();
  return total();
}

function countAnswers(socket: Socket): () => number {
  let count = 0;
  let rest = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('HTTP/1.1 200 ');
    count += parts.length - 1;
    rest = (parts.at(-1) ?? '').slice(-16);
  });
  return () => count;
}
