/** The bare hand: the least one can write instead of the compositions: Hono, undici, no checks. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { etag } from 'hono/etag';
import { reportReady } from '../listen.ts';
import { createReaders, keeping } from './services.ts';
import { pageOf, summaryOf } from './views.ts';

const readers = process.argv.includes('--keep') ? keeping(createReaders()) : createReaders();

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
app.get('/revalidated/:orderId', etag(), async (context) => {
  context.header('cache-control', 'public, max-age=60');
  return context.json(await summaryOf(readers, context.req.param('orderId')));
});
app.get('/customers/:customerId/orders', async (context) => {
  const limit = Number(context.req.query('limit'));
  return context.json(await pageOf(readers, context.req.param('customerId'), limit));
});
app.get('/livez', (context) => context.json({ status: 'ok' }));
app.notFound((context) =>
  context.json(
    {
      type: 'urn:plait:problem:not-found',
      title: 'Not found',
      status: 404,
      detail: 'There is nothing at this address.',
      instance: context.req.path,
    },
    404,
    { 'content-type': 'application/problem+json' },
  ),
);

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
  reportReady(server),
);
