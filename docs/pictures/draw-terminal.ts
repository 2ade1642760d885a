/**
 * Draws what an operator sees at the terminal, from a real run in which services fail:
 * `node docs/pictures/draw-terminal.ts`. With `--check`, says which pictures are stale instead.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMocks } from '../../mocks/server.ts';
import type { Mocks } from '../../mocks/server.ts';
import { drawTerminal, shapeOf } from './terminal-picture.ts';
import type { Shown } from './terminal-picture.ts';

const limitMs = 60_000;
const program = join(import.meta.dirname, '../../bin/plait.js');
/** Longer than the pause in which `--follow` asks. */
const followMs = 1_500;

/** Ctrl-C. */
const interrupt = '\u0003';

/** Asks the gateway for a path. */
type Ask = (path: string) => Promise<unknown>;

setTimeout(() => process.exit(1), limitMs).unref();
const pictures = await record();
const isCheck = process.argv.includes('--check');
for (const [name, picture] of Object.entries(pictures)) {
  const file = join(import.meta.dirname, `${name}.svg`);
  // oxlint-disable-next-line no-await-in-loop -- five small files
  if (isCheck) await compare(file, picture);
  // oxlint-disable-next-line no-await-in-loop -- five small files
  else await writeFile(file, picture);
}

async function compare(file: string, picture: string): Promise<void> {
  const before = shapeOf(await readFile(file, 'utf8'));
  const now = shapeOf(picture);
  const from = now.findIndex((word, index) => word !== before[index]);
  if (from === -1 && now.length === before.length) return;
  const words = now.slice(Math.max(0, from - 3), from + 5).join(' ');
  process.stdout.write(`${file} is stale. Now it says: … ${words} …\n`);
  process.exitCode = 1;
}

async function record(): Promise<Record<string, string>> {
  await using started = new AsyncDisposableStack();
  const mocks = await startMocks();
  started.defer(mocks.close);
  const environment = {
    PATH: process.env['PATH'],
    ORDERS_URL: mocks.orders.url,
    PAYMENTS_URL: mocks.payments.url,
    SHIPPING_URL: mocks.shipping.url,
    PORT: String(await freePort()),
    ADMIN_PORT: String(await freePort()),
    FORCE_COLOR: '1',
  };
  const plait = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [program, ...args], { env: environment });
  /** What a command writes, until it ends or is ended. */
  const run = async (...args: string[]): Promise<Shown> => {
    const command = ['npx plait', ...args].join(' ');
    return { command, output: await outputOf(plait(...args)) };
  };

  // In a terminal (`script`), for which log lines have colours.
  const start = `${process.execPath} ${program} start`;
  const gateway = spawn('script', ['-qec', start, '/dev/null'], { env: environment });
  started.defer(async () => {
    gateway.stdin.write(interrupt);
    await once(gateway, 'close');
  });
  const log = logOf(gateway);
  await log.until('ready');
  const ask: Ask = async (path) =>
    (await fetch(`http://127.0.0.1:${environment.PORT}${path}`)).text();

  await ask('/orders/ord_1001/summary');
  await ask('/customers/cus_1/dashboard');
  const follower = plait('trace', '--follow');
  const following = outputOf(follower);
  await sleep(followMs);
  await provoke(mocks, ask);
  const list = await run('trace');
  const degraded = /^(\w{4})\w+ .*degraded payment/m.exec(list.output)?.[1] ?? '';
  const waterfall = await run('trace', degraded);
  await sleep(followMs);
  follower.kill();
  const follow = { command: 'npx plait trace --follow', output: await following };
  const asked = log.text();
  await openBreaker(mocks, ask);
  const upstreams = await run('upstreams');
  const explained = await run('explain', '/orders/ord_1001/summary');
  await log.until('has opened');
  const opened = log
    .text()
    .split('\n')
    .filter((line) => line.includes('has opened'));

  return {
    'terminal-trace': drawTerminal('The list of traces, and one of them', [list, waterfall]),
    'terminal-follow': drawTerminal('Traces as they come', [follow]),
    'terminal-upstreams': drawTerminal('The state of all services', [upstreams]),
    'terminal-explain': drawTerminal('The plan of a composition', [explained]),
    'terminal-log': drawTerminal('The log of a gateway', [
      { command: 'npx plait start', output: [asked.trimEnd(), ...opened].join('\n') },
    ]),
  };
}

/** One request for each kind of trouble. */
async function provoke({ orders, payments, shipping }: Mocks, ask: Ask): Promise<void> {
  payments.fault([{ match: 'GET /payments*', latencyMs: 120, status: 503 }]);
  shipping.fault([{ match: 'GET /shipments*', latencyMs: 150 }]);
  await ask('/orders/ord_1001/summary');
  payments.fault([]);
  shipping.fault([{ match: 'GET /shipments*', latencyMs: 700 }]);
  await ask('/orders/ord_1002/summary');
  shipping.fault([]);
  orders.fault([{ match: 'GET /orders*', status: 500 }]);
  await ask('/orders/ord_1001/summary');
  orders.fault([]);
  await ask('/orders/ord_404/summary');
}

/** Has its volume of attempts, most of which fail. */
async function openBreaker({ payments }: Mocks, ask: Ask): Promise<void> {
  payments.fault([{ match: 'GET /payments*', status: 503 }]);
  // oxlint-disable-next-line no-await-in-loop -- at once they would share a batch
  for (let left = 25; left > 0; left -= 1) await ask('/orders/ord_1001/summary');
}

interface LogReader {
  text(): string;
  until(words: string): Promise<void>;
}

/** Both outputs of a process, as a terminal shows them. */
function logOf({ stdout, stderr }: ChildProcess): LogReader {
  let seen = '';
  for (const output of [stdout, stderr]) output?.on('data', (data) => (seen += String(data)));
  return {
    text: () => seen,
    async until(words) {
      // oxlint-disable-next-line no-await-in-loop -- ends with the process, at the latest
      while (!seen.includes(words)) await sleep(20);
    },
  };
}

async function outputOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('its output is not piped');
  return text(stdout);
}

async function freePort(): Promise<number> {
  await using server: Server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return port;
}
