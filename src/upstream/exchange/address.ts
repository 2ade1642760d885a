/** The door to undici: one connection pool for each address of a service. */
import type { Client as UndiciClient, Dispatcher, Pool as UndiciPool } from 'undici';
import type { Socket } from 'node:net';
// Importing all of undici adds its fetch, caches and mocks: 7 MiB and a tenth of the start-up time.
// @ts-expect-error -- only the whole package has types
import PoolOnly from 'undici/lib/dispatcher/pool.js';
// @ts-expect-error -- see above
import ClientOnly from 'undici/lib/dispatcher/client.js';
import type { Service } from '../../dsl/service.ts';
import { socketOf } from '../../url.ts';

const Pool = PoolOnly as typeof UndiciPool;
const Client = ClientOnly as typeof UndiciClient;

/** One base URL of a service, and its connections. */
export interface Address {
  readonly url: URL;
  /** That of absolute URLs to it: `http://localhost` of a socket. */
  readonly origin: string;
  /** Its host, or the path of its socket. */
  readonly host: string;
  /** Absent: it is a socket. */
  readonly port: number | undefined;
  /** Comes before every path: `/v2` for `http://orders/v2/`; empty without a path. */
  readonly prefix: string;
  /** `isNew`: on a new connection, which no other request uses. */
  dispatch(options: Dispatcher.DispatchOptions, handler: DispatchHandler, isNew?: boolean): void;
  /** Waits for the requests that are under way. */
  close(): Promise<void>;
  /** Breaks every connection at once. */
  destroy(): Promise<void>;
}

export interface AddressOptions {
  /** How many connections there may be. Default: as many as the bulkhead has permits. */
  readonly connections?: number | undefined;
  /** Certificates, as `node:tls` takes them. Default: the public authorities. */
  readonly tls?: UndiciClient.Options['connect'] & object;
}

export interface DispatchHandler extends Dispatcher.DispatchHandler {
  /** Called with the connection of the request before that starts. */
  onConnection?(connection: Connection): void;
}

/** One connection of a pool; if it breaks, another one replaces it. */
export interface Connection {
  /** Requests that have started on it. */
  started: number;
  /** Bytes received so far; `undefined` with TLS, where they include the handshake. */
  readonly received: number | undefined;
}

export type DispatchController = Dispatcher.DispatchController;

/** Opens a pool for one address. Connections are made when they are needed. */
export function createAddress(
  service: Service,
  url: URL,
  { connections = service.bulkhead.concurrency, tls }: AddressOptions = {},
): Address {
  const socket = socketOf(url);
  const options: UndiciClient.Options = {
    connectTimeout: service.connectTimeoutMs,
    // The gateway has timeouts of its own: those of undici are coarse, and do not limit a response
    // that trickles in slowly.
    headersTimeout: 0,
    bodyTimeout: 0,
    // An abort must close the connection. Over HTTP/2 it would only end a stream.
    allowH2: false,
    // A connection is not reused this close to the end of the time that the service announced in
    // `Keep-Alive`: a request would meet its end.
    keepAliveTimeoutThreshold: 2_000,
    ...(tls && { connect: tls }),
    ...(socket && { socketPath: socket.path }),
  };
  const origin = socket === undefined ? url.origin : 'http://localhost';
  const pool = new Pool(origin, { ...options, connections, factory: openConnection });
  const extra = new Set<UndiciClient>();

  /** Sends a request on a connection of its own, which closes after it. */
  function dispatchAlone(request: Dispatcher.DispatchOptions, handler: DispatchHandler): void {
    const client = new Client(origin, options);
    extra.add(client);
    client.dispatch(request, handler);
    void client.close().finally(() => extra.delete(client));
  }

  return {
    url,
    origin,
    host: socket?.path ?? url.hostname,
    port: socket === undefined ? portOf(url) : undefined,
    prefix: (socket?.prefix ?? url.pathname).replace(/\/+$/, ''),
    dispatch(request, handler, isNew = false) {
      if (isNew) dispatchAlone(request, handler);
      else pool.dispatch(request, handler);
    },
    async close() {
      await Promise.all([pool, ...extra].map((dispatcher) => dispatcher.close()));
    },
    async destroy() {
      await Promise.all([pool, ...extra].map((dispatcher) => dispatcher.destroy()));
    },
  };
}

function portOf({ port, protocol }: URL): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}

function openConnection(origin: URL, options: object): Dispatcher {
  return new OneConnection(origin, options);
}

/** The client of one connection, made by undici's pool. */
class OneConnection extends Client implements Connection {
  started = 0;
  #socket: Socket | undefined;

  constructor(origin: URL, { connect, ...options }: UndiciClient.Options) {
    super(origin, {
      ...options,
      connect: (target, callback) => {
        // The pool passes its connector on, which is a function.
        (connect as Connect)(target, (...result) => {
          this.#socket = result[1] ?? undefined;
          this.started = 0;
          callback(...result);
        });
      },
    });
  }

  get received(): number | undefined {
    const socket = this.#socket;
    return socket === undefined || 'encrypted' in socket ? undefined : socket.bytesRead;
  }

  override dispatch(request: Dispatcher.DispatchOptions, handler: DispatchHandler): boolean {
    handler.onConnection?.(this);
    return super.dispatch(request, handler);
  }
}

type Connect = Extract<NonNullable<UndiciClient.Options['connect']>, (...given: never[]) => void>;
