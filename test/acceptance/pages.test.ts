/** Lists that come in pages, through a whole gateway: what they have, and where they end. */
import { call, each, fallback, operation, pages } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Page, forms, listBy, listOrders, pageOf, query, serve, shop } from './_pages.ts';
import type { Form, Given } from './_pages.ts';

const three = { count: 9, size: 3 };

/** Without a total, a list that is counted ends at a page without items. */
const needsEmptyPage = (form: Form): boolean => form === 'offset' || form === 'page';

describe.each(Object.keys(forms) as Form[])('a list in pages by %s', (form) => {
  it.each([0, 1, 3, 4, 9])('has all of %i items, in order', async (count) => {
    const app = await serve(
      () => listBy(form),
      (target) => pageOf(form, { count, size: 3 }, target),
    );
    expect((await app.ask()).json).toEqual(
      Array.from({ length: count }, (_, index) => ({ id: index + 1 })),
    );
    const full = Math.max(1, Math.ceil(count / 3));
    expect(app.asked()).toHaveLength(needsEmptyPage(form) && count > 0 ? full + 1 : full);
  });

  it('is a failure if it has more pages than maxPages, and never shorter', async () => {
    const app = await serve(
      () => listBy(form, 3),
      (target) => pageOf(form, { count: 10, size: 3 }, target),
    );
    expect(await app.ask()).toMatchObject({
      status: 502,
      json: { type: 'urn:plait:problem:upstream-invalid-body' },
    });
    expect(app.asked()).toHaveLength(3);
  });

  it.each([1, 2, 3])('is a failure if page %i is, which a guard may tolerate', async (failing) => {
    let page = 0;
    const app = await serve(
      () => ({ list: fallback(listBy(form), []) }),
      (target) => ((page += 1) === failing ? { status: 500 } : pageOf(form, three, target)),
    );
    const { json, headers } = await app.ask();
    expect(json).toMatchObject({ list: [] });
    expect(headers.get('plait-degraded')).toContain('list');
    expect(app.asked()).toHaveLength(failing);
  });

  it.each([404, 410])('ends at a %i only where nothing else says where', async (status) => {
    let page = 0;
    const app = await serve(
      () => listBy(form),
      (target) => ((page += 1) > 2 ? { status } : pageOf(form, three, target)),
    );
    const answer = await app.ask();
    const expected = needsEmptyPage(form) ? { status: 200, json: { length: 6 } } : { status: 502 };
    expect(answer).toMatchObject(expected);
  });

  it('does not end at a 404 to the first page', async () => {
    const app = await serve(
      () => listBy(form),
      () => ({ status: 404 }),
    );
    expect((await app.ask()).status).toBe(502);
  });
});

describe.each(['cursor', 'link', 'url'] as const)('a list in pages by %s', (form) => {
  it('goes on after a page without items', async () => {
    const app = await serve(
      () => listBy(form),
      (target) => {
        const { body, headers } = pageOf(form, three, target);
        return { body: target.includes('1') ? { ...body, data: { items: [] } } : body, headers };
      },
    );
    expect((await app.ask()).json).toHaveLength(6);
  });
});

describe('a list that is counted', () => {
  it('goes by the items that came where the total is of fewer', async () => {
    const app = await serve(
      () => listBy('page with total'),
      (target) => ({ body: { ...pageOf('page', three, target).body, total: 2 } }),
    );
    expect((await app.ask()).json).toHaveLength(9);
  });

  it('goes on by page numbers after a page without items, up to its total', async () => {
    const app = await serve(
      () => listBy('page with total'),
      (target) => {
        const { body } = pageOf('page', { count: 9, size: 3 }, target);
        return {
          body: target.includes('=2') ? { data: { items: [] }, total: 6 } : { ...body, total: 6 },
        };
      },
    );
    expect((await app.ask()).json).toHaveLength(6);
  });

  it('begins at 0, or at a later page, if the call says so', async () => {
    const numbered = forms['page with total'];
    const app = await serve(
      () => ({
        zero: pages(listOrders, { page: 0, q: 'zero' }, numbered),
        later: pages(listOrders, { page: 2 }, numbered),
      }),
      (target) => {
        const { searchParams } = new URL(target, 'http://shop');
        const page = Number(searchParams.get('page')) + (searchParams.has('q') ? 1 : 0);
        return pageOf('page', three, `/orders?page=${page}`);
      },
    );
    const { json } = await app.ask();
    expect(json).toMatchObject({ zero: { length: 9 }, later: { length: 6 } });
    expect(app.asked().filter((target) => target.includes('zero'))).toHaveLength(3);
  });

  it('fails where it does not begin at a number', async () => {
    const text = operation(shop, {
      name: 'text',
      route: 'GET /orders',
      query: z.object({ page: z.string() }),
      response: Page,
    });
    const app = await serve(
      ({ query: { q } }) => pages(text, { page: q }, forms.page),
      (target) => pageOf('page', three, target),
    );
    expect((await app.ask('/list?q=last')).status).toBe(400);
    expect((await app.ask('/list?q=2')).json).toHaveLength(6);
  });
});

describe('an answer without a list', () => {
  it.each<[string, Given, number]>([
    ['null instead of it', { body: { data: { items: null } } }, 200],
    ['a 404 that is null', { status: 404 }, 200],
    ['a failure', { status: 500 }, 502],
  ])('is an empty list or a failure: %s', async (_, answer, status) => {
    const nullable = operation(shop, {
      name: 'nullable',
      route: 'GET /orders',
      query,
      response: Page,
      missing: 'null',
    });
    const app = await serve(
      () => ({ list: pages(nullable, {}, forms.link) }),
      () => answer,
    );
    const { status: got, json } = await app.ask();
    expect({ got, list: json.list }).toEqual({
      got: status,
      list: status === 200 ? [] : undefined,
    });
  });

  it('is the value itself where items is left out', async () => {
    const bare = operation(shop, {
      name: 'bare',
      route: 'GET /orders',
      query,
      response: z.array(z.object({ id: z.number() })),
    });
    const app = await serve(
      () => each(pages(bare, {}, { next: 'link' }), ({ id }) => ({ id, first: call(bare, {}) })),
      (target) => {
        const { body, headers } = pageOf('link', { count: 6, size: 3 }, target);
        return { body: body.data.items, headers };
      },
    );
    expect((await app.ask()).json).toHaveLength(6);
    // The page that `first` is was asked for already.
    expect(app.asked()).toHaveLength(2);
  });
});
