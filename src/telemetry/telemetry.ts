/** The hooks that telemetry puts around the other layers, which know nothing of it. */
import { randomBytes } from 'node:crypto';
import type { Overload } from '../edge/overload.ts';
import type { Operation } from '../dsl/operation.ts';
import type { OnCallEnd, WatchStep, WatchSteps } from '../engine/execution.ts';
import type { OnConnectionFailure } from '../http/connection-failures.ts';
import type { WatchRequest } from '../http/request-record.ts';
import type { AttemptHook, OnAttemptEnd } from '../upstream/attempt.ts';
import type { Dispatch, OnJoin, OnRetry, OnVainWait, Policy } from '../upstream/call.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { carriedBy, toTrace, unwatched } from './carried.ts';
import type { Carried } from './carried.ts';
import { originOf } from './trace-context.ts';
import type { Origin, Trust } from './trace-context.ts';
import type { TraceStore } from './trace-store.ts';

export interface Telemetry {
  /** Watch every request; the first begins first and ends last. */
  readonly watchRequests: readonly WatchRequest[];
  /** Watches the steps of a request; `undefined`: nobody does. */
  readonly watchSteps?: WatchSteps;
  /** Called when calls of a step have ended. */
  readonly onCallEnd?: OnCallEnd;
  /** Put around every dispatch to a service; a batch is one. */
  readonly aroundCall: Policy<Dispatch>;
  /** Watches an attempt, and adds headers to its request; absent: nobody does. */
  readonly watchAttempt?: AttemptHook;
  /** Called when an attempt has ended, which costs less than watching it. */
  readonly onAttemptEnd?: OnAttemptEnd;
  readonly onJoin?: OnJoin;
  readonly onRetry?: OnRetry;
  readonly onVainWait?: OnVainWait;
  /** Called when a promise is rejected that nobody waits for, or an exception is not caught. */
  readonly onStrayError?: (kind: 'rejection' | 'exception') => void;
  /** Called when a connection of a client has failed. */
  readonly onConnectionFailure?: OnConnectionFailure;
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
  /** All operations that its compositions may call. */
  readonly operations: readonly Operation[];
  /** The number of its compositions. */
  readonly compositions: { readonly served: number; readonly notServed: number };
  readonly status: Upstreams['status'];
  readonly overload: Overload;
  /** Counts since the start; they are updated as they change. */
  readonly shed: ShedCounts;
  /** The number of connections of clients that are open. */
  connections(): number;
}

export interface ShedCounts {
  /** Steps that were left out. */
  readonly steps: number;
  /** Requests that were refused under overload. */
  readonly requests: number;
  /** Requests that were refused since too many were in progress. */
  readonly overLimit: number;
}

/** Some of the hooks; the absent ones do nothing. */
export type Observer = Partial<Telemetry>;

/** Combines observers: the first is outermost. At most one watches attempts. */
export function combine(observers: readonly Observer[]): Telemetry {
  const of = <Part extends Exclude<keyof Telemetry, 'watchRequests'>>(part: Part) =>
    observers.flatMap((observer) => observer[part] ?? []) as NonNullable<Telemetry[Part]>[];
  const [metrics] = of('metrics');
  const [traces] = of('traces');
  const [onStrayError] = of('onStrayError');
  const onCallEnd = folded(of('onCallEnd'), inTurn);
  const [onJoin] = of('onJoin');
  const onConnectionFailure = folded(of('onConnectionFailure'), inTurn);
  const onRetry = folded(of('onRetry'), pairInTurn);
  const [onVainWait] = of('onVainWait');
  const watchSteps = watchersOf(of('watchSteps'));
  const [watchAttempt] = of('watchAttempt');
  const onAttemptEnd = folded(of('onAttemptEnd'), pairInTurn);
  return {
    watchRequests: observers.flatMap(({ watchRequests = [] }) => watchRequests),
    ...(onCallEnd && { onCallEnd }),
    ...(onJoin && { onJoin }),
    ...(onRetry && { onRetry }),
    ...(onVainWait && { onVainWait }),
    ...(watchSteps && { watchSteps }),
    ...(watchAttempt && { watchAttempt }),
    ...(onAttemptEnd && { onAttemptEnd }),
    aroundCall: around(of('aroundCall')),
    watch: (gateway) => of('watch').forEach((watch) => watch(gateway)),
    ...(onStrayError && { onStrayError }),
    ...(onConnectionFailure && { onConnectionFailure }),
    ...(metrics && { metrics }),
    ...(traces && { traces }),
    shutdown: async () => {
      await Promise.all(of('shutdown').map((shutdown) => shutdown()));
    },
  };
}

/** Pairs hooks up, the first outermost; `undefined` without any. */
function folded<Hook>(
  hooks: readonly Hook[],
  pair: (outer: Hook, inner: Hook) => Hook,
): Hook | undefined {
  const [last] = hooks.slice(-1);
  return last && hooks.slice(0, -1).reduceRight((inner, outer) => pair(outer, inner), last);
}

function inTurn<Event>(first: (event: Event) => void, second: (event: Event) => void) {
  return function callBoth(event: Event): void {
    first(event);
    second(event);
  };
}

/** The same for hooks with two arguments: a rest parameter would cost each attempt more. */
function pairInTurn<One, Two>(
  first: (one: One, two: Two) => void,
  second: (one: One, two: Two) => void,
) {
  return function callBoth(one: One, two: Two): void {
    first(one, two);
    second(one, two);
  };
}

/** All who watch the steps of a request. */
function watchersOf(parts: readonly WatchSteps[]): WatchSteps | undefined {
  if (parts.length < 2) return parts[0];
  return function watchSteps(request) {
    return folded(
      parts.flatMap((part) => part(request) ?? []),
      nestedSteps,
    );
  };
}

/** The outer one begins first and ends last. */
function nestedSteps(outer: WatchStep, inner: WatchStep): WatchStep {
  return function watchStep(run) {
    const end = outer(run);
    const endInner = inner(run);
    return function endWatch(failure) {
      endInner(failure);
      end(failure);
    };
  };
}

/** Nests wrappers: the first is outermost. */
function around<T>(wrappers: readonly ((next: T) => T)[]): (next: T) => T {
  return (next) => wrappers.reduceRight((inner, wrap) => wrap(inner), next);
}

/**
 * Takes part in the traces of clients without recording anything: services get the trace of a
 * trusted peer as it came, and instead of another's a new one, which is not sampled.
 */
export function propagation(trust: Trust): Observer {
  return {
    watchRequests: [
      function propagate(c) {
        const record = c.get('record');
        const carried = carriedOn(originOf(c.req, record, trust));
        if (carried !== undefined) {
          record.trace = toTrace(carried);
          record.traceId = carried.traceId;
        }
        return undefined;
      },
    ],
    watchAttempt: ({ trace }) => carriedBy(trace) ?? unwatched,
  };
}

function carriedOn({ parent, foreign }: Origin): (Carried & { traceId: string }) | undefined {
  if (parent !== undefined) {
    const { traceId, spanId, isSampled, tracestate } = parent;
    const traceparent = `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
    return { traceId, headers: { traceparent, ...(tracestate !== undefined && { tracestate }) } };
  }
  if (foreign === undefined) return undefined;
  const traceId = randomBytes(16).toString('hex');
  const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-00`;
  return { traceId, headers: { traceparent } };
}

/** Telemetry when it is off: it forwards traces only. */
export const unobserved: Telemetry = combine([propagation({ isTrusted: () => false })]);
