/** Gauges, read when metrics are: breakers, bulkheads, addresses, overload, the event loop. */
import type { Attributes, Meter } from '@opentelemetry/api';
import type { ServiceStatus } from '../upstream/service.ts';
import { readVersion } from '../version.ts';
import type { Watched } from './telemetry.ts';

export function watchGauges(meter: Meter, watched: Watched): void {
  watchServices(meter, watched);
  watchShed(meter, watched);
  watchCompositions(meter, watched);
  watchProcess(meter, watched);
}

const breakerStates = ['closed', 'half-open', 'open'] as const;
const endpointStates = ['used', 'ejected', 'unwell'] as const;

interface ServiceGauge {
  readonly name: string;
  readonly unit?: string;
  readonly description: string;
  /** Its values for one service, with the labels that tell them apart. */
  read(service: ServiceStatus): readonly (readonly [value: number, labels?: Attributes])[];
}

/** Reads all gauges of a service together, since its state takes longer to find. */
function watchServices(
  meter: Meter,
  { operations, status }: Pick<Watched, 'operations' | 'status'>,
): void {
  const limits = new Map(
    operations.map(({ service }) => [service.name, service.bulkhead.concurrency]),
  );
  const gauges = gaugesOf(limits).map(({ name, read, ...options }) => ({
    gauge: meter.createObservableGauge(name, options),
    read,
  }));
  meter.addBatchObservableCallback(
    (result) => {
      for (const service of status()) {
        for (const { gauge, read } of gauges) {
          for (const [value, labels] of read(service)) {
            result.observe(gauge, value, { 'plait.service': service.service, ...labels });
          }
        }
      }
    },
    gauges.map(({ gauge }) => gauge),
  );
}

/** `limits`: the permits of the bulkhead of each service. */
function gaugesOf(limits: ReadonlyMap<string, number>): readonly ServiceGauge[] {
  return [
    {
      name: 'plait.breaker.state',
      description: '1 for the state the breaker of a service is in',
      read: ({ breaker }) =>
        breakerStates.map((state) => [Number(breaker === state), { 'plait.state': state }]),
    },
    {
      name: 'plait.bulkhead.in_flight',
      unit: '{call}',
      description: 'Calls in flight to a service',
      read: ({ bulkhead }) => [[bulkhead.inFlight]],
    },
    {
      name: 'plait.bulkhead.waiting',
      unit: '{call}',
      description: 'Calls that wait for a permit',
      read: ({ bulkhead }) => [[bulkhead.waiting]],
    },
    {
      name: 'plait.bulkhead.limit',
      unit: '{call}',
      description: 'Calls that may be in flight to a service',
      read: ({ service }) => [[limits.get(service) ?? 0]],
    },
    {
      name: 'plait.endpoints',
      unit: '{address}',
      description: 'Addresses of a service, by whether they are used',
      read: ({ endpoints }) =>
        endpointStates.map((state) => [
          endpoints.filter((endpoint) => endpoint.state === state).length,
          { 'plait.state': state },
        ]),
    },
  ];
}

/** Refused requests are `plait.refusals`. */
function watchShed(meter: Meter, { shed }: Pick<Watched, 'shed'>): void {
  meter
    .createObservableCounter('plait.shed', {
      unit: '{step}',
      description: 'Steps that were left out under overload',
    })
    .addCallback((result) => result.observe(shed.steps, { 'plait.kind': 'step' }));
}

function watchCompositions(meter: Meter, { compositions }: Pick<Watched, 'compositions'>): void {
  meter
    .createObservableGauge('plait.compositions', {
      unit: '{composition}',
      description: 'Compositions, by whether they are served',
    })
    .addCallback((result) => {
      result.observe(compositions.served, { 'plait.state': 'served' });
      result.observe(compositions.notServed, { 'plait.state': 'not-served' });
    });
}

function watchProcess(
  meter: Meter,
  { overload, connections }: Pick<Watched, 'overload' | 'connections'>,
): void {
  const gauge = (name: string, description: string, read: () => number, unit = '1'): void => {
    meter
      .createObservableGauge(name, { description, unit })
      .addCallback((result) => result.observe(read()));
  };
  gauge(
    'plait.overload.pressure',
    'Above 0 steps are shed, above 1 requests',
    () => overload.pressure,
  );
  gauge('nodejs.eventloop.utilization', 'Share of time it is busy', () => overload.lag.utilisation);
  gauge(
    'nodejs.eventloop.delay.max',
    'How late it was at most, in the last quarter of a second',
    () => overload.lag.delayMs / 1_000,
    's',
  );
  gauge('plait.connections', 'Open connections of clients', connections, '{connection}');
  gauge('process.memory.usage', 'Resident memory', () => process.memoryUsage.rss(), 'By');
  const build = { 'plait.version': readVersion(), 'process.runtime.version': process.version };
  meter
    .createObservableGauge('plait.build.info', { description: '1; its labels are the versions' })
    .addCallback((result) => result.observe(1, build));
}
