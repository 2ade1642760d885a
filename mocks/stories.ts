/** The states an order can be in; orders of the mock data take them in turn. */
import type { OrderStatus, Payment, ShipmentStatus } from './schemas.ts';

export interface Story {
  readonly status: OrderStatus;
  readonly payment: Payment['status'] | null;
  /** Oldest first. */
  readonly shipments: readonly ParcelStory[];
}

export interface ParcelStory {
  readonly status: ShipmentStatus;
  /** Days from shipping to arrival; null when the carrier has not said. */
  readonly days: number | null;
}

/** The documentation uses the first two: ord_1001 is on its way, ord_1002 is unpaid. */
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
