/** A gateway with the compositions that come with the project, and the mocks they call. */
import { expect, onTestFinished } from 'vitest';
import type { Fault, ServiceName } from '../../mocks/server.ts';
import { startMocks } from '../../mocks/server.ts';
import type { Mocks } from '../../mocks/server.ts';
import { startGateway } from '../support/gateway.ts';
import { loadCompositions } from '../../src/cli/load.ts';
import { addressesOf } from '../support/addresses.ts';
import { environmentOf, request } from '../support/start.ts';
import type { Answer } from '../support/start.ts';

export interface Shipped {
  readonly url: string;
  readonly mocks: Mocks;
  get(path: string, init?: RequestInit): Promise<Answer>;
  /** The paths a service was asked for, with their queries, in order of arrival. */
  paths(service: ServiceName): string[];
}

export interface ShippedOptions {
  readonly faults?: Readonly<Partial<Record<ServiceName, Omit<Fault, 'match'>>>>;
  /** In place of the declared ones of the compositions. */
  readonly deadlineMs?: number;
}

/** Stops by itself when the test is over. */
export async function startShipped({
  faults = {},
  deadlineMs,
}: ShippedOptions = {}): Promise<Shipped> {
  const { plans, errors } = await loadCompositions('compositions');
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('\n'));
  const mocks = await startMocks();
  onTestFinished(() => mocks.close());
  for (const name of ['orders', 'payments', 'shipping'] as const) {
    if (faults[name] !== undefined) mocks[name].fault([{ match: '*', ...faults[name] }]);
  }
  const internalErrors: unknown[] = [];
  const gateway = await startGateway({
    plans: deadlineMs === undefined ? plans : plans.map((plan) => ({ ...plan, deadlineMs })),
    host: '127.0.0.1',
    port: 0,
    addresses: addressesOf(plans, environmentOf(mocks)),
    onInternalError: (error) => internalErrors.push(error),
  });
  onTestFinished(async () => {
    await gateway.close({ graceMs: 0 });
    expect(internalErrors).toEqual([]);
  });
  return {
    url: gateway.url,
    mocks,
    get: (path, init) => request(gateway.url + path, init),
    paths: (service) => mocks[service].requests().map(({ path }) => path),
  };
}
