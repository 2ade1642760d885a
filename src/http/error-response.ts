/**
 * Errors → problem details (RFC 9457). The one place where an error becomes a status, together with
 * `http/upstream-problem` for failures of services.
 */
import { STATUS_CODES } from 'node:http';
import { HTTPException } from 'hono/http-exception';
import { StepError } from '../engine/step-error.ts';
import { ExecutionError, RequestError, UnavailableError, UpstreamError } from '../errors.ts';
import type { RequestErrorKind } from '../errors.ts';
import type { Denial, Refusal } from './admission.ts';
import { typeOf } from './problem.ts';
import type { Problem } from './problem.ts';
import { pathOf } from './request-record.ts';
import type { GatewayContext } from './request-record.ts';
import { sizedResponse } from './sized-response.ts';
import { upstreamProblem } from './upstream-problem.ts';

const requestProblems: Readonly<
  Record<RequestErrorKind, readonly [status: number, title: string]>
> = {
  'invalid-request': [400, 'Invalid request'],
  'ambiguous-request': [400, 'Ambiguous request'],
  'headers-too-large': [431, 'Request header fields too large'],
  'version-not-supported': [505, 'HTTP version not supported'],
  'expectation-failed': [417, 'Expectation failed'],
  'not-found': [404, 'Not found'],
  'method-not-allowed': [405, 'Method not allowed'],
  'misdirected-request': [421, 'Misdirected request'],
  'request-timeout': [408, 'Request timeout'],
  'body-too-large': [413, 'Content too large'],
  'unsupported-media-type': [415, 'Unsupported media type'],
};

/** After some kinds, the next bytes may be no request (RFC 9110, 15.5.9; RFC 9112, 11.2). */
const closing = { connection: 'close' };

const requestHeaders: Readonly<Partial<Record<RequestErrorKind, Problem['headers']>>> = {
  'ambiguous-request': closing,
  'headers-too-large': closing,
  'version-not-supported': closing,
  'expectation-failed': closing,
  'request-timeout': closing,
  // A 405 always has one (RFC 9110, 15.5.6), also for CONNECT, which has no route.
  'method-not-allowed': { allow: '' },
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
    reason instanceof UpstreamError ? upstreamProblem(reason, error) : executionProblem(reason);
  return { ...problem, step: step.name };
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
    case 'late':
      return {
        type: typeOf(kind),
        title: 'Step took too long',
        status: 504,
        detail: 'A part of the response took longer than it may.',
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
  const headers = requestHeaders[error.kind];
  return {
    type: typeOf(error.kind),
    title,
    status,
    detail: error.message,
    ...(error.fields.length > 0 && { errors: error.fields }),
    ...(headers && { headers }),
  };
}

function unavailableProblem({
  message,
  retryAfterSeconds,
}: Pick<UnavailableError, 'message' | 'retryAfterSeconds'>): Problem {
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

/**
 * The problem of a client that is not known, or may not ask. It does not say which of the two is
 * true of a user, a key or a token: that would tell which exist.
 */
export function denialProblem({ denied, challenges }: Denial): Problem {
  return { type: typeOf(denied), ...denials[denied], headers: { 'www-authenticate': challenges } };
}

const denials = {
  unauthenticated: {
    title: 'Unauthenticated',
    status: 401,
    detail: 'The request has no valid credentials.',
  },
  'insufficient-scope': {
    title: 'Insufficient scope',
    status: 403,
    detail: 'The credentials do not allow this request.',
  },
} as const satisfies Record<Denial['denied'], object>;

/** The problem of a request that was not admitted. */
export function refusalProblem({ kind, retryAfterSeconds }: Refusal): Problem {
  if (kind !== 'rate-limit')
    return unavailableProblem({ message: unavailableMessages[kind], retryAfterSeconds });
  return {
    type: typeOf(kind),
    title: 'Too many requests',
    status: 429,
    detail: 'The rate limit is used up.',
    retryAfter: retryAfterSeconds,
  };
}

const unavailableMessages: Readonly<Record<Exclude<Refusal['kind'], 'rate-limit'>, string>> = {
  overload: 'The gateway is overloaded.',
  'in-progress': 'Too many requests are in progress.',
};

/** Answers a request with a problem, whose `instance` is the path of the request. */
export function problemResponse(
  problem: Problem,
  c: GatewayContext,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { requestId, traceId, clientTraceId, completed, uncertain } = c.get('record');
  const changed = {
    ...(completed.length > 0 && { completed }),
    ...(uncertain.length > 0 && { uncertain }),
  };
  return responseOf(
    problem,
    { ...changed, instance: pathOf(c), requestId, traceId, clientTraceId },
    { 'x-request-id': requestId, ...headers },
  );
}

/** Answers an error outside of every layer, where there is no record of the request. */
export function anonymousProblem(error: unknown): Response {
  return responseOf(toProblem(error), {}, {});
}

/** A response that consists of a problem, with further members and headers. */
function responseOf(
  problem: Problem,
  members: object,
  headers: Readonly<Record<string, string>>,
): Response {
  const { retryAfter, headers: own, ...body } = problem;
  return sizedResponse(JSON.stringify({ ...body, ...members }), problem.status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    ...own,
    ...headers,
  });
}
