/** The schema that both GraphQL servers have, and the resolvers that are the same in both. */
import type { OfOrder, Order, Readers } from '../hand/services.ts';
import { summaryOf } from '../hand/views.ts';

export const typeDefs = /* GraphQL */ `
  type Query {
    summary(orderId: ID!): Summary!
    page(customerId: ID!, limit: Int!): Page!
  }
  type Summary {
    order: Order!
    payment: Payment
    shipment: Shipment
    late: Boolean
  }
  type Page {
    total: Int!
    orders: [Entry!]!
  }
  type Entry {
    order: Order!
    payment: Payment
    shipment: Shipment
  }
  type Order {
    id: ID!
    customerId: ID!
    status: OrderStatus!
    total: Float!
    currency: String!
    createdAt: String!
    items: [Item!]!
  }
  type Item {
    sku: String!
    name: String!
    quantity: Int!
    unitPrice: Float!
  }
  type Payment {
    id: ID!
    orderId: ID!
    method: PaymentMethod!
    status: PaymentStatus!
    amount: Float!
    currency: String!
    paidAt: String
  }
  type Shipment {
    id: ID!
    orderId: ID!
    carrier: String!
    trackingNumber: String!
    status: ShipmentStatus!
    eta: String
  }
  enum OrderStatus {
    pending
    paid
    shipped
    delivered
    cancelled
  }
  enum PaymentMethod {
    card
    iban
    wallet
  }
  enum PaymentStatus {
    authorized
    captured
    refunded
    failed
  }
  enum ShipmentStatus {
    label_created
    in_transit
    delivered
  }
`;

/** An order on a page, of which payment and shipment are still to be loaded. */
export interface Entry {
  readonly order: Order;
}

/** The root fields. A summary makes its calls at once: nothing in it could be batched. */
export function queryResolvers(readers: Readers) {
  return {
    summary: (_: unknown, { orderId }: { readonly orderId: string }) => summaryOf(readers, orderId),
    page: async (_: unknown, asked: { readonly customerId: string; readonly limit: number }) => {
      const query = new URLSearchParams({
        customerId: asked.customerId,
        limit: String(asked.limit),
      });
      const page = await readers.orders<{ items: Order[]; total: number }>(`/orders?${query}`);
      return { total: page.total, orders: page.items.map((order): Entry => ({ order })) };
    },
  };
}

/** The batch functions behind the loaders of both: as many answers as ids, in their order. */
export function batchReaders({ payments, shipping }: Readers) {
  return {
    payments: async (ids: readonly string[]) =>
      inOrder(
        ids,
        await payments<OfOrder[]>(`/payments?orderIds=${ids.map(encodeURIComponent).join(',')}`),
      ),
    shipments: async (ids: readonly string[]) =>
      inOrder(
        ids,
        await shipping<OfOrder[]>(
          `/shipments/latest?orderId=${ids.map(encodeURIComponent).join('&orderId=')}`,
        ),
      ),
  };
}

function inOrder(ids: readonly string[], items: readonly OfOrder[]): (OfOrder | null)[] {
  const byOrder = new Map(items.map((item) => [item.orderId, item]));
  return ids.map((id) => byOrder.get(id) ?? null);
}
