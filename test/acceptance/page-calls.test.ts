/** The calls for pages of a list, through a whole gateway: shared, kept and repeated like any. */
import { apiKey, defineComposition, defineService, each, operation, pages } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { drawMermaid } from '../../src/explain/draw-mermaid.ts';
import { drawTree } from '../../src/explain/draw-tree.ts';
import { explain } from '../../src/explain/explain.ts';
import { createGateway } from '../../src/gateway.ts';
import { compile } from '../../src/plan/compile.ts';
import { quiet } from '../support/serve.ts';
import { startServer } from '../support/servers.ts';
import { Page, forms, listBy, listOrders, pageOf, query, serve, shop } from './_pages.ts';

const three = { count: 9, size: 3 };

describe('each page of a list', () => {
  it('is a call of its own, which a request makes once and a cache keeps', async () => {
    const kept = operation(shop, {
      name: 'kept',
      route: 'GET /orders',
      query,
      response: Page,
      cache: { ttlMs: 60_000 },
    });
    const app = await serve(
      () => ({
        one: pages(kept, {}, forms.link),
        two: pages(kept, {}, forms.link),
        cursor: pages(kept, {}, forms.cursor),
      }),
      (target) => pageOf('link', three, target),
    );
    const first = await app.ask();
    expect(first.json).toMatchObject({ one: { length: 9 }, two: { length: 9 } });
    // Pages by cursor are other calls than those by address, but for the first.
    expect(app.asked()).toHaveLength(5);
    expect((await app.ask()).json).toEqual(first.json);
    expect(app.asked()).toHaveLength(5);
  });

  it('is shared by clients that ask at the same time', async () => {
    const held: (() => void)[] = [];
    const app = await serve(
      () => listBy('link'),
      (target, _, response) => {
        const { body, headers } = pageOf('link', three, target);
        held.push(() => response.writeHead(200, headers).end(JSON.stringify(body)));
        return undefined;
      },
    );
    const answers = [app.ask(), app.ask(), app.ask()];
    await quiet(app.gateway);
    for (let page = 1; page <= 3; page += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      await expect.poll(() => held.length).toBe(page);
      held[page - 1]?.();
    }
    for (const { json } of await Promise.all(answers)) expect(json).toHaveLength(9);
    expect(app.asked()).toHaveLength(3);
  });

  it('is asked for again if the service fails, like any call', async () => {
    const patient = operation(shop, {
      name: 'patient',
      route: 'GET /orders',
      query,
      response: Page,
      retry: { times: 1, minDelayMs: 1, maxDelayMs: 1 },
    });
    let failed = false;
    const app = await serve(
      () => pages(patient, {}, forms.link),
      (target) => {
        if (!target.includes('cursor=2') || failed) return pageOf('link', three, target);
        failed = true;
        return { status: 503 };
      },
    );
    const answer = app.ask();
    await expect.poll(() => app.asked().length).toBe(3);
    const asking = setInterval(() => app.clock.advance(1), 5);
    expect((await answer).json).toHaveLength(9);
    clearInterval(asking);
    expect(app.asked()).toHaveLength(4);
  });

  it('has the body and the headers of the first', async () => {
    const search = operation(shop, {
      name: 'search',
      route: 'POST /search',
      safe: true,
      body: z.object({ q: z.string() }),
      headers: z.object({ 'x-view': z.string() }),
      response: Page,
    });
    const app = await serve(
      () => pages(search, { body: { q: 'a' }, headers: { 'x-view': 'v' } }, forms.link),
      (target) => pageOf('link', { count: 6, size: 3 }, target),
    );
    expect((await app.ask()).json).toHaveLength(6);
    const sent = app.server.requests.map(({ method, target, body, headers }) => {
      return [method, target, body, headers['x-view']];
    });
    expect(sent).toEqual([
      ['POST', '/search', '{"q":"a"}', 'v'],
      ['POST', '/orders?cursor=1', '{"q":"a"}', 'v'],
    ]);
  });

  it('is sent our key once, although its address has it too', async () => {
    const server = await startServer((request, response) => {
      const { body, headers } = pageOf('link', three, request.url ?? '');
      const link = headers.link?.replace('orders?', 'orders?api_key=canary&');
      response.writeHead(200, link === undefined ? {} : { link });
      response.end(JSON.stringify(body));
    });
    const keyed = defineService({
      name: 'keyed',
      url: server.url,
      auth: apiKey({ env: 'KEY' }, { query: 'api_key' }),
    });
    const listKeyed = operation(keyed, { route: 'GET /orders', query, response: Page });
    const composition = defineComposition({
      route: 'GET /list',
      compose: () => pages(listKeyed, {}, forms.link),
    });
    await using gateway = createGateway({
      plans: [compile({ name: 'list', composition })],
      addresses: new Map([['keyed', [new URL(server.url)]]]),
      secrets: () => ({ text: () => 'canary', lookAgain: async () => undefined }),
    });
    const answer = await gateway.app.request('http://localhost/list');
    expect(await answer.json()).toHaveLength(9);
    expect(server.requests.map(({ target }) => target)).toEqual([
      '/orders?api_key=canary',
      '/orders?cursor=1&api_key=canary',
      '/orders?cursor=2&api_key=canary',
    ]);
  });

  it('waits with its list for the turn of an each with a concurrency', async () => {
    let most = 0;
    let open = 0;
    const app = await serve(
      () =>
        each(listBy('cursor'), ({ id }) => pages(listOrders, { limit: id }, forms.cursor), {
          concurrency: 2,
        }),
      (target, _, response) => {
        most = Math.max(most, (open += 1));
        response.once('close', () => (open -= 1));
        return pageOf('cursor', { count: 4, size: 3 }, target);
      },
    );
    const { json } = await app.ask();
    expect(json).toMatchObject({ length: 4, 0: { length: 4 } });
    expect(most).toBeLessThanOrEqual(2);
  });
});

describe('explain', () => {
  it('draws the pages of a list as one step, with its worst case', () => {
    const composition = defineComposition({
      route: 'GET /list',
      compose: () => ({ orders: listBy('link') }),
    });
    const plan = explain(compile({ name: 'list', composition }));
    expect(plan).toMatchObject({ roundTrips: 1, mostRoundTrips: 10 });
    expect(plan.steps).toMatchObject([
      { kind: 'call', call: { pages: { next: 'link', max: 10 } } },
    ]);
    expect(drawTree(plan)).toContain('orders: pages shop.listOrders, at most 10');
    expect(drawTree(plan)).toContain('1 to 10 round trips');
    expect(drawMermaid(plan)).toContain('shop.listOrders (at most 10 pages)');
  });
});
