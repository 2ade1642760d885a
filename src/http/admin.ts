/** What the operator may ask of a running gateway. Served on an address of its own, never on the public one. */
import { z } from 'zod';
import { tagPattern } from '../dsl/cache.ts';
import type { Endpoint } from './app.ts';
import { readJsonBody } from './body.ts';
import type { Handler } from './exchange.ts';
import { parseBody } from './inputs.ts';
import { problemResponse, toProblem } from './problem.ts';
import { TextResponse, jsonResponse } from './text-response.ts';
import { RequestError, UnavailableError } from '../errors.ts';
import type { ServiceStatus } from '../upstream/service-pipeline.ts';

export interface AdminOptions {
  /** Drops what is kept with any of these tags; rejects when a part of it cannot be reached. */
  readonly invalidate: (tags: readonly string[]) => Promise<number>;
  /** How every service is doing. */
  readonly status: () => readonly ServiceStatus[];
  /** What telemetry has to say; what is absent is not served. */
  readonly telemetry?: AdminTelemetry;
}

export interface AdminTelemetry {
  /** In the Prometheus text format. */
  readonly metrics?: () => Promise<string>;
  readonly traces?: { latest(): readonly object[]; find(traceId: string): object | undefined };
  readonly logLevel?: {
    readonly known: readonly string[];
    get(): string;
    /** Takes one that is known. */
    set(level: string): void;
  };
}

const Invalidation = z.strictObject({
  tags: z
    .array(
      z.string().regex(tagPattern, 'must be up to 64 letters, digits and . : _ -, as in "orders"'),
    )
    .min(1)
    .max(1_000),
});

const ownNames = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Answers only who asks for this machine: a page elsewhere can make a browser ask, by a name that leads here. */
export function onLoopback(next: Handler): Handler {
  return (request, exchange) => {
    const host = exchange.header('host') ?? '';
    if (ownNames.has(host.replace(/:\d*$/, '').toLowerCase())) return next(request, exchange);
    const error = new RequestError('misdirected-request', 'Ask for 127.0.0.1 or localhost.');
    return problemResponse(toProblem(error), exchange, request.path);
  };
}

export function adminEndpoints({ invalidate, status, telemetry = {} }: AdminOptions): Endpoint[] {
  return [
    ...metricsEndpoints(telemetry),
    ...traceEndpoints(telemetry),
    ...logEndpoints(telemetry),
    {
      method: 'GET',
      path: '/upstreams',
      handle: () => jsonResponse({ upstreams: status() }),
    },
    {
      method: 'POST',
      path: '/cache/invalidate',
      async handle({ request, exchange }) {
        const { tags } = parseBody(Invalidation, await readJsonBody(request, exchange));
        const invalidated = await invalidate([...new Set(tags)]).catch(toUnavailable);
        return jsonResponse({ invalidated });
      },
    },
  ];
}

function metricsEndpoints({ metrics }: AdminTelemetry): Endpoint[] {
  if (metrics === undefined) return [];
  const headers = {
    'cache-control': 'no-store',
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
  };
  return [
    {
      method: 'GET',
      path: '/metrics',
      handle: async () => new TextResponse(await metrics(), 200, { ...headers }),
    },
  ];
}

function traceEndpoints({ traces }: AdminTelemetry): Endpoint[] {
  if (traces === undefined) return [];
  return [
    {
      method: 'GET',
      path: '/traces',
      handle: () => jsonResponse({ traces: traces.latest() }),
    },
    {
      method: 'GET',
      path: '/traces/:traceId',
      handle({ params }) {
        const trace = traces.find(params['traceId'] ?? '');
        if (trace === undefined) throw new RequestError('not-found', 'There is no such trace.');
        return jsonResponse(trace);
      },
    },
  ];
}

function logEndpoints({ logLevel }: AdminTelemetry): Endpoint[] {
  if (logLevel === undefined) return [];
  const answer = () => jsonResponse({ level: logLevel.get() });
  const Level = z.strictObject({ level: z.enum(logLevel.known) });
  return [
    { method: 'GET', path: '/log', handle: answer },
    {
      method: 'PUT',
      path: '/log',
      async handle({ request, exchange }) {
        logLevel.set(parseBody(Level, await readJsonBody(request, exchange)).level);
        return answer();
      },
    },
  ];
}

function toUnavailable(cause: unknown): never {
  throw new UnavailableError(
    'Not everything that is kept could be reached and dropped. Try again.',
    {
      cause,
    },
  );
}
