/** Gauges, read when metrics are: breakers, bulkheads, addresses, overload, the event loop. */
import type { Attributes, Meter } from '@opentelemetry/api';
import type { ServiceStatus } from '../upstream/service.ts';
import type { Watched } from './telemetry.ts';

const breakerStates = ['closed', 'half-open', 'open'] as const;
const endpointStates = ['used', 'ejected', 'unwell'] as const;

export function watchGauges(meter: Meter, { status, overload }: Watched): void {
  const perService = (
    name: string,
    description: string,
    read: (service: ServiceStatus) => readonly (readonly [value: number, labels?: Attributes])[],
  ): void => {
    meter.createObservableGauge(name, { description }).addCallback((result) => {
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

  perService('plait.breaker.state', '1 for the state the breaker of a service is in', (service) =>
    breakerStates.map((state) => [Number(service.breaker === state), { state }]),
  );
  perService('plait.bulkhead.in_flight', 'Calls in flight to a service', ({ bulkhead }) => [
    [bulkhead.inFlight],
  ]);
  perService('plait.bulkhead.waiting', 'Calls that wait for a permit', ({ bulkhead }) => [
    [bulkhead.waiting],
  ]);
  perService('plait.endpoints', 'Addresses of a service, by whether they are used', (service) =>
    endpointStates.map((state) => [
      service.endpoints.filter((endpoint) => endpoint.state === state).length,
      { state },
    ]),
  );
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
  plain('process.memory.usage', 'Resident memory', () => process.memoryUsage.rss(), 'By');
}
