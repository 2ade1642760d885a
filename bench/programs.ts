/** What a row compares: ways to start something that answers requests. */
import { join } from 'node:path';
import { generateCompositions } from './generate-compositions.ts';
import type { Launch } from './process/child.ts';

/** Where a program finds what it needs. */
export interface Place {
  /** The services, all at one address; it takes traces too. */
  readonly services: string;
  /** A temporary folder, gone afterwards. */
  readonly folder: string;
}

export interface Program {
  readonly name: string;
  launch(place: Place): Promise<Launch>;
}

export interface GatewayOptions {
  /** Has this many generated compositions instead of those of the bench. */
  readonly generated?: number;
  /** Metrics are counted, and this share of requests is recorded and exported. Default: telemetry is off. */
  readonly sampled?: number;
  /** Metrics are counted, and nothing else. */
  readonly metrics?: true;
}

/** Plait as users run it. */
export function gateway({ generated, sampled, metrics }: GatewayOptions = {}): Program {
  return {
    name: 'plait',
    async launch({ services, folder }) {
      const compositions =
        generated === undefined
          ? join(import.meta.dirname, 'compositions')
          : await generateCompositions(folder, generated);
      return {
        script: 'bin/plait.js',
        args: ['start', '--compositions', compositions],
        environment: {
          ...addresses(services),
          HOST: '127.0.0.1',
          PORT: '0',
          ADMIN_PORT: '0',
          LOG_LEVEL: 'warn',
          // Full load is what is measured here, not what is left out under it.
          SHED_UTILISATION: '1',
          ...(sampled === undefined
            ? { OTEL_SDK_DISABLED: String(metrics !== true) }
            : telemetry(services, sampled)),
        },
      };
    },
  };
}

/** The same by hand; see `baseline/server.ts`. */
export const handWritten: Program = {
  name: 'by hand',
  launch: ({ services }) =>
    Promise.resolve({
      script: 'bench/baseline/server.ts',
      args: [],
      environment: addresses(services),
    }),
};

/** All services in one process. */
export const servicesLaunch: Launch = {
  script: 'bench/upstreams/server.ts',
  args: [],
  environment: {},
};

/** A service without anything in front of it. */
export const service: Program = {
  name: 'service',
  launch: () => Promise.resolve(servicesLaunch),
};

function addresses(services: string): Launch['environment'] {
  return { ORDERS_URL: services, PAYMENTS_URL: services, SHIPPING_URL: services };
}

function telemetry(collector: string, sampled: number): Launch['environment'] {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(sampled),
  };
}
