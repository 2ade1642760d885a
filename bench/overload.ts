/**
 * `npm run overload`: asks for three times as much as the gateway can do and prints how much of it is
 * served. Fails when that is less than four fifths of the peak, or when a request fails that was
 * admitted.
 */
import { spawnSync } from 'node:child_process';
import { setInterval } from 'node:timers/promises';
import { Pool } from 'undici';
import { runMain } from './command.ts';
import { startChild } from './process/child.ts';
import type { Launch } from './process/child.ts';
import { findPinning } from './process/pinning.ts';
import { addresses, servicesLaunch } from './programs.ts';

/**
 * Pages of 100 orders, whose payments and shipments may be missing, of many customers. Less work for
 * the gateway, as by one page that everybody shares, would measure these clients instead: they have
 * a core together with the services.
 */
const customers = 5_000;
let asked = 0;

const clients = 64;
const warmUpSeconds = 2;
const peakSeconds = 5;
/** In the first of them the pressure rises. */
const overloadSeconds = 15;
const timesThePeak = 3;
const leastOfPeak = 0.8;

/** `refused`: not admitted, a 503. `failed`: admitted, but not served. */
const ends = ['whole', 'parts missing', 'refused', 'failed'] as const;
type End = (typeof ends)[number];
type Counts = Record<End, number>;

async function main(): Promise<void> {
  const { pin, note } = findPinning();
  // The load comes from this process, which keeps off the gateway's core as the services do.
  if (!note.startsWith('not')) spawnSync('taskset', ['-cp', '1', String(process.pid)]);
  await using services = await startChild(servicesLaunch, 'surroundings', pin);
  await using gateway = await startChild(shippedGateway(services.url), 'subject', pin);
  const pool = new Pool(gateway.url, { connections: 2_000 });

  await closedLoop(pool, warmUpSeconds);
  const peak = perSecond(await closedLoop(pool, peakSeconds), peakSeconds);
  print(`peak, ${clients} clients that wait for their answers`, peak);
  const offered = Math.round(served(peak) * timesThePeak);
  const counts = await openLoop(pool, offered, overloadSeconds);
  const overload = perSecond(counts, overloadSeconds);
  print(`${offered} requests a second, whatever comes back`, overload);
  await pool.destroy();

  const share = served(overload) / served(peak);
  const percent = Math.round(share * 100);
  console.log(`served: ${percent} % of the peak; at least ${leastOfPeak * 100} % are wanted`);
  console.log(`failed: ${counts.failed} requests; none is wanted`);
  if (share < leastOfPeak || counts.failed > 0) process.exitCode = 1;
}

/** The shipped compositions, with everything as it is by default. */
function shippedGateway(services: string): Launch {
  const ports = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0' };
  return {
    script: 'bin/plait.js',
    args: ['start'],
    environment: {
      ...addresses(services),
      ...ports,
      LOG_LEVEL: 'error',
      // All of the load comes from one address.
      REQUESTS_PER_ADDRESS: 'off',
    },
  };
}

/** As many clients as there are, each sending its next request when it has its answer. */
async function closedLoop(pool: Pool, seconds: number): Promise<Counts> {
  const counts = noCounts();
  const until = performance.now() + seconds * 1_000;
  async function client(): Promise<void> {
    while (performance.now() < until) {
      // oxlint-disable-next-line no-await-in-loop -- that is what a client does
      counts[await ask(pool)] += 1;
    }
  }
  await Promise.all(Array.from({ length: clients }, client));
  return counts;
}

/**
 * Sends `rate` requests a second. Counts what is answered in that time; what comes later counts only
 * if it has failed, or a program that falls behind would seem to serve more than it does.
 */
async function openLoop(pool: Pool, rate: number, seconds: number): Promise<Counts> {
  const counts = noCounts();
  const underWay: Promise<void>[] = [];
  const startedAt = performance.now();
  const elapsed = (): number => (performance.now() - startedAt) / 1_000;
  async function client(): Promise<void> {
    const end = await ask(pool);
    if (end === 'failed' || elapsed() <= seconds) counts[end] += 1;
  }
  for await (const _ of setInterval(1)) {
    const due = Math.floor(Math.min(elapsed(), seconds) * rate);
    while (underWay.length < due) underWay.push(client());
    if (elapsed() >= seconds) break;
  }
  await Promise.all(underWay);
  return counts;
}

/** By `dispatch`, at half the price of `request`: the clients share their core with the services. */
function ask(pool: Pool): Promise<End> {
  const { promise, resolve } = Promise.withResolvers<End>();
  asked += 1;
  const path = `/customers/cus_${asked % customers}/orders?limit=100`;
  let end: End = 'failed';
  pool.dispatch(
    { path, method: 'GET', headers: { 'x-request-timeout-ms': '2000' } },
    {
      onRequestStart: ignore,
      onResponseStart: (_, status, headers) => void (end = endOf(status, headers)),
      onResponseData: ignore,
      onResponseEnd: () => resolve(end),
      onResponseError: () => resolve('failed'),
    },
  );
  return promise;
}

function endOf(status: number, headers: object): End {
  if (status === 503) return 'refused';
  if (status !== 200) return 'failed';
  return 'plait-degraded' in headers ? 'parts missing' : 'whole';
}

function ignore(): void {}

function noCounts(): Counts {
  return { whole: 0, 'parts missing': 0, refused: 0, failed: 0 };
}

function perSecond(counts: Counts, seconds: number): Counts {
  const rates = ends.map((end) => [end, counts[end] / seconds]);
  return Object.fromEntries(rates) as Counts; // the same ends
}

function served(rates: Counts): number {
  return rates.whole + rates['parts missing'];
}

function print(title: string, rates: Counts): void {
  console.log(`${title}: ${ends.map((end) => `${end} ${Math.round(rates[end])}/s`).join(', ')}`);
}

await runMain(main);
