/** What telemetry puts around the other layers; they know nothing of it. */
import type { Overload } from '../edge/overload.ts';
import type { WatchStep } from '../engine/execution.ts';
import type { Handler } from '../http/exchange.ts';
import type { Policy } from '../upstream/call.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { TraceStore } from './trace-store.ts';

export interface Telemetry {
  readonly aroundHandler: (next: Handler) => Handler;
  /** Absent: nobody watches steps. */
  readonly watchStep?: WatchStep;
  /** Around every call a step makes, before anything is shared. */
  readonly aroundLoad: Policy;
  /** Around every call that goes to a service: of a batch, around the batch. */
  readonly aroundCall: Policy;
  readonly aroundAttempt: Policy;
  /** Tells it what it may look at when it is asked how things are. */
  watch(gateway: Watched): void;
  /** All metrics as text in the Prometheus format; absent: there are none. */
  readonly metrics?: () => Promise<string>;
  /** The latest traces, where they are kept in this process. */
  readonly traces?: TraceStore;
  /** Hands over what was recorded; bounded in time, never rejects. */
  shutdown(): Promise<void>;
}

export interface Watched {
  readonly status: Upstreams['status'];
  readonly overload: Overload;
}

/** A part of telemetry: what it does not say it leaves as it is. */
export type Observer = Partial<Telemetry>;

/** Several as one: the first is the outermost, and what it records is the parent of what the others do. */
export function combine(observers: readonly Observer[]): Telemetry {
  const of = <Part extends keyof Telemetry>(part: Part) =>
    observers.flatMap((observer) => observer[part] ?? []) as NonNullable<Telemetry[Part]>[];
  const [metrics] = of('metrics');
  const [traces] = of('traces');
  const watchStep = of('watchStep').reduceRight<WatchStep | undefined>(watchInside, undefined);
  return {
    aroundHandler: around(of('aroundHandler')),
    ...(watchStep && { watchStep }),
    aroundLoad: around(of('aroundLoad')),
    aroundCall: around(of('aroundCall')),
    aroundAttempt: around(of('aroundAttempt')),
    watch: (gateway) => of('watch').forEach((watch) => watch(gateway)),
    ...(metrics && { metrics }),
    ...(traces && { traces }),
    shutdown: async () => {
      await Promise.all(of('shutdown').map((shutdown) => shutdown()));
    },
  };
}

/** The inner one begins later and ends earlier. */
function watchInside(inner: WatchStep | undefined, outer: WatchStep): WatchStep {
  if (inner === undefined) return outer;
  return (run) => {
    const endOuter = outer(run);
    const endInner = inner(run);
    return (failure) => {
      endInner(failure);
      endOuter(failure);
    };
  };
}

/** The first is the outermost. */
function around<T>(wrappers: readonly ((next: T) => T)[]): (next: T) => T {
  return (next) => wrappers.reduceRight((inner, wrap) => wrap(inner), next);
}

/** `traceparent` of version 00 (W3C Trace Context): nothing else a client may write there is handed on. */
const traceContext = /^(00-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-)[0-9a-f]{2}$/;

/**
 * Traces that are not recorded here: a client's trace still reaches the services. Whether they record it
 * is for a client to say only if it is trusted.
 */
export function propagation(isTrusted: (peer: string) => boolean): Observer {
  return {
    aroundHandler: (next) => (request, exchange) => {
      const found = traceContext.exec(exchange.header('traceparent') ?? '');
      if (found === null) return next(request, exchange);
      const [given, ids, traceId] = found;
      const trace = isTrusted(exchange.peer) ? given : `${ids}00`;
      return next(request, Object.assign(exchange, { trace, traceId }));
    },
    aroundAttempt: (next) => (call) => {
      const { trace, headers } = call;
      return next(
        typeof trace === 'string' ? { ...call, headers: { ...headers, traceparent: trace } } : call,
      );
    },
  };
}

/** Telemetry that is off. */
export const unobserved: Telemetry = combine([propagation(() => false)]);
