// The lives an order can have in the mock data. Orders take them in turn, so every mix is present.
import type { OrderStatus, Payment, ShipmentStatus } from './schemas.ts';

export interface Story {
  status: OrderStatus;
  payment: Payment['status'] | null;
  /** Oldest first. */
  shipments: readonly ParcelStory[];
}

export interface ParcelStory {
  status: ShipmentStatus;
  /** Days from shipping to arrival; null when the carrier has not said. */
  days: number | null;
}

// The first two are the ones the documentation tells about: ord_1001 is on its way, ord_1002 is unpaid.
export const stories: readonly Story[] = [
  { status: 'shipped', payment: 'captured', shipments: [{ status: 'in_transit', days: 3 }] },
  { status: 'pending', payment: null, shipments: [] },
  {
    status: 'delivered',
    payment: 'captured',
    shipments: [
      { status: 'delivered', days: 2 },
      { status: 'delivered', days: 4 },
    ],
  },
  { status: 'paid', payment: 'authorized', shipments: [{ status: 'label_created', days: null }] },
  { status: 'cancelled', payment: 'refunded', shipments: [] },
  {
    status: 'shipped',
    payment: 'captured',
    shipments: [
      { status: 'delivered', days: 1 },
      { status: 'in_transit', days: 2 },
      { status: 'label_created', days: null },
    ],
  },
  { status: 'cancelled', payment: null, shipments: [] },
  { status: 'paid', payment: 'captured', shipments: [] },
  { status: 'pending', payment: 'failed', shipments: [] },
  { status: 'delivered', payment: 'captured', shipments: [{ status: 'delivered', days: 2 }] },
  { status: 'shipped', payment: 'captured', shipments: [{ status: 'in_transit', days: null }] },
];
