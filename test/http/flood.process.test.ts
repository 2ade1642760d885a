import type { Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { run, runMocks, shipped } from '../support/processes.ts';
import { open } from '../support/raw-http.ts';

const path = '/orders/ord_1001/summary';
const request = `GET ${path} HTTP/1.1\r\nhost: gateway\r\n\r\n`;

it(
  'ten clients that pipeline 1,500 requests each are all answered, and cost little memory',
  { timeout: 120_000 },
  async () => {
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
    const watch = setInterval(() => {
      most = Math.max(most, gateway.memory());
      void fetch(`${url}/livez`).then(({ ok }) => (healthy += Number(ok)));
    }, 50);
    onTestFinished(() => clearInterval(watch));
    expect(await pipeline(url, { connections: 10, requests: 1_500 })).toBe(15_000);
    expect(most - before).toBeLessThan(150);
    expect(healthy).toBeGreaterThan(5);
  },
);

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
