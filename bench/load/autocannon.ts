/**
 * Load by autocannon, where there is no wrk:
 * `node autocannon.ts <url> <file of requests> <seconds> <connections>`.
 */
import autocannon from 'autocannon';
import type { Report } from './report.ts';
import { readRequests } from './request-file.ts';

const [url = '', file = '', seconds, connections] = process.argv.slice(2);
const requests = await readRequests(file);
let sent = 0;

const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  sampleInt: 100,
  // Given a list, each connection would go through it by itself, and all would be at the same
  // place.
  requests: [
    {
      setupRequest(request) {
        const { path, headers, body } = requests[sent++ % requests.length] ?? { path: '/' };
        const posted = body !== undefined && { method: 'POST', body };
        return { ...request, path, headers: { ...request.headers, ...headers }, ...posted };
      },
    },
  ],
});

console.log(
  JSON.stringify({
    requests: result.requests.total,
    failures: result.errors + result.timeouts,
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  } satisfies Report),
);
