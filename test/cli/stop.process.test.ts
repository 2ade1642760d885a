import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { run, runMocks, shipped } from '../support/processes.ts';
import { readAnswers } from '../support/raw-http.ts';
import { startServer } from '../support/servers.ts';

const stops = process.env['PROPERTIES'] === 'long' ? 200 : 3;
const request = 'GET /orders/ord_1001/summary HTTP/1.1\r\nhost: gateway\r\n\r\n';

it(
  `a stop under load loses no request and no connection, ${stops} times in a row`,
  { timeout: 600_000 },
  async ({ annotate }) => {
    const mocks = await runMocks();
    const lost: Lost[] = [];
    let answered = 0;
    for (let stop = 0; stop < stops; stop += 1) {
      const gateway = run('bin/plait.js', ['start', ...shipped], {
        ...mocks,
        PORT: '0',
        SHUTDOWN_DELAY_MS: '100',
      });
      const port = Number(new URL(await gateway.ready).port);
      const clients = [
        ...Array.from({ length: 8 }, () => askUntilClosed(port, { reconnects: false })),
        ...Array.from({ length: 4 }, () => askUntilClosed(port, { reconnects: true })),
      ];
      await vi.waitUntil(() => clients.every((client) => client.answered() > 2));
      gateway.kill('SIGTERM');
      for (const client of clients) {
        await client.ended;
        answered += client.answered();
        lost.push(...client.lost);
      }
      expect(await gateway.exitCode).toBe(0);
    }
    await annotate(`${lost.length} of ${answered + lost.length} requests were lost`);
    expect(lost.filter(({ answered: before }) => before > 0)).toEqual([]);
    // The system accepts connections on our behalf until the very moment of the close, so on a busy
    // machine one may be reset now and then.
    expect(lost.length).toBeLessThanOrEqual(Math.ceil(stops / 20));
  },
);

interface Client {
  /** How many requests have been answered. */
  answered(): number;
  readonly lost: readonly Lost[];
  /** Settles when no connection is accepted any more. */
  readonly ended: Promise<void>;
}

/** A connection that was open, and ended while it waited for an answer. */
interface Lost {
  /** The requests that it had answered before. */
  readonly answered: number;
  readonly how: string;
}

/** Asks one request after the other until no connection is accepted any more. */
function askUntilClosed(port: number, { reconnects }: { readonly reconnects: boolean }): Client {
  const lost: Lost[] = [];
  let answered = 0;
  const onAnswer = (): void => void (answered += 1);
  async function askOn(): Promise<void> {
    for (;;) {
      const end = await converse(port, reconnects ? 1 : Infinity, onAnswer);
      if (end.kind === 'refused') return;
      if (end.kind === 'lost') lost.push(end);
    }
  }
  return { answered: () => answered, lost, ended: askOn() };
}

type End = { readonly kind: 'refused' | 'closed' } | ({ readonly kind: 'lost' } & Lost);

/** Asks up to `most` requests on one connection, each after the answer to the one before. */
function converse(port: number, most: number, onAnswer: () => void): Promise<End> {
  return new Promise((resolve) => {
    let answered = 0;
    let received = '';
    let isOpen = false;
    let isWaiting = false;
    let how = 'closed';
    const socket = connect(port, '127.0.0.1', () => {
      isOpen = true;
      ask();
    });
    function ask(): void {
      received = '';
      isWaiting = true;
      socket.write(request);
    }
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
      const [answer] = readAnswers(received);
      if (answer === undefined) return;
      answered += 1;
      onAnswer();
      isWaiting = false;
      if (answered < most && answer.headers['connection'] !== 'close') ask();
      else socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (how = error.code ?? error.message));
    socket.once('close', () => {
      if (!isOpen) resolve({ kind: 'refused' });
      else if (isWaiting) resolve({ kind: 'lost', answered, how });
      else resolve({ kind: 'closed' });
    });
  });
}

describe('a stop', () => {
  const nowhere = Object.fromEntries(
    ['ORDERS', 'PAYMENTS', 'SHIPPING'].map((name) => [`${name}_URL`, 'http://127.0.0.1:9']),
  );
  const folder = {
    'slow.ts': `
      import { call, defineComposition, defineService, operation } from 'plait';
      import { z } from 'zod';
      const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, timeoutMs: 60_000 });
      const part = operation(shop, { name: 'part', route: 'GET /part/:id', response: z.null() });
      export default defineComposition({
        route: 'GET /slow/:id',
        deadlineMs: 60_000,
        compose: ({ params }) => call(part, { id: params.id }),
      });`,
  };

  async function startSlow() {
    const shop = await startServer(() => undefined);
    const gateway = run('bin/plait.js', ['start', '--compositions', await folderWith(folder)], {
      ...nowhere,
      SHOP_URL: shop.url,
      PORT: '0',
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
      SHUTDOWN_DELAY_MS: '0',
    });
    const url = await gateway.ready;
    const last = () => JSON.parse(gateway.errors().trimEnd().split('\n').at(-1) ?? '');
    const statuses = () =>
      [...gateway.errors().matchAll(/"status":(\d+)/g)].map(([, status]) => Number(status));
    return { gateway, shop, url, last, statuses };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('by %s is the last line of the log', async (signal) => {
    const { gateway, last } = await startSlow();
    gateway.kill(signal);
    expect(await gateway.exitCode).toBe(0);
    expect(last()).toEqual({
      level: 'info',
      time: expect.any(String),
      message: 'The gateway has stopped',
      reason: signal,
      duration_ms: expect.any(Number),
      requests_cut: 0,
    });
  });

  it('says how many requests it has cut off', async () => {
    const { gateway, shop, url, last, statuses } = await startSlow();
    const asked = [1, 2].map((id) => fetch(`${url}/slow/${id}`).catch(() => 'cut'));
    await expect.poll(() => shop.requests.length).toBe(2);
    gateway.kill();
    expect(await Promise.all(asked)).toEqual(['cut', 'cut']);
    expect(await gateway.exitCode).toBe(0);
    expect(last()).toMatchObject({ level: 'warn', reason: 'SIGTERM', requests_cut: 2 });
    expect(last().duration_ms).toBeGreaterThan(9_000);
    // Not a 502 that blames the service.
    expect(statuses()).toEqual([499, 499]);
  });
});
