import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { startMocks } from '../../mocks/server.ts';
import { loadCompositions } from '../../src/load-compositions.ts';
import { addressesOf } from '../support/addresses.ts';
import { folderWith } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { environmentOf } from '../support/gateway-with-mocks.ts';
import { startGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/first-composition.md'), 'utf8');

/** The files that the page has its reader write, by the path in their first line. */
const files = new Map(
  Array.from(page.matchAll(/^```[jt]s\n\/\/ (\S+)\n([^]*?)^```$/gm), ([, path = '', text = '']) => [
    path,
    text,
  ]),
);

/** The bodies that the page says `curl` prints. */
const shown = Array.from(page.matchAll(/^[[{].+[\]}]$/gm), ([body]): unknown => JSON.parse(body));

it('shows what a gateway with the files of the page answers, with and without the service', async () => {
  const folder = await folderWith({
    'upstreams/reviews.ts': files.get('compositions/upstreams/reviews.ts') ?? '',
    'order-reviews.ts': files.get('compositions/order-reviews.ts') ?? '',
  });
  const service = await startReviews(dirname(folder));
  const gateway = await startWith(folder, service.url);
  const path = '/orders/ord_1008/reviews';

  const alone = await request(`${service.url}/reviews?skus=MUG-01,TEA-07`);
  const whole = await request(gateway.url + path);
  await service.stop();
  const degraded = await request(gateway.url + path);

  expect([alone.json, whole.json, degraded.json]).toEqual(shown);
  expect(page).toContain(`plait-degraded: ${degraded.headers.get('plait-degraded')}\n`);
});

/** In a thread, which can be ended as its reader ends the program. */
async function startReviews(cwd: string) {
  const path = join(cwd, 'reviews.mjs');
  const port = String(await freePort());
  await writeFile(path, (files.get('reviews.mjs') ?? '').replaceAll('4100', port));
  const thread = new Worker(path, { stdout: true });
  onTestFinished(async () => void (await thread.terminate()));
  const [line] = await once(thread.stdout.setEncoding('utf8'), 'data');
  expect(line).toBe(`ready http://127.0.0.1:${port}\n`);
  return { url: `http://127.0.0.1:${port}`, stop: () => thread.terminate() };
}

async function startWith(folder: string, reviewsUrl: string) {
  const { plans, errors, warnings } = await loadCompositions(folder);
  expect([errors, warnings]).toEqual([[], []]);
  const mocks = await startMocks();
  onTestFinished(() => mocks.close());
  const environment = { ...environmentOf(mocks), REVIEWS_URL: reviewsUrl };
  const gateway = await startGateway({ plans, addresses: addressesOf(plans, environment) });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  return gateway;
}
