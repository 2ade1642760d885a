/** Items behind a gateway, for requests that no client would send. */
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import { call } from '../../src/dsl/steps.ts';
import { startWithMocks } from './gateway-with-mocks.ts';
import type { RunningGateway, WithMocksOptions } from './gateway-with-mocks.ts';
import { startUpstream } from './upstream.ts';

const service = defineService({ name: 'shop', url: { env: 'SHOP_URL' } });
const item = operation(service, {
  name: 'item',
  route: 'GET /items/:id',
  slash: ['id'],
  response: z.unknown(),
});
const add = operation(service, {
  name: 'add',
  route: 'POST /items',
  body: z.unknown(),
  response: z.unknown(),
});
const compositions = {
  item: defineComposition({
    route: 'GET /items/:id',
    params: z.object({ id: z.string() }),
    compose: ({ params }) => ({ item: call(item, { id: params.id }) }),
  }),
  add: defineComposition({
    route: 'POST /items',
    body: z.unknown(),
    compose: ({ body }) => ({ added: call(add, { body }) }),
  }),
};

/** `GET /items/:id` and `POST /items`, and what the service was asked. */
export async function serveItems(
  options: Partial<WithMocksOptions> = {},
): Promise<RunningGateway & { asked(): string[] }> {
  const upstream = await startUpstream();
  upstream.answerAll(() => ({}));
  const environment = { SHOP_URL: upstream.url };
  const gateway = await startWithMocks({ compositions, environment, ...options });
  return { ...gateway, asked: () => upstream.asked() };
}
