/** The door to undici: one pool of connections for each address of a service. */
import type { Dispatcher, Pool as UndiciPool } from 'undici';
// All of undici would bring its fetch, caches and mocks: 7 MiB, and a tenth of the time a start takes.
// @ts-expect-error -- only the whole of it has types
import PoolOnly from 'undici/lib/dispatcher/pool.js';
import type { Service } from '../../dsl/service.ts';

const Pool = PoolOnly as typeof UndiciPool;

/** One address of a service. */
export interface Address {
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  /** Put before every path: `/v2` for `http://orders/v2/`, otherwise empty. */
  readonly prefix: string;
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void;
  /** Breaks every connection at once. */
  destroy(): Promise<void>;
}

export type DispatchHandler = Dispatcher.DispatchHandler;
export type DispatchController = Dispatcher.DispatchController;

/** Opens a pool for one address. Connections are made when they are needed, as many as may be in flight. */
export function createAddress(
  service: Service,
  url: URL,
  connections = service.bulkhead.concurrency,
): Address {
  const pool = new Pool(url.origin, {
    connections,
    connectTimeout: service.connectTimeoutMs,
    // Deadlines are ours: undici's own are too coarse to be exact, and do not bound a slow drip.
    headersTimeout: 0,
    bodyTimeout: 0,
    // An abort has to break the connection; over HTTP/2 it would end a stream and leave that open.
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
