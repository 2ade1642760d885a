/** Translates the bench's requests to those of a GraphQL client, and the answers back. */
import type { Request } from '../../load/request-file.ts';

const headers = { 'content-type': 'application/json', accept: 'application/json' };

const payment = 'payment { id orderId method status amount currency paidAt }';
const shipment = 'shipment { id orderId carrier trackingNumber status eta }';

const summaryQuery = `query Summary($orderId: ID!) {
  summary(orderId: $orderId) {
    order { id status total currency }
    ${payment}
    ${shipment}
    late
  }
}`;

const pageQuery = `query Page($customerId: ID!, $limit: Int!) {
  page(customerId: $customerId, limit: $limit) {
    total
    orders {
      order { id status total currency createdAt }
      ${payment}
      ${shipment}
    }
  }
}`;

/** @throws Error when there is no query for an address. */
export function toGraphQL({ path }: Request): Request {
  const [, summaryOf] = /^\/(?:unshared|shared)\/(\w+)$/.exec(path) ?? [];
  if (summaryOf !== undefined) return post('Summary', summaryQuery, { orderId: summaryOf });
  const [, customerId, limit] = /^\/customers\/(\w+)\/orders\?limit=(\d+)$/.exec(path) ?? [];
  if (customerId !== undefined)
    return post('Page', pageQuery, { customerId, limit: Number(limit) });
  throw new Error(`${path} has no GraphQL query. Add one to ${import.meta.filename}.`);
}

/** `{ data: { summary: … } }` → what is in the only field. @throws Error when there are errors. */
export function fromGraphQL(body: unknown): unknown {
  const { data, errors } = body as { data?: object | null; errors?: unknown }; // by the specification
  if (errors === undefined && data) return Object.values(data)[0];
  throw new Error(`A GraphQL server answered ${JSON.stringify(body)}`);
}

function post(operationName: string, query: string, variables: object): Request {
  return { path: '/graphql', headers, body: JSON.stringify({ operationName, query, variables }) };
}
