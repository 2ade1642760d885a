/** Operations of a shop that several situations and tests ask. */
import { lookup, operation } from 'plait';
import type { Service } from 'plait';
import { z } from 'zod';

/** `GET /parts/a` */
export const partIn = (shop: Service) =>
  operation(shop, {
    name: 'part',
    route: 'GET /parts/:name',
    response: z.object({ value: z.string() }),
  });

/** `GET /prices?ids=a,b`, with the keys of others in the next 20 ms. */
export const pricesIn = (shop: Service, more: { readonly max?: number } = {}) =>
  lookup(shop, {
    name: 'priceOf',
    route: 'GET /prices',
    keys: { query: 'ids' },
    by: 'id',
    item: z.object({ id: z.string() }),
    windowMs: 20,
    ...more,
  });
