/** The stage of situations: a clock, a shop, and the compositions that several of them ask. */
import { call, defineComposition, fallback, operation, optional } from 'plait';
import type { Composition, Service } from 'plait';
import { z } from 'zod';
import type { FakeClock } from '../support/fake-clock.ts';
import type { Asked, Shop, ShopOptions } from './_traced-shop.ts';

export interface Stage {
  readonly clock: FakeClock;
  readonly start: (options?: Omit<ShopOptions, 'clock' | 'telemetry'>) => Promise<Shop>;
  /** Reads the metrics, for those that will be others in the end. */
  readonly look: () => Promise<void>;
}

/** Resolves to the requests whose traces show the situation. */
export type Situation = (stage: Stage) => Promise<readonly Asked[]>;

export const value = { value: 'A' };

export const get = (shop: Service, name: string, more: object = {}) =>
  operation(shop, {
    name,
    route: `GET /${name}/:name`,
    response: z.object({ value: z.string() }),
    ...more,
  });

/** A required order, an optional payment, and a shipment with a second source. */
export const summary = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 2_000,
    compose: ({ params: { name } }) => ({
      order: call(get(shop, 'orders'), { name }),
      payment: optional(call(get(shop, 'payments'), { name }), { withinMs: 800 }),
      shipment: fallback(call(get(shop, 'shipments'), { name }), () =>
        call(get(shop, 'archive'), { name }),
      ),
    }),
  });

export const kept = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    compose: ({ params: { name } }) => ({
      kept: call(get(shop, 'kept', { cache: { ttlMs: 60_000, staleWhileRevalidateMs: 60_000 } }), {
        name,
      }),
    }),
  });
