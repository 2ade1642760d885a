/** A whole gateway over real sockets, with the mocks it calls and a log of what they were asked. */
import { onTestFinished } from 'vitest';
import { startMocks } from '../../mocks/server.ts';
import type { Mocks } from '../../mocks/server.ts';
import { startGateway } from './gateway.ts';
import type { GatewayOptions } from './gateway.ts';
import type { Clock } from '../../src/clock.ts';
import type { Composition } from '../../src/dsl/composition.ts';
import type { Overload } from '../../src/edge/overload.ts';
import type { ListenOptions } from '../../src/listen.ts';
import { compileAll } from '../../src/plan/compile.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { addressesOf } from './addresses.ts';
import { request } from './request.ts';
import type { Answer } from './request.ts';

export interface WithMocksOptions {
  /** By name, as files would be called. */
  readonly compositions: Readonly<Record<string, Composition>>;
  readonly clock?: Clock;
  readonly telemetry?: Telemetry;
  readonly accessLog?: GatewayOptions['accessLog'];
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the management side; absent: there is none. */
  readonly adminPort?: number;
  readonly adminHost?: string;
  readonly adminToken?: () => string;
  /** Default: load is never shed. */
  readonly overload?: Overload;
  readonly middleware?: GatewayOptions['middleware'];
  readonly unknownQuery?: GatewayOptions['unknownQuery'];
  readonly edge?: GatewayOptions['edge'];
  readonly secrets?: GatewayOptions['secrets'];
  readonly notServed?: GatewayOptions['notServed'];
  readonly sockets?: ListenOptions['sockets'];
  /** Of the public side. Default: it speaks no TLS. */
  readonly certificate?: ListenOptions['certificate'];
}

export interface RunningGateway {
  readonly url: string;
  readonly adminUrl: string | undefined;
  readonly mocks: Mocks;
  get(path: string, init?: RequestInit): Promise<Answer>;
  /** Unexpected errors, which were answered with 500. */
  readonly internalErrors: readonly unknown[];
  /** Requests under way may take another `graceMs`, by default 0. */
  close(graceMs?: number): Promise<void>;
}

/** Stops by itself when the test is over. */
export async function startWithMocks(options: WithMocksOptions): Promise<RunningGateway> {
  const mocks = await startMocks();
  const named = Object.entries(options.compositions).map(([name, composition]) => ({
    name,
    composition,
  }));
  const { plans, errors } = compileAll(named);
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('\n'));
  const internalErrors: unknown[] = [];
  const gateway = await startGateway({
    plans,
    host: '127.0.0.1',
    port: 0,
    adminPort: options.adminPort,
    adminHost: options.adminHost,
    adminToken: options.adminToken,
    addresses: addressesOf(plans, { ...environmentOf(mocks), ...options.environment }),
    onInternalError: (error) => internalErrors.push(error),
    ...(options.clock && { clock: options.clock }),
    ...(options.telemetry && { telemetry: options.telemetry }),
    ...(options.overload && { overload: options.overload }),
    ...(options.accessLog && { accessLog: options.accessLog }),
    ...(options.unknownQuery && { unknownQuery: options.unknownQuery }),
    ...(options.middleware && { middleware: options.middleware }),
    ...(options.edge && { edge: options.edge }),
    ...(options.secrets && { secrets: options.secrets }),
    ...(options.notServed && { notServed: options.notServed }),
    ...(options.sockets && { sockets: options.sockets }),
    ...(options.certificate && { certificate: options.certificate }),
  });
  let closing: Promise<void> | undefined;
  const close = (graceMs = 0): Promise<void> => (closing ??= stop(graceMs));
  async function stop(graceMs: number): Promise<void> {
    await gateway.close({ ...(graceMs !== undefined && { graceMs }) });
    await mocks.close();
  }
  onTestFinished(() => close());
  return {
    url: gateway.url,
    adminUrl: gateway.adminUrl,
    mocks,
    internalErrors,
    close,
    get: (path, init) => request(gateway.url + path, init),
  };
}

/** Variables with the addresses of the mocks. */
export function environmentOf({ orders, payments, shipping }: Mocks): Record<string, string> {
  return { ORDERS_URL: orders.url, PAYMENTS_URL: payments.url, SHIPPING_URL: shipping.url };
}
