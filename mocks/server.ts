/** Serves the mock services on real ports: for tests, and by hand with `node mocks/server.ts`. */
import type { HttpHandler } from 'msw';
import { createOrdersHandlers } from './handlers/orders.ts';
import { createPaymentsHandlers } from './handlers/payments.ts';
import { createShippingHandlers } from './handlers/shipping.ts';
import { createRouteFinder } from './routes.ts';
import { startService } from './service.ts';
import type { MockService, RunningService } from './service.ts';
import { startTracing } from './tracing.ts';
import type { StartTracing } from './tracing.ts';

export type { Fault } from './faults.ts';
export type { RecordedRequest } from './request-log.ts';
export type { MockService } from './service.ts';

const defaultBasePort = 4001;

export type ServiceName = 'orders' | 'payments' | 'shipping';

export interface MocksOptions {
  /** A service without a port takes a free one. */
  readonly ports?: Partial<Record<ServiceName, number>>;
  readonly host?: string;
  /** Follows the OTEL_* variables when left out. */
  readonly telemetry?: StartTracing;
}

export interface Mocks extends Record<ServiceName, MockService> {
  close(): Promise<void>;
}

/**
 * Starts the three services, each on its own port.
 *
 * @throws an Error which names the service and the port when one cannot listen; none is left
 * running
 *
 * @example
 * const mocks = await startMocks();
 * mocks.payments.fault([{ match: 'GET /payments*', status: 503, times: 1 }]);
 * await mocks.close();
 */
export async function startMocks(options: MocksOptions = {}): Promise<Mocks> {
  const started: RunningService[] = [];
  const start = async (name: ServiceName, handlers: HttpHandler[]) => {
    const service = await startOne(name, handlers, options);
    started.push(service);
    return service;
  };
  const close = async () => {
    await Promise.all(started.map((service) => service.close()));
  };
  try {
    return {
      orders: await start('orders', createOrdersHandlers()),
      payments: await start('payments', createPaymentsHandlers()),
      shipping: await start('shipping', createShippingHandlers()),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startOne(
  name: ServiceName,
  handlers: HttpHandler[],
  { ports, host = '127.0.0.1', telemetry = startTracing }: MocksOptions,
): Promise<RunningService> {
  const tracing = await telemetry({ name, findRoute: createRouteFinder(handlers) });
  return startService({ name, host, port: ports?.[name] ?? 0, handlers, tracing });
}

async function main(): Promise<void> {
  const base = parseBasePort(process.env['MOCKS_BASE_PORT']);
  const mocks = await startMocks({
    ports: base === 0 ? {} : { orders: base, payments: base + 1, shipping: base + 2 },
    host: process.env['HOST'] || '127.0.0.1',
  });
  console.log(`orders   ${mocks.orders.url}`);
  console.log(`payments ${mocks.payments.url}`);
  console.log(`shipping ${mocks.shipping.url}`);
  // `disconnect`: the process that started this one has ended.
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) {
    process.once(event, () => void mocks.close().then(() => process.exit(0)));
  }
  console.log('ready Ctrl-C stops the mock services');
}

/** 0: any free ports. */
function parseBasePort(text: string | undefined): number {
  const port = Number(text || defaultBasePort);
  if (Number.isInteger(port) && port >= 0 && port <= 65_533) return port;
  throw new Error(`MOCKS_BASE_PORT is "${text}". Give a whole number from 0 (any free) to 65533.`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
