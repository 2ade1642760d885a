/** A service with a list in pages, in every form of `next`, and a gateway that gathers them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { defineComposition, defineService, operation, pages } from 'plait';
import { z } from 'zod';
import { createFakeClock } from '../support/fake-clock.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

export const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, retry: false });

export const Page = z.object({
  data: z.object({ items: z.array(z.object({ id: z.number() })).nullable() }),
  next: z.union([z.string(), z.number()]).nullish(),
  url: z.string().nullish(),
  total: z.union([z.int(), z.string()]).nullish(),
});

export const query = z.object({
  q: z.string().optional(),
  cursor: z.string().optional(),
  offset: z.number().optional(),
  limit: z.number().optional(),
  page: z.number().optional(),
});

export const listOrders = operation(shop, {
  name: 'listOrders',
  route: 'GET /orders',
  query,
  response: Page,
});

const items = 'data.items';

export const forms = {
  cursor: { items, next: { cursor: 'next', query: 'cursor' } },
  link: { items, next: 'link' },
  url: { items, next: { url: 'url' } },
  offset: { items, next: { offset: 'offset', limit: 'limit' } },
  'offset with total': { items, next: { offset: 'offset', limit: 'limit', total: 'total' } },
  page: { items, next: { page: 'page' } },
  'page with total': { items, next: { page: 'page', total: 'total' } },
} as const;

export type Form = keyof typeof forms;

export function listBy(form: Form, maxPages = 10) {
  return pages(listOrders, {}, { ...forms[form], maxPages });
}

export interface Shape {
  readonly count: number;
  readonly size: number;
}

/** The answer of a service that has `count` items with ids from 1, and `size` of them on a page. */
export function pageOf(form: Form, { count, size }: Shape, target: string) {
  const page = pageIn(form, size, new URL(target, 'http://shop').searchParams);
  const left = Math.max(0, Math.min(size, count - page * size));
  const isLast = (page + 1) * size >= count;
  const following = `/orders?cursor=${page + 1}`;
  return {
    body: {
      data: {
        items: Array.from({ length: left }, (_, index) => ({ id: page * size + index + 1 })),
      },
      next: isLast ? null : page + 1,
      url: isLast ? '' : following,
      total: count,
    },
    headers: isLast
      ? {}
      : { link: `</first>; rel=first, <${following}>; title="a, b"; rel="next"` },
  };
}

function pageIn(form: Form, size: number, asked: URLSearchParams): number {
  if (form.startsWith('offset')) return Number(asked.get('offset') ?? 0) / size;
  if (form.startsWith('page')) return Number(asked.get('page') ?? 1) - 1;
  return Number(asked.get('cursor') ?? 0);
}

export interface Given {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** Answers a target; `undefined`: not at all. */
export type Handler = (
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
) => Given | undefined;

export interface ServeOptions {
  readonly deadlineMs?: number;
  /** That of the service's address. */
  readonly prefix?: string;
  /** Further addresses of the service. */
  readonly others?: readonly string[];
}

interface Inputs {
  readonly query: { readonly q: string };
}

/** Serves what `compose` describes at `GET /list`. Time stands still: see `clock`. */
export async function serve(
  compose: (inputs: Inputs) => unknown,
  handler: Handler,
  { deadlineMs, prefix = '', others = [] }: ServeOptions = {},
) {
  const server = await startServer((request, response) => {
    const given = handler(request.url ?? '', request, response);
    if (given === undefined) return;
    const { body = {}, headers = {}, status = 200 } = given;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  });
  const clock = createFakeClock();
  const list = defineComposition({
    route: 'GET /list',
    query: z.object({ q: z.string().default('') }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    compose: (inputs) => compose(inputs as unknown as Inputs), // what it makes of them is its matter
  });
  const gateway = await startWithMocks({
    compositions: { list },
    environment: { SHOP_URL: [server.url + prefix, ...others].join(',') },
    clock,
  });
  const asked = (): string[] => server.requests.map(({ target }) => target);
  return { gateway, server, clock, asked, ask: (path = '/list') => gateway.get(path) };
}
