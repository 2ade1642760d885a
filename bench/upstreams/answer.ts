/**
 * The routes of orders, payments and shipping: path and query → the body of the answer, as JSON
 * text that is made without an object in between and is the same each time.
 */

/** `undefined`: there is nothing at this address. */
export function bodyAt(target: string): string | undefined {
  const [path = '', query = ''] = target.split('?');
  const [, resource, id] = path.split('/');
  switch (resource) {
    case 'orders':
      return id === undefined ? pageBody(new URLSearchParams(query)) : orderBody(id);
    case 'payments':
      return id === undefined ? listBody(valuesOf(query, ','), paymentBody) : paymentBody(id);
    case 'shipments':
      return id === undefined || id === 'latest'
        ? listBody(valuesOf(query, '&'), shipmentBody)
        : shipmentBody(id);
    default:
      return undefined;
  }
}

function orderBody(id: string): string {
  return `{"id":"${id}","customerId":"cus_1","status":"shipped","total":14.5,"currency":"EUR","createdAt":"2026-01-05T08:30:00.000Z","items":[{"sku":"MUG-01","name":"Stoneware mug","unitPrice":14.5,"quantity":1}]}`;
}

function paymentBody(orderId: string): string {
  return `{"id":"pay_${orderId}","orderId":"${orderId}","method":"card","status":"captured","amount":14.5,"currency":"EUR","paidAt":"2026-01-05T09:00:00.000Z"}`;
}

function shipmentBody(orderId: string): string {
  return `{"id":"shp_${orderId}","orderId":"${orderId}","carrier":"GLS","trackingNumber":"TRK10011","status":"in_transit","eta":"2026-01-09"}`;
}

/** A page of orders that no other customer has. */
function pageBody(query: URLSearchParams): string {
  const customerId = query.get('customerId') ?? '';
  const limit = Number(query.get('limit'));
  const ids = Array.from({ length: limit }, (_, index) => `ord_${customerId}_${index}`);
  return `{"items":${listBody(ids, orderBody)},"total":${limit}}`;
}

function listBody(ids: readonly string[], toBody: (id: string) => string): string {
  return `[${ids.map(toBody).join(',')}]`;
}

/** `orderIds=a,b` or `orderId=a&orderId=b`, with the comma as it comes in a query: `%2C`. */
function valuesOf(query: string, separator: ',' | '&'): string[] {
  const text = separator === ',' ? query.replaceAll('%2C', ',') : query;
  return text.split(separator).map((part) => part.slice(part.indexOf('=') + 1));
}
