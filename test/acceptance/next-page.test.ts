/** The next page of a list, through a whole gateway: where it may be, and how it is asked for. */
import type { ServerResponse } from 'node:http';
import {
  apiKey,
  call,
  defineComposition,
  defineService,
  each,
  given,
  operation,
  optional,
  pages,
} from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { drawTree } from '../../src/explain/draw-tree.ts';
import { explain } from '../../src/explain/explain.ts';
import { createGateway } from '../../src/gateway.ts';
import { compile } from '../../src/plan/compile.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { quiet } from '../support/serve.ts';
import { startServer } from '../support/servers.ts';
import { Page, forms, listBy, listOrders, pageOf, query, serve, shop } from './_pages.ts';
import type { Form, Given } from './_pages.ts';

const three = { count: 9, size: 3 };
const empty = { data: { items: [] } };

describe('the next page of a list', () => {
  it.each<[string, Form, (page: number) => Given]>([
    ['the same Link', 'link', () => ({ headers: { link: '</orders?cursor=1>; rel=next' } })],
    ['the page itself', 'link', () => ({ headers: { link: '</orders>; rel=next' } })],
    [
      'a circle of Links',
      'link',
      (page) => ({ headers: { link: `<?cursor=${page % 2}>; rel=next` } }),
    ],
    ['the same address', 'url', () => ({ body: { ...empty, url: '?a=1' } })],
    ['the same cursor', 'cursor', () => ({ body: { ...empty, next: 'a' } })],
    ['a circle of cursors', 'cursor', (page) => ({ body: { ...empty, next: page % 2 } })],
    ['no items before the total', 'offset with total', () => ({ body: { ...empty, total: 3 } })],
  ])('is never asked for twice: %s', async (_, form, answer) => {
    let page = 0;
    const app = await serve(
      () => listBy(form),
      () => ({ body: empty, ...answer((page += 1)) }),
    );
    expect(await app.ask()).toMatchObject({
      status: 502,
      json: { type: 'urn:plait:problem:upstream-invalid-body' },
    });
    expect(app.asked().length).toBeLessThanOrEqual(3);
    expect(new Set(app.asked()).size).toBe(app.asked().length);
  });

  it.each<[string, (other: string, own: string) => string]>([
    ['another host', (other) => `${other}/v2/orders?cursor=1`],
    ['another host without a scheme', (other) => `${other.replace('http:', '')}/v2/orders`],
    ['another host behind backslashes', (other) => `/\\${other.slice(7)}/v2/orders`],
    ['another scheme', (_, own) => `${own.replace('http:', 'https:')}/v2/orders?cursor=1`],
    ['another port', (_, own) => `${own.replace(/:\d+$/, ':1')}/v2/orders?cursor=1`],
    ['a user name', (_, own) => `${own.replace('//', '//me@')}/v2/orders?cursor=1`],
    ['a host behind a user name', (other, own) => `${own}@${other.slice(7)}/v2/orders`],
    ['a sibling of the prefix', (_, own) => `${own}/v2evil/orders`],
    ['a path beside the prefix', () => '/admin'],
    ['dot segments', () => '/v2/../admin'],
    ['encoded dot segments', () => '/v2/%2e%2e/admin'],
    ['an encoded slash after dots', () => '/v2/..%2fadmin'],
    ['dots that are encoded twice', () => '/v2/%252e%252e/admin'],
    ['no http', () => 'file:///etc/passwd'],
    ['nothing that can be read', () => 'http://['],
  ])('is not followed to %s', async (_, addressOf) => {
    for (const form of ['link', 'url'] as const) {
      // oxlint-disable no-await-in-loop -- one form after the other
      const other = await startServer();
      const app = await serve(
        () => listBy(form),
        () => {
          const url = addressOf(other.url, app.server.url);
          return {
            body: { ...empty, url },
            headers: form === 'link' ? { link: `<${url}>; rel=next` } : {},
          };
        },
        { prefix: '/v2' },
      );
      expect((await app.ask()).status).toBe(502);
      expect(app.asked()).toEqual(['/v2/orders']);
      expect(other.accepted).toBe(0);
      // oxlint-enable no-await-in-loop
    }
  });

  it.each<[string, (own: string) => string]>([
    ['a whole address', (own) => `${own}/v2/orders?cursor=1`],
    ['an address without a scheme', (own) => `${own.replace('http:', '')}/v2/orders?cursor=1`],
    ['a path', () => '/v2/orders?cursor=1'],
    ['a query', () => '?cursor=1'],
    ['a name', () => 'orders?cursor=1'],
    ['an address with a fragment', () => '/v2/orders?cursor=1#top'],
  ])('is followed below the prefix: %s', async (_, addressOf) => {
    const app = await serve(
      () => listBy('link'),
      (target) => ({
        body: { data: { items: [{ id: 1 }] } },
        headers: target.includes('cursor')
          ? {}
          : { link: `<${addressOf(app.server.url)}>; rel="next last"` },
      }),
      { prefix: '/v2' },
    );
    expect((await app.ask()).json).toHaveLength(2);
    expect(app.asked()).toEqual(['/v2/orders', '/v2/orders?cursor=1']);
  });

  it('is relative to the place that the service has redirected to, from a cache too', async () => {
    const moved = operation(shop, {
      name: 'moved',
      route: 'GET /orders',
      query,
      response: Page,
      redirects: 'follow',
      cache: { ttlMs: 60_000 },
    });
    const app = await serve(
      () => pages(moved, {}, forms.link),
      (target) => {
        if (target.startsWith('/orders')) return { status: 307, headers: { location: '/v3/list' } };
        const headers = target.includes('cursor') ? {} : { link: '<?cursor=1>; rel=next' };
        return { body: { data: { items: [{ id: 1 }] } }, headers };
      },
    );
    expect((await app.ask()).json).toHaveLength(2);
    expect(app.asked()).toEqual(['/orders', '/v3/list', '/v3/list?cursor=1']);
    expect((await app.ask()).json).toHaveLength(2);
  });

  it('may be at another address of the service, whose answers a cache may have kept', async () => {
    const other = await startServer((request, response) => {
      const { body, headers } = pageOf('link', three, request.url ?? '');
      response.writeHead(200, headers);
      response.end(JSON.stringify(body));
    });
    const app = await serve(
      () => listBy('link'),
      (target) => {
        const { body, headers } = pageOf('link', three, target);
        const link = headers.link?.replace('</orders?', `<${other.url}/orders?`);
        return { body, headers: link === undefined ? {} : { link } };
      },
      { others: [other.url] },
    );
    expect((await app.ask()).json).toHaveLength(9);
    expect(app.asked().length + other.requests.length).toBe(3);
  });

  it.each<[string, () => unknown, (clock: FakeClock) => void]>([
    [
      'the list takes too long',
      () => optional(listBy('link'), { withinMs: 100 }),
      (clock) => clock.advance(100),
    ],
    [
      'a step beside it has failed',
      () =>
        optional(
          given(call(listOrders, { q: 'a' }), () => ({
            list: listBy('link'),
            failing: call(listOrders, { q: 'failing' }),
          })),
        ),
      () => undefined,
    ],
  ])('is not asked for once %s', async (_, list, happen) => {
    const held = new Map<string, ServerResponse>();
    const app = await serve(
      () => ({ list: list(), slow: call(listOrders, { q: 'slow' }) }),
      (target, __, response) => {
        if (target.includes('q=a')) return { body: empty };
        held.set(target, response);
        return undefined;
      },
    );
    const release = async (target: string, status = 200): Promise<void> => {
      await expect.poll(() => held.has(target)).toBe(true);
      const { body, headers } = pageOf('link', three, target);
      held.get(target)?.writeHead(status, headers).end(JSON.stringify(body));
    };
    const answer = app.ask();
    await expect.poll(() => held.has('/orders')).toBe(true);
    if (String(list).includes('failing')) await release('/orders?q=failing', 500);
    happen(app.clock);
    await quiet(app.gateway);
    await release('/orders');
    await quiet(app.gateway);
    expect(app.asked().filter((target) => target.includes('cursor'))).toEqual([]);
    await release('/orders?q=slow');
    expect((await answer).json).toMatchObject({ list: null });
  });

  it.each<[string, Form, Given]>([
    ['a Link that cannot be read', 'link', { headers: { link: '</a>; rel=next, <' } }],
    ['two Links', 'link', { headers: { link: '</a>; rel=next, </b>; rel=next' } }],
    ['a total that is no number', 'offset with total', { body: { ...empty, total: 'many' } }],
  ])('is not guessed from %s', async (_, form, answer) => {
    const app = await serve(
      () => listBy(form),
      () => ({ body: empty, ...answer }),
    );
    expect((await app.ask()).status).toBe(502);
    expect(app.asked()).toHaveLength(1);
  });

  it('is not the mistake of the client, who has asked for the first one', async () => {
    const app = await serve(
      ({ query: { q } }) => pages(listOrders, { q }, forms.link),
      (target) =>
        target.includes('cursor')
          ? { status: 400 }
          : { body: empty, headers: { link: '<?cursor=1>; rel=next' } },
    );
    expect((await app.ask('/list?q=a')).status).toBe(502);
  });

  it('is not asked for after the deadline', async () => {
    const arrived = Promise.withResolvers<void>();
    const app = await serve(
      () => listBy('link'),
      (target) => {
        if (!target.includes('cursor')) return pageOf('link', three, target);
        arrived.resolve();
        return undefined;
      },
      { deadlineMs: 1_000 },
    );
    const answer = app.ask();
    await arrived.promise;
    app.clock.advance(1_000);
    expect((await answer).status).toBe(504);
    expect(app.asked()).toHaveLength(2);
    expect(app.clock.pending).toBe(0);
    expect(app.gateway.internalErrors).toEqual([]);
  });
});

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
  });
});
