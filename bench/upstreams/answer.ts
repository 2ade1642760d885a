/** The routes of orders, payments and shipping: path and query → the body of the answer. */
import { listBody, orderBody, pageBody, paymentBody, shipmentBody } from './bodies.ts';

/** `undefined`: there is nothing at this address. */
export function bodyAt(target: string): string | undefined {
  const [path = '', query = ''] = target.split('?');
  const [, resource, id] = path.split('/');
  switch (resource) {
    case 'orders':
      return id === undefined ? page(new URLSearchParams(query)) : orderBody(id);
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

function page(query: URLSearchParams): string {
  return pageBody(query.get('customerId') ?? '', Number(query.get('limit')));
}

/** `orderIds=a,b` or `orderId=a&orderId=b`, with the comma as it comes in a query: `%2C`. */
function valuesOf(query: string, separator: ',' | '&'): string[] {
  const text = separator === ',' ? query.replaceAll('%2C', ',') : query;
  return text.split(separator).map((part) => part.slice(part.indexOf('=') + 1));
}
