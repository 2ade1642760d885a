/** The operations behind a summary, in two styles; compositions add the option they measure. */
import { lookup, operation } from 'plait';
import { Order, Payment, Shipment } from './schemas.ts';
import { orders, payments, shipping } from './services.ts';
import type { SummaryOperations } from './summary.ts';

interface Options {
  readonly forward?: readonly string[];
  readonly coalesce?: boolean;
  readonly cache?: { readonly ttlMs: number };
}

/** One thing a request, for services that have no bulk endpoint. */
export function oneByOne(variant: string, options: Options): SummaryOperations {
  return {
    order: getOrder(variant, options),
    payment: operation(payments, {
      ...options,
      name: `getPayment-${variant}`,
      route: 'GET /payments/:orderId',
      response: Payment,
    }),
    shipment: operation(shipping, {
      ...options,
      name: `getShipment-${variant}`,
      route: 'GET /shipments/:orderId',
      response: Shipment,
    }),
  };
}

/** Payments and shipments of many orders in one request. */
export function byKeys(variant: string, options: Options = {}): SummaryOperations {
  return {
    order: getOrder(variant, options),
    payment: lookup(payments, {
      ...options,
      name: `paymentOf-${variant}`,
      route: 'GET /payments',
      keys: { query: 'orderIds' },
      by: 'orderId',
      item: Payment,
    }),
    shipment: lookup(shipping, {
      ...options,
      name: `shipmentOf-${variant}`,
      route: 'GET /shipments/latest',
      keys: { query: 'orderId', repeat: true },
      by: 'orderId',
      item: Shipment,
    }),
  };
}

function getOrder(variant: string, options: Options): SummaryOperations['order'] {
  return operation(orders, {
    ...options,
    name: `getOrder-${variant}`,
    route: 'GET /orders/:orderId',
    response: Order,
  });
}

/** Every call is made, even when the same one is under way. */
export const unshared = oneByOne('unshared', { coalesce: false });
export const shared = byKeys('shared');
