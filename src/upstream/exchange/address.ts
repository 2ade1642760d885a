/** The door to undici: one connection pool for each address of a service. */
import type { Dispatcher, Pool as UndiciPool } from 'undici';
// Importing all of undici adds its fetch, caches and mocks: 7 MiB and a tenth of the start-up time.
// @ts-expect-error -- only the whole package has types
import PoolOnly from 'undici/lib/dispatcher/pool.js';
import type { Service } from '../../dsl/service.ts';

const Pool = PoolOnly as typeof UndiciPool;

/** One base URL of a service, and its connections. */
export interface Address {
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  /** Comes before every path: `/v2` for `http://orders/v2/`; empty without a path. */
  readonly prefix: string;
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void;
  /** Breaks every connection at once. */
  destroy(): Promise<void>;
}

export type DispatchHandler = Dispatcher.DispatchHandler;
export type DispatchController = Dispatcher.DispatchController;

/**
 * Opens a pool for one address. Connections are made when they are needed, by default as many as
 * the bulkhead has permits.
 */
export function createAddress(
  service: Service,
  url: URL,
  connections = service.bulkhead.concurrency,
): Address {
  const pool = new Pool(url.origin, {
    connections,
    connectTimeout: service.connectTimeoutMs,
    // The gateway has timeouts of its own: those of undici are coarse, and do not limit a response
    // that trickles in slowly.
    headersTimeout: 0,
    bodyTimeout: 0,
    // An abort must close the connection. Over HTTP/2 it would only end a stream.
    allowH2: false,
  });
  return {
    origin: url.origin,
    host: url.hostname,
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    prefix: url.pathname.replace(/\/+$/, ''),
    dispatch: (options, handler) => void pool.dispatch(options, handler),
    destroy: () => pool.destroy(),
  };
}
