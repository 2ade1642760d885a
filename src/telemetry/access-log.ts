/**
 * The access log: one line per request, with its status, duration, and missing parts with reasons.
 * Failed steps have no line of their own: they are the fields `error` (of a 5xx) and `degraded`.
 */
import type { Clock } from '../clock.ts';
import { operationName } from '../dsl/operation.ts';
import { StepError } from '../engine/step-error.ts';
import { ExecutionError, errorName } from '../errors.ts';
import { isHealthCheck } from '../http/health.ts';
import { bindingsOf, protocolVersionOf } from '../http/request-record.ts';
import type { GatewayContext, RequestRecord, WatchRequest } from '../http/request-record.ts';
import { errorType, isCancelled, messageOf, reasonOf } from './error-type.ts';
import { ownFrames, ownStack } from './frames.ts';
import { shownMethod } from './method.ts';
import { refusingLimit } from './refusing-limit.ts';
import type { Log, LogFields } from './log.ts';

export interface AccessLogOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** The only request headers that are logged, in lower case. */
  readonly headers: readonly string[];
  /** Adds the causes of errors and their place in the code, which may quote upstream bodies. */
  readonly withCauses: boolean;
  /** Of the management side: successful requests are logged for debugging only. */
  readonly isOfOperators?: boolean;
}

/** Logs failures as errors, degraded responses as warnings, and health checks for debugging. */
export function accessLog(options: AccessLogOptions): WatchRequest {
  const { log, isOfOperators = false } = options;
  return (c) =>
    function logAccess() {
      const { status } = c.res;
      const record = c.get('record');
      const level = isHealthCheck(c) ? 'debug' : levelOf(record, status, isOfOperators);
      if (!log.isOn(level)) return;
      const message = `${shownMethod(c.req.method)} ${record.route ?? '(no route)'} ${status}`;
      log[level](fieldsOf(c, status, options), message);
    };
}

function levelOf(
  { degraded, error, refusal }: RequestRecord,
  status: number,
  isOfOperators: boolean,
): 'debug' | 'info' | 'warn' | 'error' {
  // A cancelled request is no failure: its client is gone.
  if (status >= 500 && error !== undefined && !isCancelled(error)) return 'error';
  // A web page may be attempting DNS rebinding, or somebody may be guessing the token of operators.
  if (status === 421 || (isOfOperators && status === 401)) return 'warn';
  // Warning of every shed request would add load to an overloaded gateway.
  const isShed =
    refusal !== undefined || degraded.every(({ error: { reason } }) => reason.kind === 'shed');
  if (!isShed || (status >= 500 && refusal === undefined)) return 'warn';
  return isOfOperators && status < 400 ? 'debug' : 'info';
}

function fieldsOf(c: GatewayContext, status: number, options: AccessLogOptions): LogFields {
  const record = c.get('record');
  const { traceId, spanId, clientTraceId, requestId, route, composition, sent, startedAt } = record;
  const { error } = record;
  const headers = headersOf(c, options.headers);
  const degraded = degradedOf(record);
  const version = protocolVersionOf(c);
  return {
    ...(traceId !== undefined && { trace_id: traceId }),
    ...(spanId !== undefined && { span_id: spanId }),
    ...(clientTraceId !== undefined && { client_trace_id: clientTraceId }),
    request_id: requestId,
    method: shownMethod(c.req.method),
    ...(version !== undefined && { protocol_version: version }),
    ...(route !== undefined && { route }),
    ...(composition !== undefined && { composition }),
    status,
    duration_ms: Math.round((options.clock.now() - startedAt) * 100) / 100,
    upstream_calls: sent,
    ...refusalOf(c, options),
    ...(degraded.length > 0 && { degraded }),
    ...(error !== undefined && { error: describe(error, options) }),
    ...(headers && { headers }),
    ...(options.withCauses && causesOf(record)),
  };
}

/** Why it was not served, where that is the decision of the gateway. */
function refusalOf(c: GatewayContext, { isOfOperators = false }: AccessLogOptions): LogFields {
  const record = c.get('record');
  const { denied, peer, clientError } = record;
  const limit = refusingLimit(record);
  return {
    ...(clientError !== undefined && { problem: clientError }),
    ...((isOfOperators || bindingsOf(c).unreadable !== undefined) && { peer }),
    ...(denied !== undefined && { denied }),
    ...(limit !== undefined && { limit: limit.name }),
    ...(limit?.service !== undefined && { service: limit.service }),
  };
}

/** Reasons, each once: a list may miss the same part in each of its items. */
function degradedOf({ degraded }: RequestRecord): string[] {
  const reasons = degraded.map(({ step, error }) => `${step}: ${error.why}${calledIn(error)}`);
  return [...new Set(reasons)];
}

/** The operation that a step has waited for in vain: the message of a time limit names none. */
function calledIn({ step, reason }: StepError): string {
  const names = step.kind === 'call' && reason instanceof ExecutionError;
  return names ? ` (${operationName(step.operation)})` : '';
}

function describe(error: unknown, { withCauses }: AccessLogOptions) {
  const type = errorType(error) ?? 'unknown';
  const message = messageOf(error);
  const called = error instanceof StepError ? calledIn(error) : '';
  if (message !== undefined) return { type, message: `${message}${called}` };
  // An unexpected error is a bug in the gateway: its whole stack is useful where it may be shown.
  const { stack } = error instanceof Error && withCauses ? error : {};
  const shown = stack === undefined ? {} : { stack: ownStack(stack) };
  return { type, message: placeOf(error), ...shown };
}

/** The place in the code of an unexpected error, whose message may quote anything. */
function placeOf(error: unknown): string {
  return (error instanceof Error && frameOf(error)) || errorName(error);
}

function causesOf({ error, degraded }: RequestRecord): { causes?: string[] } {
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

/**
 * The first stack frame that is not of Node. Skips the message, which may have lines that look like
 * frames.
 */
function frameOf({ stack = '', message }: Error): string | undefined {
  const start = stack.indexOf(message);
  const frames = start === -1 ? '' : stack.slice(start + message.length);
  return ownFrames(frames.split('\n'))[0];
}

function headersOf(
  c: GatewayContext,
  names: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const found = names.flatMap((name) => {
    const value = c.req.header(name);
    return value === undefined ? [] : [[name, value.slice(0, longestHeader)] as const];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

const longestHeader = 256;
