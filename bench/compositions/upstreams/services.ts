/** The services of the bench. One address answers for all three. */
import { defineService } from 'plait';

export const orders = defineService({ name: 'orders', url: { env: 'ORDERS_URL' } });
export const payments = defineService({ name: 'payments', url: { env: 'PAYMENTS_URL' } });
export const shipping = defineService({ name: 'shipping', url: { env: 'SHIPPING_URL' } });
