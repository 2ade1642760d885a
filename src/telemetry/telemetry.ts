/** The hooks that telemetry puts around the other layers, which know nothing of it. */
import type { Overload } from '../edge/overload.ts';
import type { CallEnd, OnCallEnd, WatchStep, WatchSteps } from '../engine/execution.ts';
import type { Layer } from '../http/request-record.ts';
import type { AttemptHook, AttemptWatch } from '../upstream/attempt.ts';
import type { Dispatch, Policy, Ending } from '../upstream/call.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { carriedBy, toTrace } from './carried.ts';
import type { TraceStore } from './trace-store.ts';

export interface Telemetry {
  /** Put around every request; the first is outermost. */
  readonly layers: readonly Layer[];
  /** Who watches the steps of a request; `undefined`: nobody does. */
  readonly watchSteps?: WatchSteps;
  /** Called when calls of a step have ended. */
  readonly onCallEnd?: OnCallEnd;
  /** Put around every dispatch to a service; a batch is one. */
  readonly aroundCall: Policy<Dispatch>;
  /** Absent: nobody watches attempts. */
  readonly watchAttempt?: AttemptHook;
  /** Called when a promise is rejected that nobody waits for, or an exception is not caught. */
  readonly onStrayError?: (kind: 'rejection' | 'exception') => void;
  /** Hands over the gateway's state, which gauges read on demand. */
  watch(gateway: Watched): void;
  /** All metrics in the Prometheus text format; absent without metrics. */
  readonly metrics?: () => Promise<string>;
  /** The latest traces, when this process keeps them. */
  readonly traces?: TraceStore;
  /** Exports everything recorded; bounded in time, never rejects. */
  shutdown(): Promise<void>;
}

export interface Watched {
  readonly status: Upstreams['status'];
  readonly overload: Overload;
}

/** Some of the hooks; the absent ones do nothing. */
export type Observer = Partial<Telemetry>;

/** Combines observers: the first is outermost, and its spans are the parents of the others'. */
export function combine(observers: readonly Observer[]): Telemetry {
  const of = <Part extends Exclude<keyof Telemetry, 'layers'>>(part: Part) =>
    observers.flatMap((observer) => observer[part] ?? []) as NonNullable<Telemetry[Part]>[];
  const [metrics] = of('metrics');
  const [traces] = of('traces');
  const [onStrayError] = of('onStrayError');
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
    ...(onStrayError && { onStrayError }),
    ...(metrics && { metrics }),
    ...(traces && { traces }),
    shutdown: async () => {
      await Promise.all(of('shutdown').map((shutdown) => shutdown()));
    },
  };
}

/** Calls all listeners in order; `undefined` without any. */
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

/** Called when something begins; returns the function to call when it ends. */
type Watcher<T> = (subject: T) => (failure?: unknown) => void;

/** Nests watchers: the first begins first and ends last; `undefined` without any. */
function nested<T>(watchers: readonly Watcher<T>[]): Watcher<T> | undefined {
  const [first, ...others] = watchers;
  const inner = others.length > 0 ? nested(others) : undefined;
  if (first === undefined || inner === undefined) return first;
  return function watch(subject) {
    const end = first(subject);
    const endInner = inner(subject);
    return function endWatch(failure) {
      endInner(failure);
      end(failure);
    };
  };
}

/** Nests hooks: the first begins first and ends last; of equal headers the later hook's wins. */
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

/** Nests wrappers: the first is outermost. */
function around<T>(wrappers: readonly ((next: T) => T)[]): (next: T) => T {
  return (next) => wrappers.reduceRight((inner, wrap) => wrap(inner), next);
}

/** `traceparent` of version 00 (W3C Trace Context); anything else is not forwarded. */
const traceContext = /^(00-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-)[0-9a-f]{2}$/;

/**
 * Forwards a client's trace to the services without recording it here. Only a trusted client's
 * sampling flag is kept.
 */
export function propagation(isTrusted: (peer: string) => boolean): Observer {
  return {
    layers: [
      function propagate(c, next) {
        const found = traceContext.exec(c.req.header('traceparent') ?? '');
        if (found !== null) {
          const [given, ids, traceId] = found;
          const record = c.get('record');
          const traceparent = isTrusted(record.peer) ? given : `${ids}00`;
          record.trace = toTrace({ headers: { traceparent } });
          record.traceId = traceId;
        }
        return next();
      },
    ],
    watchAttempt: ({ trace }) => ({ headers: carriedBy(trace)?.headers }),
  };
}

/** Telemetry when it is off: it forwards traces only. */
export const unobserved: Telemetry = combine([propagation(() => false)]);
