/** The next page of a list, through a whole gateway: where it may be, and when it is asked for. */
import type { ServerResponse } from 'node:http';
import { call, given, operation, optional, pages } from 'plait';
import { describe, expect, it } from 'vitest';
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
