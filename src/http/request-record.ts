/** The record of one client request, for http, edge, telemetry and logs. */
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import type { Clock } from '../clock.ts';
import type { Degradation } from '../engine/step-error.ts';
import type { CompletedWrite } from '../engine/writes.ts';
import type { RequestError, RequestErrorKind } from '../errors.ts';
import { callInReverse } from '../in-reverse.ts';
import type { Trace } from '../trace.ts';
import type { RateLimitCount, Refusal } from './admission.ts';

/** One per request, from `c.get('record')`. Only http and telemetry write to it. */
export interface RequestRecord {
  readonly requestId: string;
  /** On the clock's scale. */
  readonly startedAt: number;
  /** The address of the connection's other side: a client, or a proxy in front of us. */
  readonly peer: string;
  /** The span of the request, the parent of everything done on its behalf. */
  trace: Trace | undefined;
  /** Set when the request is traced; shown in its problems. */
  traceId: string | undefined;
  /** The trace of a client that is not trusted: it is not continued. Shown in its problems. */
  clientTraceId: string | undefined;
  spanId: string | undefined;
  /** The route that matched, as `/orders/{orderId}`. */
  route: string | undefined;
  /** The name of the composition that answered. */
  composition: string | undefined;
  degraded: readonly Degradation[];
  /** Steps that changed something; part of its problems. */
  completed: readonly CompletedWrite[];
  /** Steps whose writes were sent and have an unknown result; part of its problems. */
  uncertain: readonly string[];
  /** The error behind a 5xx response. */
  error: unknown;
  /** The kind of the client's error that it was answered with. */
  clientError: RequestErrorKind | undefined;
  /** Why the credentials do not do, for the operator only. */
  denied: string | undefined;
  /** Why the request was not admitted. */
  refusal: Refusal | undefined;
  /** The rate limits that it has counted for. */
  readonly rateLimits: RateLimitCount[];
  /**
   * The requests sent to services on its behalf; one that several requests share counts for the
   * first.
   */
  sent: number;
}

/** The server's side of a request; empty without a server of ours, as with `app.request()`. */
export type Bindings = Partial<HttpBindings> & {
  /** Set when a stand-in replaces the request's target: the error to answer with. */
  readonly unreadable?: RequestError;
  /** The address of the connection's other side, where there is no `incoming`. */
  readonly peer?: string;
};

export interface GatewayEnv {
  Bindings: Bindings;
  Variables: { record: RequestRecord };
}

export type GatewayContext = Context<GatewayEnv>;

/** Hono middleware that may read the record of the request it is put around. */
export type Layer = MiddlewareHandler<GatewayEnv>;

/**
 * Called when a request begins; the returned function is called when it is answered, before its
 * response is written. If either throws, the answer is a 500.
 */
export type WatchRequest = (c: GatewayContext) => (() => void) | undefined;

/**
 * The outermost layer: opens the record, for `watchers` as well. Each of these would cost as much
 * as ten metrics if it were a layer of its own.
 */
export function openRecord(clock: Clock, watchers: readonly WatchRequest[]): Layer {
  return async function record(c, next) {
    c.set('record', {
      requestId: requestIdOf(c.req.header('x-request-id')),
      startedAt: clock.now(),
      peer: peerOf(bindingsOf(c)),
      trace: undefined,
      traceId: undefined,
      clientTraceId: undefined,
      spanId: undefined,
      route: undefined,
      composition: undefined,
      degraded: [],
      completed: [],
      uncertain: [],
      error: undefined,
      clientError: undefined,
      denied: undefined,
      refusal: undefined,
      rateLimits: [],
      sent: 0,
    });
    const ends = Array<ReturnType<WatchRequest>>(watchers.length);
    try {
      for (let index = 0; index < ends.length; index += 1) ends[index] = watchers[index]?.(c);
      await next();
    } finally {
      callInReverse(ends, undefined);
    }
  };
}

function peerOf({ incoming, peer = '' }: Bindings): string {
  return incoming?.socket.remoteAddress ?? peer;
}

export function bindingsOf(c: GatewayContext): Bindings {
  // Despite its type, `env` is undefined when the caller of `app.fetch` passes none.
  return (c.env as Bindings | undefined) ?? {};
}

/** The client's `X-Request-Id` when it is short and safe to log, or a new one. */
function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[\w.-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

/** The host that is asked for, in lower case and without a port. */
export function hostNameOf({ req }: GatewayContext): string {
  // Without a socket, as with `app.request()`, there is only the URL.
  const host = req.header('host') ?? new URL(req.url).host;
  return host.replace(/:\d*$/, '').toLowerCase();
}

/** By OpenTelemetry's conventions: `1.1`, or `2`; `undefined` without a server of ours. */
export function protocolVersionOf(c: GatewayContext): string | undefined {
  const version = bindingsOf(c).incoming?.httpVersion;
  return version === '2.0' ? '2' : version;
}

/** Whether the request came over TLS. */
export function schemeOf({ req: { url } }: GatewayContext): 'http' | 'https' {
  return url.startsWith('https:') ? 'https' : 'http';
}

/**
 * The path as it was sent, without dot segments (RFC 3986, 5.2.4). Hono's `c.req.path` is partly
 * decoded.
 */
export function pathOf({ req: { url } }: GatewayContext): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
}
