/** What the services of the bench answer: JSON text, made without an object in between, the same each time. */

export function orderBody(id: string): string {
  return `{"id":"${id}","customerId":"cus_1","status":"shipped","total":14.5,"currency":"EUR","createdAt":"2026-01-05T08:30:00.000Z","items":[{"sku":"MUG-01","name":"Stoneware mug","unitPrice":14.5,"quantity":1}]}`;
}

export function paymentBody(orderId: string): string {
  return `{"id":"pay_${orderId}","orderId":"${orderId}","method":"card","status":"captured","amount":14.5,"currency":"EUR","paidAt":"2026-01-05T09:00:00.000Z"}`;
}

export function shipmentBody(orderId: string): string {
  return `{"id":"shp_${orderId}","orderId":"${orderId}","carrier":"GLS","trackingNumber":"TRK10011","status":"in_transit","eta":"2026-01-09"}`;
}

/** A page of orders that no other customer has. */
export function pageBody(customerId: string, limit: number): string {
  const orders = Array.from({ length: limit }, (_, index) =>
    orderBody(`ord_${customerId}_${index}`),
  );
  return `{"items":[${orders.join(',')}],"total":${limit}}`;
}

export function listBody(ids: readonly string[], toBody: (id: string) => string): string {
  return `[${ids.map(toBody).join(',')}]`;
}
