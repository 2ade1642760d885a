/** The services, called by hand: undici's `Pool.request` and JSON, believed as it comes. */
import { Pool } from 'undici';

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

/** Asks a service for JSON. The type is what we hope for: nothing is checked, unlike in Plait. */
export type Read = <T>(path: string, headers?: Headers) => Promise<T>;

export function readerOf(origin: string): Read {
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
