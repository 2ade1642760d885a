/**
 * The compositions that come with the project, a gateway that serves them, and the mocks they call.
 * No test loads `compositions/` as a whole: users add their own files there.
 */
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { startMocks } from '../../mocks/server.ts';
import type { Fault, Mocks, ServiceName } from '../../mocks/server.ts';
import { loadCompositions } from '../../src/load-compositions.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { addressesOf } from './addresses.ts';
import { startGateway } from './gateway.ts';
import { environmentOf } from './gateway-with-mocks.ts';
import { request } from './request.ts';
import type { Answer } from './request.ts';

/** A folder with these compositions and no others. */
export const shippedFolder = join(import.meta.dirname, 'shipped');

export async function shippedPlans(): Promise<readonly Plan[]> {
  const { plans, errors } = await loadCompositions(shippedFolder);
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('\n'));
  return plans;
}

export interface Shipped {
  readonly url: string;
  readonly mocks: Mocks;
  get(path: string, init?: RequestInit): Promise<Answer>;
  /** The paths a service was asked for, with their queries, in order of arrival. */
  paths(service: ServiceName): string[];
}

export interface ShippedOptions {
  readonly faults?: Readonly<Partial<Record<ServiceName, Omit<Fault, 'match'>>>>;
  /** Replaces the deadlines that the compositions declare. */
  readonly deadlineMs?: number;
}

/** Stops by itself when the test is over. */
export async function startShipped({
  faults = {},
  deadlineMs,
}: ShippedOptions = {}): Promise<Shipped> {
  const plans = await shippedPlans();
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
