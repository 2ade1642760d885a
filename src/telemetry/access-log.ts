/** One line for every request: what was answered, how long it took, what is missing and why. */
import type { Clock } from '../clock.ts';
import { StepError } from '../engine/step-error.ts';
import { ExecutionError, nameOf } from '../errors.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import { isHealthCheck } from '../http/health.ts';
import type { ClientRequest } from '../http/request.ts';
import { errorType, isCancelled, messageOf, reasonOf } from './error-type.ts';
import type { Log, LogFields } from './log.ts';

export interface AccessLogOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** The request headers that are logged, in lower case. No others are. */
  readonly headers: readonly string[];
  /** Adds what lies behind an error, with its place in the code. It may quote what services answered. */
  readonly withCauses: boolean;
  /** Whether only failures are of interest. */
  readonly quiet?: boolean;
}

/** Failures are errors, responses with parts missing warnings; health checks are for debugging. */
export function accessLog(options: AccessLogOptions): (next: Handler) => Handler {
  const { log, quiet = false } = options;
  return (next) => async (request, exchange) => {
    const response = await next(request, exchange);
    const { status } = response;
    const level = isHealthCheck(request) ? 'debug' : levelOf(exchange, status, quiet);
    if (!log.isOn(level)) return response;
    const message = `${request.method} ${exchange.route ?? '(no route)'} ${status}`;
    log[level](fieldsOf(request, { exchange, status, options }), message);
    return response;
  };
}

function levelOf(
  { degraded, error, refused }: Exchange,
  status: number,
  quiet: boolean,
): 'debug' | 'info' | 'warn' | 'error' {
  // Nobody is there to miss the answer.
  if (status >= 500 && error !== undefined && !isCancelled(error)) return 'error';
  // Whoever has too much to do does not make more of it by complaining.
  const isShed = refused || degraded.every(({ error: { reason } }) => reason.kind === 'shed');
  if (!isShed || (status >= 500 && !refused)) return 'warn';
  return quiet ? 'debug' : 'info';
}

function fieldsOf(
  request: ClientRequest,
  { exchange, status, options }: { exchange: Exchange; status: number; options: AccessLogOptions },
): LogFields {
  const { traceId, spanId, requestId, route, composition, sent, startedAt, error } = exchange;
  const headers = headersOf(exchange, options.headers);
  const degraded = degradedOf(exchange);
  return {
    ...(traceId !== undefined && { trace_id: traceId }),
    ...(spanId !== undefined && { span_id: spanId }),
    request_id: requestId,
    method: request.method,
    ...(route !== undefined && { route }),
    ...(composition !== undefined && { composition }),
    status,
    duration_ms: Math.round((options.clock.now() - startedAt) * 100) / 100,
    upstream_calls: sent.count,
    ...(degraded.length > 0 && { degraded }),
    ...(error !== undefined && { error: describe(error, options) }),
    ...(headers && { headers }),
    ...(options.withCauses && causesOf(exchange)),
  };
}

/** A list may miss the same thing in each of its items: it is said once. */
function degradedOf({ degraded }: Exchange): string[] {
  const reasons = degraded.map(({ step, error }) => `${step}: ${error.reason.message}`);
  return [...new Set(reasons)];
}

function describe(error: unknown, { withCauses }: AccessLogOptions) {
  const type = errorType(error) ?? 'unknown';
  const message = messageOf(error);
  if (message !== undefined) return { type, message };
  // Nobody foresaw it: it is a mistake in here, and all of it is of interest where it may be shown.
  const stack = withCauses && error instanceof Error ? { stack: error.stack } : {};
  return { type, message: placeOf(error), ...stack };
}

/** Where in the code an unforeseen error comes from; its message may quote anything. */
function placeOf(error: unknown): string {
  return (error instanceof Error && frameOf(error)) || nameOf(error);
}

function causesOf({ error, degraded }: Exchange): { causes?: string[] } {
  const failures = [...(error === undefined ? [] : [error]), ...degraded.map((one) => one.error)];
  const causes = failures.flatMap((failure) => {
    const reason = reasonOf(failure);
    const known = failure instanceof StepError || failure instanceof ExecutionError;
    const cause = known && reason instanceof Error ? reason.cause : undefined;
    if (!(cause instanceof Error)) return [];
    return [[`${cause.name}: ${cause.message}`, frameOf(cause)].filter(Boolean).join('\n')];
  });
  return causes.length > 0 ? { causes: [...new Set(causes)] } : {};
}

/** The first place in the code. The message comes before it, and may have lines that look the same. */
function frameOf({ stack = '', message }: Error): string | undefined {
  const start = stack.indexOf(message);
  const frames = start === -1 ? '' : stack.slice(start + message.length);
  return /^ +(at .+)$/m.exec(frames)?.[1];
}

function headersOf(
  exchange: Exchange,
  names: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const found = names.flatMap((name) => {
    const value = exchange.header(name);
    return value === undefined ? [] : [[name, value.slice(0, longestHeader)] as const];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

const longestHeader = 256;
