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

/** What the client is told. Never an upstream's body, address or stack. */
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
  /** Seconds, for the header of the same name. */
  readonly retryAfter?: number;
}

/** Upstream statuses that mean the same to our client. */
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
  Record<UpstreamErrorKind, readonly [status: number, title: string]>
> = {
  status: [502, 'Upstream failed'],
  connect: [502, 'Upstream unreachable'],
  reset: [502, 'Upstream broke the connection'],
  timeout: [504, 'Upstream timed out'],
  'invalid-body': [502, 'Upstream answered something invalid'],
  'too-large': [502, 'Upstream answered too much'],
  overloaded: [503, 'Upstream overloaded'],
  'breaker-open': [503, 'Upstream unavailable'],
  missing: [404, 'Not found'],
  'invalid-argument': [502, 'Upstream cannot be asked'],
  aborted: [503, 'Request aborted'],
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

/** The problem an error is to the client. An unknown error is a 500 that says nothing about it. */
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
  const [mapped, title] = upstreamProblems[kind];
  const happened = kind === 'status' ? `answered ${status}` : title.replace('Upstream ', '');
  const detail = `${service}.${operation} ${happened}.`;
  return {
    type: typeOf(`upstream-${kind}`),
    title,
    status: mapped,
    detail,
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
        title: 'Upstream answered an unusable list',
        status: 502,
        detail: 'A list is longer than allowed here, or is none.',
      };
    case 'map-failed':
    case 'response-mismatch':
      return {
        type: typeOf(kind),
        title: 'The response could not be computed',
        status: 500,
        detail: 'What the services answered cannot be made into the response.',
      };
    case 'shed':
      return {
        type: typeOf(kind),
        title: 'Left out',
        status: 503,
        detail: 'The gateway has too much to do.',
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

/** What middleware from elsewhere has thrown: nothing but a status (RFC 9457, 4.2.1). */
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
    detail: 'The gateway has too much to do.',
    retryAfter,
  };
}

/** A problem as the response to a request; its `instance` is the path that was asked for. */
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
