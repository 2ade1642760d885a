/** All services of a gateway, and the calls that one client request makes to them. */
import type { Clock } from '../clock.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Service } from '../dsl/service.ts';
import type { Trace } from '../trace.ts';
import type { AttemptHook } from './attempt.ts';
import { cache } from './caching/cache.ts';
import type { CacheStore } from './caching/cache-store.ts';
import { createMemoryStore } from './caching/memory-store.ts';
import { isShareable, unchanged } from './call.ts';
import type { Call, Caller, Dispatch, Policy, Reply, Send } from './call.ts';
import { createAddress } from './exchange/address.ts';
import type { Address } from './exchange/address.ts';
import { perGateway, perRequest } from './pipeline.ts';
import { openService } from './service.ts';
import type { ServiceStatus } from './service.ts';
import { identityOf, keyOf } from './sharing/key.ts';
import { openLoad } from './sharing/open-load.ts';
import type { Load } from './sharing/load.ts';

export interface UpstreamsOptions {
  readonly services: readonly Service[];
  /** The base URLs of every service, by its name. */
  readonly addresses: ReadonlyMap<string, readonly URL[]>;
  readonly clock: Clock;
  /** Put around every call that goes to a service: of a batch, around the batch. */
  readonly aroundCall?: Policy<Dispatch>;
  /** Told of every attempt. */
  readonly attemptHook?: AttemptHook | undefined;
  /** Where answers of operations with a `cache` are kept; closed with the rest. Default: this process. */
  readonly cacheStore?: CacheStore;
  /** Told why an answer could not be refreshed in the background. Spans around the call say it too. */
  readonly onRefreshError?: (error: unknown, call: Call) => void;
}

/** A step asks an operation that is not a lookup. */
export type CallOperation = (
  operation: Operation,
  args: Call['args'],
  trace: Trace | undefined,
) => Promise<Reply>;

/** A step asks a lookup for a list of keys. */
export interface LoadRequest {
  readonly operation: Operation;
  /** Without the keys. */
  readonly args: Call['args'];
  readonly keys: readonly unknown[];
  readonly trace: Trace | undefined;
  /** The step fails with the first of its keys. */
  readonly failsAtOnce?: boolean;
}

/** Calls services for the request it was opened for. */
export interface Calls {
  readonly call: CallOperation;
  load(request: LoadRequest): Load;
}

export interface Upstreams {
  /** Opens the way to all services for one request. */
  open(caller: Caller): Calls;
  /** Drops the answers kept with one of `tags`; see `CacheStore.invalidate`. */
  invalidate(tags: readonly string[]): Promise<number>;
  /** How every service is doing, by the policies of the way to it. */
  status(): readonly ServiceStatus[];
  /** Breaks all connections. */
  close(): Promise<void>;
}

const ignore = (): void => undefined;

export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const { clock, aroundCall = unchanged, attemptHook: hook } = options;
  const { cacheStore: store = createMemoryStore({ clock }), onRefreshError = ignore } = options;
  const addresses = openAddresses(options);

  const services = new Map(
    [...addresses].map(([service, own]) => [
      service.name,
      openService(service, { addresses: own, clock, hook }),
    ]),
  );

  const toService: Send<Dispatch> = function toService(dispatch) {
    const { name } = dispatch.operation.service;
    const service = services.get(name);
    if (service !== undefined) return service.send(dispatch);
    return Promise.reject(new Error(`service "${name}" was not opened`));
  };

  // Two gateways that share a Redis may mean different services by one name.
  const originOf = ({ service, route }: Operation): string => {
    const own = addresses.get(service)?.map(({ origin, prefix }) => origin + prefix) ?? [];
    return [route.text, ...own].join(' ');
  };

  const caching = cache({ store, clock, originOf, onRefreshError });
  const shared = perGateway({ caching, clock, aroundCall }, toService);

  return {
    open(caller) {
      const { send: sendOnce, sendLoad } = perRequest(shared);
      const forwarding = createForwarding(caller);
      const make = (operation: Operation, args: Call['args'], trace: Trace | undefined): Call => {
        const { headers, identity } = forwarding(operation);
        return {
          operation,
          args,
          headers,
          identity,
          key: isShareable(operation) ? keyOf({ operation, args, identity }) : undefined,
          caller,
          signal: caller.signal,
          createdAt: clock.now(),
          deadlineAt: caller.deadlineAt,
          trace,
          afterWrite: caller.hasWritten,
          followers: [],
        };
      };
      return {
        call: (operation, args, trace) => sendOnce(make(operation, args, trace)),
        load: ({ operation, args, keys, trace, failsAtOnce = false }) =>
          openLoad({ call: make(operation, args, trace), keys, failsAtOnce }, sendLoad),
      };
    },
    invalidate: (tags) => store.invalidate(tags),
    status: () => [...services.values()].map((service) => service.status()),
    close: async () => {
      await Promise.all([...services.values()].map((service) => service.close()));
      await store.close();
    },
  };
}

function openAddresses({
  services,
  addresses,
}: UpstreamsOptions): ReadonlyMap<Service, readonly Address[]> {
  return new Map(
    services.map((service) => [
      service,
      (addresses.get(service.name) ?? []).map((url) => createAddress(service, url)),
    ]),
  );
}

/** Memoises forwarded headers and identity by operation: a request may call one a hundred times. */
function createForwarding(caller: Caller) {
  let known: Map<Operation, Pick<Call, 'headers' | 'identity'>> | undefined;
  return function forwardedTo(operation: Operation): Pick<Call, 'headers' | 'identity'> {
    if (operation.forward.length === 0) return nothingForwarded;
    const before = (known ??= new Map()).get(operation);
    if (before !== undefined) return before;
    const headers = forwarded(caller, operation);
    const forwarding = { headers, identity: identityOf(headers) };
    known.set(operation, forwarding);
    return forwarding;
  };
}

const nothingForwarded = Object.freeze({ headers: Object.freeze({}), identity: '' });

/** Only headers that the operation lists go up. */
function forwarded(caller: Caller, operation: Operation): Call['headers'] {
  const headers: Record<string, string> = {};
  for (const name of operation.forward) {
    const value = caller.header(name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}
