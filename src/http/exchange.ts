/** One client request and its response, as seen from outside: what the edge, telemetry and logs share. */
import type { Degradation } from '../engine/step-error.ts';
import type { ClientRequest } from './request.ts';
import type { TextResponse } from './text-response.ts';

/** Filled in as the request goes through; one per request. */
export interface Exchange {
  readonly requestId: string;
  /** On the clock's scale. */
  readonly startedAt: number;
  /** The address of the other side of the connection: a client, or a proxy before us. */
  readonly peer: string;
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined;
  onDisconnect(listener: () => void): void;
  /** Opaque: the span of the request, for whoever makes children of it. */
  trace: unknown;
  /** Set where the request is traced: goes into problems. */
  traceId: string | undefined;
  spanId: string | undefined;
  /** The route that matched, as `/orders/{orderId}`. */
  route: string | undefined;
  /** The name of the composition that answered. */
  composition: string | undefined;
  degraded: readonly Degradation[];
  /** Steps that changed something: goes into problems. */
  readonly completed: string[];
  /** What made the response a 5xx. */
  error: unknown;
  /** Not let in: the gateway has too much to do. */
  refused: boolean;
  /** Counts the requests sent to services on its behalf; one that several share counts for the first. */
  readonly sent: { count: number };
}

/** Answers a request. Everything around answering has this shape too. */
export type Handler = (
  request: ClientRequest,
  exchange: Exchange,
) => TextResponse | Promise<TextResponse>;

export function createExchange(
  part: Pick<Exchange, 'requestId' | 'startedAt' | 'peer' | 'header' | 'onDisconnect'>,
): Exchange {
  return {
    ...part,
    trace: undefined,
    traceId: undefined,
    spanId: undefined,
    route: undefined,
    composition: undefined,
    degraded: [],
    completed: [],
    error: undefined,
    refused: false,
    sent: { count: 0 },
  };
}

/** The client's `X-Request-Id` when it is short and harmless, or a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[\w.-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}
