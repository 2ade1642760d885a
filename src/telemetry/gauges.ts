/** Gauges, read when metrics are: breakers, bulkheads, addresses, overload, the event loop. */
import type { Attributes, Meter } from '@opentelemetry/api';
import type { ServiceStatus } from '../upstream/service.ts';
import { readVersion } from '../version.ts';
import type { Watched } from './telemetry.ts';

const breakerStates = ['closed', 'half-open', 'open'] as const;
const endpointStates = ['used', 'ejected', 'unwell'] as const;

export function watchGauges(
  meter: Meter,
  { operations, compositions, status, overload, connections, shed }: Watched,
): void {
  const limits = new Map(
    operations.map(({ service }) => [service.name, service.bulkhead.concurrency]),
  );
  const perService = (
    { name, unit }: { name: string; unit?: string },
    description: string,
    read: (service: ServiceStatus) => readonly (readonly [value: number, labels?: Attributes])[],
  ): void => {
    meter
      .createObservableGauge(name, { description, ...(unit && { unit }) })
      .addCallback((result) => {
        for (const service of status()) {
          for (const [value, labels] of read(service)) {
            result.observe(value, { 'plait.service': service.service, ...labels });
          }
        }
      });
  };
  const plain = (name: string, description: string, read: () => number, unit = '1'): void => {
    meter
      .createObservableGauge(name, { description, unit })
      .addCallback((result) => result.observe(read()));
  };

  perService(
    { name: 'plait.breaker.state' },
    '1 for the state the breaker of a service is in',
    (service) =>
      breakerStates.map((state) => [Number(service.breaker === state), { 'plait.state': state }]),
  );
  perService(
    { name: 'plait.bulkhead.in_flight', unit: '{call}' },
    'Calls in flight to a service',
    ({ bulkhead }) => [[bulkhead.inFlight]],
  );
  perService(
    { name: 'plait.bulkhead.waiting', unit: '{call}' },
    'Calls that wait for a permit',
    ({ bulkhead }) => [[bulkhead.waiting]],
  );
  perService(
    { name: 'plait.bulkhead.limit', unit: '{call}' },
    'Calls that may be in flight to a service',
    ({ service }) => [[limits.get(service) ?? 0]],
  );
  perService(
    { name: 'plait.endpoints', unit: '{address}' },
    'Addresses of a service, by whether they are used',
    (service) =>
      endpointStates.map((state) => [
        service.endpoints.filter((endpoint) => endpoint.state === state).length,
        { 'plait.state': state },
      ]),
  );
  // Refused requests are `plait.refusals`.
  meter
    .createObservableCounter('plait.shed', {
      unit: '{step}',
      description: 'Steps that were left out under overload',
    })
    .addCallback((result) => result.observe(shed.steps, { 'plait.kind': 'step' }));
  plain(
    'plait.overload.pressure',
    'Above 0 steps are shed, above 1 requests',
    () => overload.pressure,
  );
  plain('nodejs.eventloop.utilization', 'Share of time it is busy', () => overload.lag.utilisation);
  plain(
    'nodejs.eventloop.delay.max',
    'How late it was at most, in the last quarter of a second',
    () => overload.lag.delayMs / 1_000,
    's',
  );
  plain('plait.connections', 'Open connections of clients', connections, '{connection}');
  meter
    .createObservableGauge('plait.compositions', {
      unit: '{composition}',
      description: 'Compositions, by whether they are served',
    })
    .addCallback((result) => {
      result.observe(compositions.served, { 'plait.state': 'served' });
      result.observe(compositions.notServed, { 'plait.state': 'not-served' });
    });
  const build = { 'plait.version': readVersion(), 'process.runtime.version': process.version };
  meter
    .createObservableGauge('plait.build.info', { description: '1; its labels are the versions' })
    .addCallback((result) => result.observe(1, build));
  plain('process.memory.usage', 'Resident memory', () => process.memoryUsage.rss(), 'By');
}
