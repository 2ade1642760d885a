/** A gateway with one composition that needs two services at the same time, each behind a toxic proxy. */
import type { RequestListener } from 'node:http';
import { call, defineComposition, defineService, lookup, operation } from 'plait';
import { z } from 'zod';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { request } from '../support/request.ts';
import type { Answer } from '../support/request.ts';
import { startToxicProxy } from '../support/toxic-proxy.ts';
import type { ToxicProxy } from '../support/toxic-proxy.ts';
import { startServer } from '../support/servers.ts';
import { holds } from './_toxic-shop.ts';

export interface Pair {
  readonly shop: ToxicProxy;
  /** Gets two requests each time: one for an account, one for a batch of rates. */
  readonly bank: ToxicProxy;
  ask(init?: RequestInit): Promise<Answer>;
  /** Whether nothing is under way, and these have no connection any more: one of them would be in use. */
  isAtRest(...broken: readonly ToxicProxy[]): Promise<boolean>;
}

/** `shop` is what the shop answers. Stops by itself when the test is over. */
export async function startPair(shopAnswers: RequestListener): Promise<Pair> {
  const shop = await startToxicProxy((await startServer(shopAnswers)).url);
  const bank = await startToxicProxy((await startServer()).url);
  const gateway = await startWithMocks({
    compositions: { pair: pair() },
    adminPort: 0,
    environment: { ORDERS_URL: shop.url, PAYMENTS_URL: bank.url },
  });
  return {
    shop,
    bank,
    ask: (init) => gateway.get('/pair/1', init),
    async isAtRest(...broken) {
      const closed = await holds(() => broken.every(({ open }) => open === 0));
      const { upstreams } = (await request(`${gateway.adminUrl}/upstreams`)).json;
      const calls = upstreams.map((service: { bulkhead: unknown }) => service.bulkhead);
      return closed && JSON.stringify(calls) === JSON.stringify([idle, idle]);
    },
  };
}

const idle = { inFlight: 0, waiting: 0 };

function pair() {
  const shop = defineService({ name: 'shop', url: { env: 'ORDERS_URL' } });
  const bank = defineService({ name: 'bank', url: { env: 'PAYMENTS_URL' } });
  const Item = z.object({ id: z.string() });
  const getThing = operation(shop, { route: 'GET /things/:id', response: Item });
  const getAccount = operation(bank, { route: 'GET /accounts/:id', response: Item });
  const rateOf = lookup(bank, {
    name: 'rateOf',
    route: 'GET /rates',
    keys: { query: 'ids' },
    by: 'id',
    item: Item,
  });
  return defineComposition({
    route: 'GET /pair/:id',
    compose: ({ params: { id } }) => ({
      thing: call(getThing, { id }),
      account: call(getAccount, { id }),
      rate: call(rateOf, { id }),
    }),
  });
}
