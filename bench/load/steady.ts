/**
 * Load at a fixed rate (open-loop), so that a slow answer does not hold up the next request and no
 * delay goes unseen: `node steady.ts <url> <file of requests> <seconds> <connections> <rate>`.
 */
import { setInterval } from 'node:timers/promises';
import { Pool } from 'undici';
import { percentile } from '../statistics.ts';
import type { Report } from './report.ts';
import { readRequests } from './request-file.ts';

const [url = '', file = '', seconds, connections, rate] = process.argv.slice(2);
const requests = await readRequests(file);
const pool = new Pool(url, { connections: Number(connections) });
const total = Math.floor(Number(rate) * Number(seconds));
/** The first quarter opens connections and warms this program up; its latencies do not count. */
const counted = Math.floor(total / 4);

const latencies = new Float64Array(total);
const underWay: Promise<void>[] = [];
let failures = 0;

const startedAt = performance.now();
for await (const now of setInterval(1, () => performance.now())) {
  const due = Math.min(total, Math.floor(((now() - startedAt) / 1000) * Number(rate)));
  while (underWay.length < due) underWay.push(send(underWay.length));
  if (due === total) break;
}
await Promise.all(underWay);
await pool.close();

const measured = latencies.subarray(counted);
console.log(
  JSON.stringify({
    requests: total,
    failures,
    seconds: (performance.now() - startedAt) / 1000,
    p50Ms: percentile(measured, 0.5),
    p99Ms: percentile(measured, 0.99),
  } satisfies Report),
);

async function send(index: number): Promise<void> {
  const { path, headers = {}, body = null } = requests[index % requests.length] ?? { path: '/' };
  const method = body === null ? 'GET' : 'POST';
  const sentAt = performance.now();
  try {
    const response = await pool.request({ path, method, headers, body });
    await response.body.dump();
  } catch {
    failures += 1;
  }
  latencies[index] = performance.now() - sentAt;
}
