/**
 * `npm run overload`: asks three times as much of the gateway as it can do. Prints what came of it, and
 * fails when less than four fifths of the peak are served.
 */
import { spawnSync } from 'node:child_process';
import { setInterval } from 'node:timers/promises';
import { Pool } from 'undici';
import { startChild } from './process/child.ts';
import { findPinning } from './process/pinning.ts';
import { servicesLaunch } from './programs.ts';

/** A page of 25 orders; the payments and shipments can be missed. */
const path = '/customers/cus_1/orders?limit=25';
const clients = 64;
const peakSeconds = 5;
const overloadSeconds = 15;
const timesThePeak = 3;
const leastOfPeak = 0.8;

type Outcome = 'whole' | 'parts missing' | 'refused' | 'failed';
type Counts = Record<Outcome, number>;

const { pin, note } = findPinning();
// The load comes from here: it stays away from the gateway's core as the services do.
if (!note.startsWith('not')) spawnSync('taskset', ['-cp', '1', String(process.pid)]);
await using services = await startChild(servicesLaunch, 'surroundings', pin);
const addresses = {
  ORDERS_URL: services.url,
  PAYMENTS_URL: services.url,
  SHIPPING_URL: services.url,
};
await using gateway = await startChild(
  {
    script: 'bin/plait.js',
    args: ['start'],
    environment: {
      ...addresses,
      HOST: '127.0.0.1',
      PORT: '0',
      ADMIN_PORT: '0',
      LOG_LEVEL: 'error',
    },
  },
  'subject',
  pin,
);
const pool = new Pool(gateway.url, { connections: 2_000 });

await inTurn(2);
const peak = perSecond(await inTurn(peakSeconds), peakSeconds);
const offered = Math.round(served(peak) * timesThePeak);
print(`peak, ${clients} clients that wait for their answers`, peak);
// The first seconds are those in which the pressure rises.
const overload = perSecond(await atRate(offered, overloadSeconds), overloadSeconds);
print(`${offered} requests a second, whatever comes back`, overload);
const share = served(overload) / served(peak);
console.log(
  `served: ${Math.round(share * 100)} % of the peak; at least ${leastOfPeak * 100} % are wanted`,
);
await pool.destroy();
if (share < leastOfPeak) process.exitCode = 1;

/** As many clients as there are, each asking again when it has its answer. */
async function inTurn(seconds: number): Promise<Counts> {
  const counts = nothing();
  const until = performance.now() + seconds * 1_000;
  async function client(): Promise<void> {
    while (performance.now() < until) {
      // oxlint-disable-next-line no-await-in-loop -- that is what a client does
      counts[await ask()] += 1;
    }
  }
  await Promise.all(Array.from({ length: clients }, client));
  return counts;
}

/** What was answered in time; what is sent in the last moments is given the time to come back. */
async function atRate(rate: number, seconds: number): Promise<Counts> {
  const counts = nothing();
  const underWay: Promise<void>[] = [];
  const startedAt = performance.now();
  for await (const _ of setInterval(1)) {
    const elapsed = (performance.now() - startedAt) / 1_000;
    const due = Math.floor(Math.min(elapsed, seconds) * rate);
    while (underWay.length < due)
      underWay.push(ask().then((outcome) => void (counts[outcome] += 1)));
    if (elapsed >= seconds) break;
  }
  await Promise.all(underWay);
  return counts;
}

async function ask(): Promise<Outcome> {
  try {
    const headers = { 'x-request-timeout-ms': '2000' };
    const {
      statusCode,
      headers: answered,
      body,
    } = await pool.request({ path, method: 'GET', headers });
    await body.dump();
    if (statusCode === 200) return 'plait-degraded' in answered ? 'parts missing' : 'whole';
    return statusCode === 503 ? 'refused' : 'failed';
  } catch {
    return 'failed';
  }
}

function nothing(): Counts {
  return { whole: 0, 'parts missing': 0, refused: 0, failed: 0 };
}

function perSecond(counts: Counts, seconds: number): Counts {
  const rates = Object.entries(counts).map(([outcome, count]) => [outcome, count / seconds]);
  return Object.fromEntries(rates) as Counts; // the same outcomes
}

function served(rates: Counts): number {
  return rates.whole + rates['parts missing'];
}

function print(what: string, rates: Counts): void {
  const words = Object.entries(rates).map(([outcome, rate]) => `${outcome} ${Math.round(rate)}/s`);
  console.log(`${what}: ${words.join(', ')}`);
}
