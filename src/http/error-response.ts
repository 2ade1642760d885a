/** Errors → problem details (RFC 9457). The one place where an error becomes a status. */
import { STATUS_CODES } from 'node:http';
import { HTTPException } from 'hono/http-exception';
import { StepError } from '../engine/step-error.ts';
import { ExecutionError, RequestError, UnavailableError, UpstreamError } from '../errors.ts';
import type { RequestErrorKind, UpstreamErrorKind } from '../errors.ts';
import type { Refusal } from './admission.ts';
import { pathOf } from './request-record.ts';
import type { GatewayContext } from './request-record.ts';
import { textResponse } from './text-response.ts';

/** Everything that a client learns of an error: never an upstream's body, address or stack. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** The step that failed. */
  readonly step?: string;
  readonly errors?: readonly {
    readonly in: string;
    readonly pointer: string;
    readonly detail: string;
  }[];
  /** In seconds, for the `Retry-After` header. */
  readonly retryAfter?: number;
}

/** Upstream statuses that mean the same to the client, and their titles. */
const passedOn: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Conflict',
  410: 'Gone',
  422: 'Unprocessable content',
  429: 'Too many requests',
};

const upstreamProblems: Readonly<
  Record<UpstreamErrorKind, readonly [status: number, title: string, happened: string]>
> = {
  status: [502, 'Upstream failed', 'failed'],
  connect: [502, 'Upstream unreachable', 'is unreachable'],
  reset: [502, 'Upstream connection broken', 'broke the connection'],
  timeout: [504, 'Upstream timed out', 'timed out'],
  protocol: [502, 'Upstream response invalid', 'sent an invalid response'],
  'invalid-body': [502, 'Upstream response invalid', 'sent an invalid response'],
  'too-large': [502, 'Upstream response too large', 'sent a response that is too large'],
  overloaded: [503, 'Upstream overloaded', 'is overloaded'],
  'breaker-open': [503, 'Upstream unavailable', 'is unavailable'],
  missing: [404, 'Not found', 'found nothing'],
  'invalid-argument': [502, 'Upstream request impossible', 'cannot be called with this argument'],
  aborted: [503, 'Request aborted', 'was aborted'],
};

const requestProblems: Readonly<
  Record<RequestErrorKind, readonly [status: number, title: string]>
> = {
  'invalid-request': [400, 'Invalid request'],
  'not-found': [404, 'Not found'],
  'method-not-allowed': [405, 'Method not allowed'],
  'misdirected-request': [421, 'Misdirected request'],
  'body-too-large': [413, 'Content too large'],
  'unsupported-media-type': [415, 'Unsupported media type'],
};

/**
 * Translates an error for the client. An unknown error becomes a 500 that reveals nothing of it.
 */
export function toProblem(error: unknown): Problem {
  if (error instanceof StepError) return stepProblem(error);
  if (error instanceof ExecutionError) return executionProblem(error);
  if (error instanceof RequestError) return requestProblem(error);
  if (error instanceof UnavailableError) return unavailableProblem(error);
  if (error instanceof HTTPException) return statusProblem(error);
  return { type: typeOf('internal'), title: 'Internal error', status: 500 };
}

function stepProblem(error: StepError): Problem {
  const { reason, step } = error;
  const problem =
    reason instanceof UpstreamError ? upstreamProblem(reason) : executionProblem(reason);
  return { ...problem, step: step.name };
}

function upstreamProblem(error: UpstreamError): Problem {
  const { kind, service, operation, status } = error;
  const same = kind === 'status' && status !== undefined ? passedOn[status] : undefined;
  if (same !== undefined && status !== undefined) {
    const retryAfter = status === 429 ? error.retryAfterSeconds : undefined;
    return {
      type: typeOf(`upstream-${status}`),
      title: same,
      status,
      detail: `${service}.${operation} answered ${status}.`,
      ...(retryAfter !== undefined && { retryAfter }),
    };
  }
  const [mapped, title, happened] = upstreamProblems[kind];
  const what = kind === 'status' ? `answered ${status}` : happened;
  return {
    type: typeOf(`upstream-${kind}`),
    title,
    status: mapped,
    detail: `${service}.${operation} ${what}.`,
    ...(mapped === 503 && { retryAfter: error.retryAfterSeconds ?? 1 }),
  };
}

function executionProblem({ kind }: ExecutionError): Problem {
  switch (kind) {
    case 'deadline':
      return {
        type: typeOf(kind),
        title: 'Deadline exceeded',
        status: 504,
        detail: 'The request ran out of time.',
      };
    case 'too-many-items':
    case 'not-a-list':
      return {
        type: typeOf(kind),
        title: 'Upstream list unusable',
        status: 502,
        detail: 'An upstream list is too long, or is not a list.',
      };
    case 'map-failed':
    case 'response-mismatch':
      return {
        type: typeOf(kind),
        title: 'Response could not be assembled',
        status: 500,
        detail: 'The upstream responses cannot be combined into this response.',
      };
    case 'shed':
      return {
        type: typeOf(kind),
        title: 'Skipped under load',
        status: 503,
        detail: 'This part was skipped because the gateway is overloaded.',
        retryAfter: 1,
      };
    case 'disconnected':
      return { type: typeOf(kind), title: 'Client closed the request', status: 499 };
    default:
      return kind satisfies never;
  }
}

function requestProblem(error: RequestError): Problem {
  const [status, title] = requestProblems[error.kind];
  const errors = error.fields.map(({ in: part, pointer, detail }) => ({
    in: part,
    pointer,
    detail,
  }));
  return {
    type: typeOf(error.kind),
    title,
    status,
    detail: error.message,
    ...(errors.length > 0 && { errors }),
  };
}

function unavailableProblem({ message, retryAfterSeconds }: UnavailableError): Problem {
  return {
    type: typeOf('unavailable'),
    title: 'Unavailable',
    status: 503,
    detail: message,
    retryAfter: retryAfterSeconds,
  };
}

/** The problem of an exception from Hono middleware, which has only a status (RFC 9457, 4.2.1). */
function statusProblem({ status, message }: HTTPException): Problem {
  const title = STATUS_CODES[status] ?? 'Error';
  return { type: 'about:blank', title, status, ...(message !== '' && { detail: message }) };
}

/** The problem of a request that was not admitted. */
export function refusalProblem({ retryAfterSeconds: retryAfter }: Refusal): Problem {
  return {
    type: typeOf('unavailable'),
    title: 'Unavailable',
    status: 503,
    detail: 'The gateway is overloaded.',
    retryAfter,
  };
}

/** Answers a request with a problem, whose `instance` is the path of the request. */
export function problemResponse(
  problem: Problem,
  c: GatewayContext,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { retryAfter, ...body } = problem;
  const { requestId, traceId, completed } = c.get('record');
  const changed = completed.length > 0 && { completed };
  const text = JSON.stringify({ ...body, ...changed, instance: pathOf(c), requestId, traceId });
  return textResponse(text, problem.status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-request-id': requestId,
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    ...headers,
  });
}

function typeOf(kind: string): string {
  return `urn:plait:problem:${kind}`;
}
