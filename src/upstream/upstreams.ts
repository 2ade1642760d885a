/** All services of a gateway: what is shared on the way to them, outermost first. */
import type { Clock } from '../clock.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Service } from '../dsl/service.ts';
import type { Signal } from '../signal.ts';
import { batch } from './sharing/batch.ts';
import { cache } from './caching/cache.ts';
import type { CacheStore } from './caching/cache-store.ts';
import type { Call, Policy, Reply, Send, Watch } from './call.ts';
import { pipeline, unchanged } from './call.ts';
import { coalesce } from './sharing/coalesce.ts';
import { deduplicate } from './sharing/deduplicate.ts';
import { createEndpoint } from './exchange/endpoint.ts';
import type { Endpoint } from './exchange/endpoint.ts';
import { identityOf } from './sharing/key.ts';
import { createMemoryStore } from './caching/memory-store.ts';
import { openService } from './service-pipeline.ts';
import type { ServiceStatus } from './service-pipeline.ts';

export interface UpstreamsOptions {
  readonly services: readonly Service[];
  /** The base URLs of every service, by its name. */
  readonly addresses: ReadonlyMap<string, readonly URL[]>;
  readonly clock: Clock;
  /** Put around every call that goes to a service: of a batch, around the batch. */
  readonly aroundCall?: Policy;
  /** Told of every attempt, when its endpoint is known. */
  readonly watchAttempt?: Watch | undefined;
  /** Where answers of operations with a `cache` are kept; closed with the rest. Default: this process. */
  readonly cacheStore?: CacheStore;
  /** Told why an answer could not be refreshed in the background. Spans around the call say it too. */
  readonly onRefreshError?: (error: unknown, call: Call) => void;
}

/** The request on whose behalf calls are made. */
export interface Caller {
  readonly signal: Signal;
  readonly deadlineAt: number;
  /** Counts the requests sent to services. */
  readonly sent: { count: number };
  /** A header of the client's request, by its lower-case name. */
  header(name: string): string | undefined;
}

/** Makes a call for the request it was opened for. */
export type CallOperation = (
  operation: Operation,
  args: Call['args'],
  trace: unknown,
) => Promise<Reply>;

export interface Upstreams {
  /** What one request calls services through. */
  open(caller: Caller): CallOperation;
  /** Drops what is kept with one of `tags`; see `CacheStore.invalidate`. */
  invalidate(tags: readonly string[]): Promise<number>;
  /** How every service is doing, by the policies of the way to it. */
  status(): readonly ServiceStatus[];
  /** Breaks all connections. */
  close(): Promise<void>;
}

const ignore = (): void => undefined;

export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const { clock, aroundCall = unchanged, watchAttempt } = options;
  const { cacheStore: store = createMemoryStore({ clock }), onRefreshError = ignore } = options;
  const endpoints = openEndpoints(options);

  const services = new Map(
    [...endpoints].map(([service, own]) => [
      service.name,
      openService(service, { endpoints: own, clock, watchAttempt }),
    ]),
  );

  const toService: Send = (call) => {
    const service = services.get(call.operation.service.name);
    if (service !== undefined) return service.send(call);
    return Promise.reject(new Error(`service "${call.operation.service.name}" was not opened`));
  };

  // Two gateways that share a Redis may mean different services by one name.
  const originOf = ({ service, route }: Operation): string => {
    const addresses = endpoints.get(service)?.map(({ origin, prefix }) => origin + prefix) ?? [];
    return [route.text, ...addresses].join(' ');
  };

  const shared = pipeline(
    [cache({ store, clock, originOf, onRefreshError }), coalesce(clock), batch(clock), aroundCall],
    toService,
  );

  return {
    open(caller) {
      const perRequest = deduplicate()(shared);
      const { signal, deadlineAt, sent } = caller;
      const toldBy = rememberWhatIsTold(caller);
      return (operation, args, trace) =>
        perRequest({
          ...toldBy(operation),
          operation,
          args,
          trace,
          signal,
          deadlineAt,
          sent,
          createdAt: clock.now(),
          waiters: [],
          twins: [],
          fresh: false,
          key: undefined,
        });
    },
    invalidate: (tags) => store.invalidate(tags),
    status: () => [...services.values()].map((service) => service.status()),
    close: async () => {
      await Promise.all([...services.values()].map((service) => service.close()));
      await store.close();
    },
  };
}

function openEndpoints({
  services,
  addresses,
}: UpstreamsOptions): ReadonlyMap<Service, readonly Endpoint[]> {
  return new Map(
    services.map((service) => {
      const urls = addresses.get(service.name) ?? [];
      if (urls.length === 0) throw new Error(`service "${service.name}" was given no address`);
      return [service, urls.map((url) => createEndpoint(service, url))];
    }),
  );
}

/** A request may call one operation a hundred times, and tells it the same each time. */
function rememberWhatIsTold(caller: Caller) {
  const known = new Map<Operation, Pick<Call, 'headers' | 'identity'>>();
  return (operation: Operation): Pick<Call, 'headers' | 'identity'> => {
    const before = known.get(operation);
    if (before !== undefined) return before;
    const headers = forwarded(caller, operation);
    const told = { headers, identity: identityOf(headers) };
    known.set(operation, told);
    return told;
  };
}

/** Only what the operation lists goes up. */
function forwarded(caller: Caller, operation: Operation): Call['headers'] {
  const headers: Record<string, string> = {};
  for (const name of operation.forward) {
    const value = caller.header(name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}
