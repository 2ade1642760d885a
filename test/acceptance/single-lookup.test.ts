/** A lookup of a service without an endpoint for many keys, through a whole gateway. */
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { loadCompositions } from '../../src/load-compositions.ts';
import { addressesOf } from '../support/addresses.ts';
import { folderWith } from '../support/folder.ts';
import { startGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import { startServer } from '../support/servers.ts';

const composition = `
import { call, defineComposition, each, optional } from 'plait';
import { z } from 'zod';
import { paymentOf } from './upstreams/bills.ts';

export default defineComposition({
  route: 'POST /bills',
  body: z.object({ ids: z.array(z.string()) }),
  compose: ({ body }) => ({
    bills: each(body.ids, (orderId) => optional(call(paymentOf, { orderId })), { max: 100 }),
  }),
});
`;

const lookupFile = (options: string): string => `
import { defineService, lookup } from 'plait';
import { z } from 'zod';

const bills = defineService({ name: 'bills', url: { env: 'OWN_BILLS_URL' }, retry: false });
export const paymentOf = lookup(bills, {
  name: 'paymentOf',
  ${options},
  by: 'orderId',
  item: z.object({ orderId: z.string(), total: z.number() }),
});
`;

const single = lookupFile(`single: 'GET /payments/:orderId'`);
const bulk = lookupFile(`route: 'GET /payments', keys: { query: 'ids' }`);

/** Answers for one order and for many: \`bad…\` cannot be asked for, \`no…\` has no payment. */
async function startBills(tookMs: number) {
  let atOnce = 0;
  let most = 0;
  const server = await startServer(async (asked: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(asked.url ?? '', 'http://bills');
    const [, , id] = pathname.split('/').map(decodeURIComponent);
    const ids = id === undefined ? (searchParams.get('ids') ?? '').split(',') : [id];
    const items = ids
      .filter((one) => !one.startsWith('no'))
      .map((orderId) => ({ orderId, total: orderId.length }));
    atOnce += 1;
    most = Math.max(most, atOnce);
    const status = ids.some((one) => one.startsWith('bad')) ? 400 : id && !items[0] ? 404 : 200;
    await sleep(tookMs);
    atOnce -= 1;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(id === undefined ? items : (items[0] ?? null)));
  });
  return { server, mostAtOnce: () => most };
}

/** A gateway with the lookup file; the composition's file is the same for all of them. */
async function startWith(lookups: string, tookMs = 5) {
  const bills = await startBills(tookMs);
  const folder = await folderWith({ 'bills.ts': composition });
  await writeFile(join(folder, 'upstreams/bills.ts'), lookups);
  const { plans, errors } = await loadCompositions(folder);
  expect(errors).toEqual([]);
  const own = plans.filter(({ name }) => name === 'bills');
  const gateway = await startGateway({
    plans: own,
    host: '127.0.0.1',
    port: 0,
    addresses: addressesOf(own, { OWN_BILLS_URL: bills.server.url }),
  });
  const ask = async (ids: readonly string[]) =>
    request(`${gateway.url}/bills`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ids }),
    });
  return { ...bills, ask };
}

describe('single', () => {
  it('makes a call for each different key, eight at a time', async () => {
    const { server, ask, mostAtOnce } = await startWith(single);
    const ids = Array.from({ length: 50 }, (_, index) => `order ${index % 25}`);
    const { json } = await ask(ids);
    expect(json).toEqual({ bills: ids.map((orderId) => ({ orderId, total: orderId.length })) });
    expect(server.requests.map(({ target }) => target).toSorted()).toEqual(
      [...new Set(ids)].map((id) => `/payments/${encodeURIComponent(id)}`).toSorted(),
    );
    expect(mostAtOnce()).toBe(8);
  });

  it('shares the calls of client requests that ask at the same time', async () => {
    const { server, ask } = await startWith(single, 200);
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(['1', '2'])));
    expect(new Set(answers.map(({ json }) => JSON.stringify(json))).size).toBe(1);
    expect(server.requests).toHaveLength(2);
  });

  it('takes a 404 for no item, and a failure for that of its own key', async () => {
    const { ask } = await startWith(single);
    const { json } = await ask(['1', 'no2', 'bad3', '../4']);
    expect(json).toMatchObject({ bills: [{ orderId: '1' }, null, null, null] });
    expect(json).toMatchObject({
      $problems: [
        { pointer: '/bills/2', type: 'urn:plait:problem:upstream-400' },
        { pointer: '/bills/3', type: 'urn:plait:problem:upstream-invalid-argument' },
      ],
    });
  });

  it('can become an endpoint for many keys in one file, and the answers stay the same', async () => {
    const before = await startWith(single);
    const after = await startWith(bulk);
    for (const ids of [['1', '2', '1'], ['no1'], ['3', 'no4', '5'], []]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const [own, other] = [await before.ask(ids), await after.ask(ids)];
      expect(other.json).toEqual(own.json);
    }
    expect(before.server.requests).toHaveLength(6);
    expect(after.server.requests).toHaveLength(3);
  });
});
