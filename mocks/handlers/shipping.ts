/** The shipping service: any number of shipments per order, and where each parcel is. */
import { http, HttpResponse } from 'msw';
import type { HttpHandler } from 'msw';
import { z } from 'zod';
import { shipments, trackings } from '../data.ts';
import { toDetail, toProblem } from '../problem.ts';
import { findAll, keyList, parseKeys } from './bulk.ts';

const searchBody = z.strictObject({ orderIds: keyList });

export function createShippingHandlers(): HttpHandler[] {
  // Shipments are sorted by shipping time, so the last one to set a key is the latest.
  const latestByOrder = new Map(shipments.map((shipment) => [shipment.orderId, shipment]));
  const trackingByNumber = new Map(trackings.map((item) => [item.trackingNumber, item]));
  return [
    http.get('*/shipments', ({ request }) => HttpResponse.json(shipmentsOf(orderIdsOf(request)))),
    http.get('*/shipments/latest', ({ request }) =>
      HttpResponse.json(findAll(orderIdsOf(request), latestByOrder)),
    ),
    http.post('*/shipments/search', async ({ request }) => {
      const body = searchBody.safeParse(await request.json().catch(() => undefined));
      return body.success
        ? HttpResponse.json(shipmentsOf(new Set(body.data.orderIds)))
        : toProblem(400, toDetail('The JSON body', body.error));
    }),
    http.get<{ trackingNumber: string }>('*/tracking/:trackingNumber', ({ params }) => {
      const tracking = trackingByNumber.get(params.trackingNumber);
      return tracking
        ? HttpResponse.json(tracking)
        : toProblem(404, `No tracking number ${params.trackingNumber}.`);
    }),
  ];
}

function orderIdsOf(request: Request): ReadonlySet<string> {
  return parseKeys('orderId', new URL(request.url).searchParams.getAll('orderId'));
}

function shipmentsOf(orderIds: ReadonlySet<string>): typeof shipments {
  return shipments.filter((shipment) => orderIds.has(shipment.orderId));
}
