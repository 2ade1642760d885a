import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startMocks } from '../../mocks/server.ts';
import { loadCompositions } from '../../src/load-compositions.ts';
import { addressesOf } from '../support/addresses.ts';
import { folderWith } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { environmentOf } from '../support/gateway-with-mocks.ts';
import { startGateway } from '../support/gateway.ts';
import { run } from '../support/processes.ts';
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
  service.program.kill();
  await service.program.exitCode;
  const degraded = await request(gateway.url + path);

  expect([alone.json, whole.json, degraded.json]).toEqual(shown);
  expect(page).toContain(`plait-degraded: ${degraded.headers.get('plait-degraded')}\n`);
});

async function startReviews(cwd: string) {
  const path = 'reviews.mjs';
  const port = String(await freePort());
  await writeFile(join(cwd, path), (files.get(path) ?? '').replaceAll('4100', port));
  const program = run(path, [], {}, { cwd });
  return { program, url: await program.ready };
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
