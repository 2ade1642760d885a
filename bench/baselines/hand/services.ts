/** The services, called by hand: undici's `Pool.request` and JSON, believed as it comes. */
import { LRUCache } from 'lru-cache';
import { Pool } from 'undici';
import { addressIn } from '../listen.ts';

export interface Order {
  readonly id: string;
  readonly status: string;
  readonly total: number;
  readonly currency: string;
  readonly createdAt: string;
}

export interface OfOrder {
  readonly orderId: string;
}

export interface Shipment extends OfOrder {
  readonly carrier: string;
  readonly eta: string | null;
}

export type Headers = Readonly<Record<string, string>>;

/** Asks a service for JSON. The type is a hope: nothing is checked, unlike in Plait. */
export type Read = <T>(path: string, headers?: Headers) => Promise<T>;

export interface Readers {
  readonly orders: Read;
  readonly payments: Read;
  readonly shipping: Read;
}

export function createReaders(): Readers {
  return {
    orders: readerOf(addressIn('ORDERS_URL')),
    payments: readerOf(addressIn('PAYMENTS_URL')),
    shipping: readerOf(addressIn('SHIPPING_URL')),
  };
}

function readerOf(origin: string): Read {
  const pool = new Pool(origin, { connections: 128 });
  return async <T>(path: string, headers?: Headers) => {
    const { statusCode, body } = await pool.request({
      path,
      method: 'GET',
      ...(headers && { headers }),
    });
    if (statusCode !== 200) {
      await body.dump();
      throw new Error(`GET ${path} answered ${statusCode}`);
    }
    return (await body.json()) as T; // a hope, as said above
  };
}

/** The same with answers kept for an hour: lru-cache, of promises, so that misses are shared. */
export function keeping({ orders, payments, shipping }: Readers): Readers {
  return { orders: kept(orders), payments: kept(payments), shipping: kept(shipping) };
}

function kept(read: Read): Read {
  const answers = new LRUCache<string, Promise<unknown>>({ max: 10_000, ttl: 3_600_000 });
  return <T>(path: string) => {
    const before = answers.get(path);
    if (before !== undefined) return before as Promise<T>; // what was read there
    const answer = read<T>(path);
    answers.set(path, answer);
    answer.catch(() => answers.delete(path));
    return answer;
  };
}
