/**
 * The careful hand: the bare hand's server as a careful engineer would write it. Inputs and answers
 * are checked, by the schemas that Plait has; a request has a deadline, and errors are problems.
 */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { z } from 'zod';
import { reportReady } from '../listen.ts';
import { createServices } from './services.ts';
import { pageOf, summaryOf } from './views.ts';

const services = createServices();
const deadlineMs = 10_000;

/** No `.` or `..`, which `encodeURIComponent` leaves as they are: path traversal. */
const Id = z.string().regex(/^[\w-]{1,100}$/);
const PageInput = z.object({ customerId: Id, limit: z.coerce.number().int().min(1).max(100) });

const app = new Hono();
for (const path of ['/unshared/:orderId', '/shared/:orderId'] as const) {
  app.get(path, async (context) => {
    const orderId = Id.parse(context.req.param('orderId'));
    return context.json(await withDeadline((signal) => summaryOf(services, orderId, signal)));
  });
}
app.get('/customers/:customerId/orders', async (context) => {
  const customerId = context.req.param('customerId');
  const input = PageInput.parse({ customerId, limit: context.req.query('limit') });
  return context.json(await withDeadline((signal) => pageOf(services, input, signal)));
});
app.onError((error, context) => {
  const status = statusOf(error);
  const headers = { 'content-type': 'application/problem+json' };
  return context.json({ type: 'about:blank', status, title: error.name }, status, headers);
});

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
  reportReady(server),
);

/** `AbortController` and a timer: `AbortSignal.timeout` costs more, and cannot be cleared. */
async function withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException('The request ran out of time.', 'TimeoutError')),
    deadlineMs,
  );
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

function statusOf(error: Error): 400 | 502 | 504 {
  if (error instanceof z.ZodError) return 400;
  return error.name === 'TimeoutError' ? 504 : 502;
}
