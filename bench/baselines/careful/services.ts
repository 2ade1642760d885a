/** The services, called with care: answers are checked, and bounded in size, time and number. */
import pLimit from 'p-limit';
import { Pool } from 'undici';
import type { z } from 'zod';
import { addressIn } from '../listen.ts';

export interface Asked<Schema extends z.ZodType> {
  readonly path: string;
  readonly schema: Schema;
  /** Of the client's request. */
  readonly signal: AbortSignal;
}

export type Read = <Schema extends z.ZodType>(asked: Asked<Schema>) => Promise<z.output<Schema>>;

export interface Services {
  readonly orders: Read;
  readonly payments: Read;
  readonly shipping: Read;
}

const mostAtOnce = 128;
const mostWaiting = 1_000;
const attemptTimeoutMs = 2_000;
const mostBytes = 5 * 1024 * 1024;

export function createServices(): Services {
  return {
    orders: readerOf(addressIn('ORDERS_URL')),
    payments: readerOf(addressIn('PAYMENTS_URL')),
    shipping: readerOf(addressIn('SHIPPING_URL')),
  };
}

function readerOf(origin: string): Read {
  const pool = new Pool(origin, {
    connections: mostAtOnce,
    headersTimeout: attemptTimeoutMs,
    bodyTimeout: attemptTimeoutMs,
    maxResponseSize: mostBytes,
  });
  const limit = pLimit(mostAtOnce);

  async function ask<Schema extends z.ZodType>({ path, schema, signal }: Asked<Schema>) {
    signal.throwIfAborted();
    const { statusCode, headers, body } = await pool.request({ path, method: 'GET', signal });
    const isJson = String(headers['content-type']).startsWith('application/json');
    if (statusCode !== 200 || !isJson) {
      await body.dump();
      throw new Error(`GET ${path} answered ${statusCode} of type ${headers['content-type']}`);
    }
    const { success, data, error } = schema.safeParse(await body.json());
    if (success) return data;
    throw new Error(`GET ${path} answered something else`, { cause: error });
  }

  return async (asked) => {
    if (limit.pendingCount >= mostWaiting) throw new Error(`${origin} has too much to do`);
    return limit(() => ask(asked));
  };
}
