/** What telemetry puts around the other layers; they know nothing of it. */
import type { Overload } from '../edge/overload.ts';
import type { CallEnd, OnCallEnd, WatchStep, WatchSteps } from '../engine/execution.ts';
import type { Layer } from '../http/request-record.ts';
import type { AttemptHook, AttemptWatch, Ending } from '../upstream/attempt.ts';
import type { Dispatch, Policy } from '../upstream/call.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { carriedBy, toTrace } from './carried.ts';
import type { TraceStore } from './trace-store.ts';

export interface Telemetry {
  /** Put around every request, the first one outermost. */
  readonly layers: readonly Layer[];
  /** Who watches the steps of a request; `undefined`: nobody does. */
  readonly watchSteps?: WatchSteps;
  /** Told how each call of a step ended. */
  readonly onCallEnd?: OnCallEnd;
  /** Around every call that goes to a service: of a batch, around the batch. */
  readonly aroundCall: Policy<Dispatch>;
  /** Absent: nobody watches attempts. */
  readonly watchAttempt?: AttemptHook;
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
  const of = <Part extends Exclude<keyof Telemetry, 'layers'>>(part: Part) =>
    observers.flatMap((observer) => observer[part] ?? []) as NonNullable<Telemetry[Part]>[];
  const [metrics] = of('metrics');
  const [traces] = of('traces');
  const onCallEnd = inTurn(of('onCallEnd'));
  const watchSteps = watchersOf(of('watchSteps'));
  const watchAttempt = nestedHooks(of('watchAttempt'));
  return {
    layers: observers.flatMap(({ layers = [] }) => layers),
    ...(onCallEnd && { onCallEnd }),
    ...(watchSteps && { watchSteps }),
    ...(watchAttempt && { watchAttempt }),
    aroundCall: around(of('aroundCall')),
    watch: (gateway) => of('watch').forEach((watch) => watch(gateway)),
    ...(metrics && { metrics }),
    ...(traces && { traces }),
    shutdown: async () => {
      await Promise.all(of('shutdown').map((shutdown) => shutdown()));
    },
  };
}

/** All of them, in order; none: there is nothing to tell. */
function inTurn(listeners: readonly OnCallEnd[]): OnCallEnd | undefined {
  if (listeners.length < 2) return listeners[0];
  return function tellAll(end: CallEnd) {
    for (const listener of listeners) listener(end);
  };
}

/** All who watch the steps of a request. */
function watchersOf(parts: readonly WatchSteps[]): WatchSteps | undefined {
  if (parts.length < 2) return parts[0];
  return function watchSteps(request) {
    const watchers = parts.map((part) => part(request));
    return nested(watchers.filter((watch): watch is WatchStep => watch !== undefined));
  };
}

/** Told when something begins; what it gives back is told how that ended. */
type Watcher<T> = (subject: T) => (failure?: unknown) => void;

/** The first begins first and ends last; none: there is nothing to tell. */
function nested<T>(watchers: readonly Watcher<T>[]): Watcher<T> | undefined {
  const [first, ...others] = watchers;
  const inner = others.length > 0 ? nested(others) : undefined;
  if (first === undefined || inner === undefined) return first;
  return (subject) => {
    const end = first(subject);
    const endInner = inner(subject);
    return (failure) => {
      endInner(failure);
      end(failure);
    };
  };
}

/** The first begins first and ends last; a header that two add is that of the later one. */
function nestedHooks(hooks: readonly AttemptHook[]): AttemptHook | undefined {
  const [first, ...others] = hooks;
  const inner = others.length > 0 ? nestedHooks(others) : undefined;
  if (first === undefined || inner === undefined) return first;
  return function watchAttempt(attempt): AttemptWatch {
    const outside = first(attempt);
    const inside = inner(attempt);
    return { headers: merged(outside.headers, inside.headers), onEnd: endOf(outside, inside) };
  };
}

function merged(one: AttemptWatch['headers'], more: AttemptWatch['headers']) {
  return one === undefined || more === undefined ? (one ?? more) : { ...one, ...more };
}

function endOf(outside: AttemptWatch, inside: AttemptWatch): AttemptWatch['onEnd'] {
  if (outside.onEnd === undefined || inside.onEnd === undefined)
    return outside.onEnd ?? inside.onEnd;
  return function endBoth(ending: Ending) {
    inside.onEnd?.(ending);
    outside.onEnd?.(ending);
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
    layers: [
      async function propagate(c, next) {
        const found = traceContext.exec(c.req.header('traceparent') ?? '');
        if (found !== null) {
          const [given, ids, traceId] = found;
          const record = c.get('record');
          const traceparent = isTrusted(record.peer) ? given : `${ids}00`;
          record.trace = toTrace({ headers: { traceparent } });
          record.traceId = traceId;
        }
        await next();
      },
    ],
    watchAttempt: ({ trace }) => ({ headers: carriedBy(trace)?.headers }),
  };
}

/** Telemetry that is off. */
export const unobserved: Telemetry = combine([propagation(() => false)]);
