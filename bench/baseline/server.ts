/** What a good engineer writes by hand instead of the bench's compositions: Hono, undici, `Promise.all`. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { etag } from 'hono/etag';
import { kept } from './kept.ts';
import { pageOf } from './page.ts';
import { readerOf } from './services.ts';
import { summaryOf } from './summary.ts';
import type { Readers } from './summary.ts';

const readers: Readers = {
  orders: readerOf(addressIn('ORDERS_URL')),
  payments: readerOf(addressIn('PAYMENTS_URL')),
  shipping: readerOf(addressIn('SHIPPING_URL')),
};
const keptReaders: Readers = {
  orders: kept(readers.orders),
  payments: kept(readers.payments),
  shipping: kept(readers.shipping),
};

const app = new Hono();
for (const path of ['/unshared/:orderId', '/shared/:orderId', '/cached/:orderId'] as const) {
  app.get(path, async (context) =>
    context.json(await summaryOf(readers, context.req.param('orderId'))),
  );
}
app.get('/identified/:orderId', async (context) => {
  const authorization = context.req.header('authorization') ?? '';
  return context.json(await summaryOf(readers, context.req.param('orderId'), { authorization }));
});
app.get('/kept/:orderId', async (context) =>
  context.json(await summaryOf(keptReaders, context.req.param('orderId'))),
);
app.get('/revalidated/:orderId', etag(), async (context) => {
  context.header('cache-control', 'public, max-age=60');
  return context.json(await summaryOf(readers, context.req.param('orderId')));
});
app.get('/customers/:customerId/orders', async (context) => {
  const limit = Number(context.req.query('limit'));
  return context.json(await pageOf(readers, context.req.param('customerId'), limit));
});

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => {
  const { port } = server.address() as AddressInfo; // it listens on TCP
  console.log(`ready http://127.0.0.1:${port}`);
});

function addressIn(variable: string): string {
  const address = process.env[variable];
  if (address === undefined)
    throw new Error(`${variable} is not set. Start this by npm run bench.`);
  return address;
}
