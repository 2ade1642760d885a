/** The programs that a row compares: ways to start something that answers requests. */
import { join } from 'node:path';
import { fromGraphQL, toGraphQL } from './baselines/graphql/requests.ts';
import { borrowCompositions, definedCompositions, generateCompositions } from './checkout.ts';
import type { Request } from './load/request-file.ts';
import { thisCheckout } from './process/child.ts';
import type { Launch } from './process/child.ts';
import { startRedis } from './process/redis.ts';
import { writeKeySet } from './tokens.ts';

/** Where a program finds what it needs. */
export interface Place {
  /** The address of all services; it takes traces, too. */
  readonly services: string;
  /** A temporary folder, gone afterwards. */
  readonly folder: string;
}

export interface Program {
  /** Unique within a row. */
  readonly name: string;
  launch(place: Place): Promise<Launch>;
  /** How it is asked for the same thing, if not by the same request. */
  readonly toRequest?: (request: Request) => Request;
  /** Finds the answer in the body, if it is not the whole of it. */
  readonly toAnswer?: (body: unknown) => unknown;
  /** The same program of another checkout, called `before`. */
  readonly of?: (checkout: string) => Program;
}

export interface GatewayOptions {
  readonly name?: string;
  /** Has this many generated compositions instead of those of the bench. */
  readonly generated?: number;
  /**
   * Metrics are counted, and this share of requests is recorded and exported. Default: telemetry is
   * off.
   */
  readonly sampled?: number;
  /** What its `gateway.ts` exports, as an expression: `defineGateway({ … })`. */
  readonly definition?: string;
  /** Has a Redis of its own. */
  readonly redis?: true;
  /** Metrics are counted, and nothing else. */
  readonly metrics?: true;
  /** Has the compositions of `protected/`, which demand a token. */
  readonly isProtected?: true;
}

/** Plait as users run it. */
export function gateway(options: GatewayOptions = {}, checkout = thisCheckout): Program {
  return {
    name: options.name ?? 'plait',
    async launch(place) {
      const compositions = await compositionsFor(options, checkout, place.folder);
      return {
        checkout,
        script: 'bin/plait.js',
        args: ['start', '--compositions', compositions],
        environment: {
          ...environmentOf(options, place),
          ...(options.redis === true && { REDIS_URL: await startRedis(place.folder) }),
          ...(options.isProtected === true && { BENCH_JWKS: await writeKeySet(place.folder) }),
        },
      };
    },
    of: (other) => gateway({ ...options, name: 'before' }, other),
  };
}

async function compositionsFor(
  { generated, definition, isProtected }: GatewayOptions,
  checkout: string,
  folder: string,
) {
  if (definition !== undefined) return definedCompositions(checkout, folder, definition);
  if (generated !== undefined) return generateCompositions(checkout, folder, generated);
  const name = isProtected === true ? 'protected' : 'compositions';
  return checkout === thisCheckout
    ? join(import.meta.dirname, name)
    : borrowCompositions(checkout, folder, name);
}

function environmentOf({ sampled, metrics }: GatewayOptions, { services }: Place) {
  return {
    ...addresses(services),
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    LOG_LEVEL: 'warn',
    // The bench measures full load, not what Plait leaves out under it.
    SHED_UTILISATION: '1',
    ...(sampled === undefined
      ? { OTEL_SDK_DISABLED: String(metrics !== true) }
      : telemetry(services, sampled)),
  };
}

/** The bare hand; see `baselines/hand`. */
export const byHand = baseline('by hand', 'hand/server.ts');
/** The bare hand with a cache of answers. */
export const byHandKeeping = baseline('by hand', 'hand/server.ts', ['--keep']);
/** See `baselines/careful`. */
export const careful = baseline('careful hand', 'careful/server.ts');
const graphQL = { toRequest: toGraphQL, toAnswer: fromGraphQL };
export const mercurius = { ...baseline('Mercurius', 'graphql/mercurius.ts'), ...graphQL };
export const yoga = { ...baseline('Yoga', 'graphql/yoga.ts'), ...graphQL };

function baseline(name: string, script: string, args: readonly string[] = []): Program {
  return {
    name,
    launch: ({ services }) =>
      Promise.resolve({
        script: join('bench', 'baselines', script),
        args,
        environment: addresses(services),
      }),
  };
}

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

/** One address answers for all services. */
export function addresses(services: string): Launch['environment'] {
  return { ORDERS_URL: services, PAYMENTS_URL: services, SHIPPING_URL: services };
}

function telemetry(collector: string, sampled: number): Launch['environment'] {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(sampled),
  };
}
