/** Opens all services of a gateway, and makes the calls of client requests to them. */
import type { Clock } from '../clock.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Service } from '../dsl/service.ts';
import type { Trace } from '../trace.ts';
import type { AttemptHook, OnAttemptEnd } from './attempt.ts';
import { cache } from './caching/cache.ts';
import type { CacheStore } from './caching/cache-store.ts';
import { createMemoryStore } from './caching/memory-store.ts';
import { unchanged } from './call.ts';
import type {
  Call,
  Caller,
  Dispatch,
  OnJoin,
  OnRetry,
  OnVainWait,
  Policy,
  Reply,
  Send,
  WriteWatch,
} from './call.ts';
import { createCredentials } from './credentials/credentials.ts';
import { noSecrets } from './credentials/secrets.ts';
import type { Secrets } from './credentials/secrets.ts';
import { pageOf } from './exchange/next-page.ts';
import type { Asked as PageAsked, Page } from './exchange/next-page.ts';
import { openAddress } from './exchange/tls-address.ts';
import { createForwarding, makeCall } from './make-call.ts';
import { perGateway, perRequest } from './pipeline.ts';
import { openService } from './service.ts';
import { createWritesUnderWay } from './writes-under-way.ts';
import type { ServiceStatus } from './service.ts';
import type { ErrorReading } from './state/last-error.ts';
import { openLoad } from './sharing/open-load.ts';
import type { Load } from './sharing/load.ts';

export interface UpstreamsOptions {
  readonly services: readonly Service[];
  /** The base URLs of every service, by its name. */
  readonly addresses: ReadonlyMap<string, readonly URL[]>;
  /** The texts of the headers and credentials of services. Default: none are known. */
  readonly secrets?: Secrets;
  readonly clock: Clock;
  /** Wraps every dispatch to a service; a batch is one dispatch. */
  readonly aroundCall?: Policy<Dispatch>;
  /** Watches every attempt. */
  readonly watchAttempt?: AttemptHook | undefined;
  readonly onAttemptEnd?: OnAttemptEnd | undefined;
  /** Reads the id of a trace, for the last error of a service. Default: there is none. */
  readonly traceIdOf?: ErrorReading['traceIdOf'];
  readonly onJoin?: OnJoin | undefined;
  readonly onRetry?: OnRetry | undefined;
  readonly onVainWait?: OnVainWait | undefined;
  /**
   * Stores answers of operations with a `cache`; closed with the services. Default: in memory.
   */
  readonly cacheStore?: CacheStore;
  /** Called if a stale answer could not be refreshed in the background. */
  readonly onRefreshError?: (error: unknown, call: Call) => void;
}

/** Calls an operation that is not a lookup. */
export type CallOperation = (
  operation: Operation,
  args: Call['args'],
  trace: Trace | undefined,
  more?: CallDetails,
) => Promise<Reply>;

/** The facts that few calls have. */
export interface CallDetails {
  readonly write?: WriteWatch;
  /** Whether an argument is made of a credential. Default `false`. */
  readonly conceals?: boolean;
}

/** The keys that a step asks a lookup for. */
export interface LoadRequest {
  readonly operation: Operation;
  /** Without the keys. */
  readonly args: Call['args'];
  readonly keys: readonly unknown[];
  readonly trace: Trace | undefined;
  /** Whether the step fails as soon as one of its keys does. */
  readonly failsAtOnce?: boolean;
  /** Whether a key or another argument is made of a credential. Default `false`. */
  readonly conceals?: boolean;
}

/** A page of a list. */
export interface PageRequest extends Omit<PageAsked, 'addresses' | 'isSecret' | 'isKey'> {
  readonly operation: Operation;
  readonly trace: Trace | undefined;
  readonly conceals?: boolean;
}

/** Calls services on behalf of one request. */
export interface Calls {
  readonly call: CallOperation;
  load(request: LoadRequest): Load;
  /** Asks for one page of a list, and tells where the next one is. */
  page(request: PageRequest): Promise<Page>;
}

export interface Upstreams {
  /** Prepares the calls of one request to all services. */
  open(caller: Caller): Calls;
  /**
   * Waits until no write is under way, for at most `limitMs`; resolves to the names of the
   * operations whose writes still are.
   */
  settleWrites(limitMs: number): Promise<readonly string[]>;
  /** Drops the stored answers with one of `tags`; see `CacheStore.invalidate`. */
  invalidate(tags: readonly string[]): Promise<number>;
  /** The state of every service as its policies see it. */
  status(): readonly ServiceStatus[];
  /** Breaks all connections. */
  close(): Promise<void>;
}

const ignore = (): undefined => undefined;

const plain: CallDetails = Object.freeze({});

type Asked = Pick<LoadRequest, 'operation' | 'args' | 'trace' | 'conceals'> &
  Partial<Pick<Call, 'givenTarget'>>;

export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const { clock, aroundCall = unchanged, watchAttempt: hook, onAttemptEnd, onJoin } = options;
  const { traceIdOf = ignore, onRetry, onVainWait } = options;
  const { cacheStore: store = createMemoryStore({ clock }), onRefreshError = ignore } = options;
  // Before anything is opened, since a secret may be missing.
  const { services: declared, secrets = noSecrets } = options;
  const credentials = createCredentials({ services: declared, secrets, clock });
  const addresses = new Map(
    declared.map((service) => [
      service,
      (options.addresses.get(service.name) ?? []).map((url) =>
        openAddress(service, url, { tls: credentials.tlsOf(service) }),
      ),
    ]),
  );

  const services = new Map(
    [...addresses].map(([service, own]) => [
      service.name,
      openService(service, {
        addresses: own,
        credential: credentials.of(service),
        tls: credentials.tlsOf(service),
        clock,
        hook,
        onAttemptEnd,
        onRetry,
        onVainWait,
        traceIdOf,
      }),
    ]),
  );

  const toService: Send<Dispatch> = function toService(dispatch) {
    const { name } = dispatch.operation.service;
    const service = services.get(name);
    if (service !== undefined) return service.send(dispatch);
    return Promise.reject(new Error(`service "${name}" was not opened`));
  };

  // Gateways that share a Redis may use one name for different services, or different accounts.
  const originOf = (operation: Operation): string => {
    const { service, route } = operation;
    const own = addresses.get(service)?.map(({ url }) => url.href) ?? [];
    const account = credentials.accountOf(operation);
    return [route.text, ...own, ...(account === '' ? [] : [account])].join(' ');
  };

  const writes = createWritesUnderWay(clock);
  const caching = cache({ store, clock, originOf, onRefreshError });
  const prefixOf = ({ service }: Operation): string =>
    (addresses.get(service) ?? [])
      .map(({ prefix }) => prefix)
      .reduce((longest, prefix) => (prefix.length > longest.length ? prefix : longest), '');

  const withdraw = ({ service }: Operation): boolean =>
    services.get(service.name)?.withdraw() === true;

  const shared = perGateway(
    {
      caching,
      clock,
      aroundCall,
      onJoin,
      prefixOf,
      extraBytes: credentials.queryBytes,
      withdraw,
    },
    toService,
  );

  return {
    open(caller) {
      const { send: sendOnce, sendLoad } = perRequest(shared, onJoin);
      const forwarding = createForwarding(caller);
      const make = (asked: Asked): Call => {
        const { operation, args, givenTarget, trace, conceals = false } = asked;
        const createdAt = clock.now();
        return makeCall(
          { operation, args, givenTarget, trace, caller, createdAt, conceals },
          forwarding(operation),
        );
      };
      return {
        call(operation, args, trace, { write, conceals = false } = plain) {
          const made = make({ operation, args, trace, conceals });
          if (made.key !== undefined) return sendOnce(made);
          const headers = { ...made.headers, ...write?.headers };
          return writes.track(operation, sendOnce({ ...made, headers, write }));
        },
        async page(asked) {
          const { at, operation } = asked;
          const call = make({ ...asked, args: at.args, givenTarget: at.target });
          const reply = await sendOnce(call);
          return pageOf(call, reply, {
            ...asked,
            addresses: addresses.get(operation.service) ?? [],
            isSecret: (text) => credentials.of(operation.service)?.isIn(text, call) ?? false,
            isKey: (text) => credentials.of(operation.service)?.isKeyIn(text, call) ?? false,
          });
        },
        load: (asked) => {
          const { keys, failsAtOnce = false } = asked;
          return openLoad({ call: make(asked), keys, failsAtOnce }, sendLoad);
        },
      };
    },
    settleWrites: (limitMs) => writes.settle(limitMs),
    invalidate: (tags) => store.invalidate(tags),
    status: () => [...services.values()].map((service) => service.status()),
    close: async () => {
      await Promise.all([...services.values()].map((service) => service.close()));
      await credentials.close();
      await store.close();
    },
  };
}
