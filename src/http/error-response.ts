/**
 * Errors → problem details (RFC 9457). The one place where an error becomes a status. The headers
 * of a service's answer, as the `Retry-After` of a 429, are read by
 * `upstream/exchange/status-error`.
 */
import { STATUS_CODES } from 'node:http';
import { HTTPException } from 'hono/http-exception';
import { clientFieldsOf } from '../engine/blame.ts';
import { StepError } from '../engine/step-error.ts';
import { ExecutionError, RequestError, UnavailableError, UpstreamError } from '../errors.ts';
import type { RejectedCredentials, RequestErrorKind, UpstreamErrorKind } from '../errors.ts';
import type { Step } from '../plan/plan.ts';
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
  /** Further headers of a response that consists of the problem. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Statuses of a service that are about the request and not about the gateway, and their titles.
 * They are passed on if an argument of the call comes straight from the client's request.
 */
const passedOn: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition failed',
  413: 'Content too large',
  414: 'URI too long',
  422: 'Unprocessable content',
  423: 'Locked',
  424: 'Failed dependency',
  428: 'Precondition required',
  451: 'Unavailable for legal reasons',
};

/** Statuses that are passed on if the service has rejected the client's own credentials. */
const credentialTitles: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  402: 'Payment required',
  403: 'Forbidden',
};

const upstreamProblems: Readonly<
  Record<UpstreamErrorKind, readonly [status: number, title: string, happened: string]>
> = {
  status: [502, 'Upstream failed', 'failed'],
  connect: [502, 'Upstream unreachable', 'is unreachable'],
  reset: [502, 'Upstream connection broken', 'broke the connection'],
  timeout: [504, 'Upstream timed out', 'timed out'],
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
  'request-timeout': [408, 'Request timeout'],
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
    reason instanceof UpstreamError ? upstreamProblem(reason, error) : executionProblem(reason);
  return { ...problem, step: step.name };
}

function upstreamProblem(error: UpstreamError, failed: StepError): Problem {
  switch (error.kind) {
    case 'status':
      return answerProblem(error, failed);
    case 'missing':
      return missingProblem(error, failed);
    default:
      return mappedProblem(error);
  }
}

function missingProblem(error: UpstreamError, failed: StepError): Problem {
  const { step } = failed;
  const key = step.kind === 'call' ? step.operation.lookup?.by : undefined;
  const problem = mappedProblem(error);
  // A key of another answer that leads nowhere is a disagreement between services.
  if (!isAskedByClient(step, key)) return { ...problem, status: 502 };
  return { ...problem, ...itemErrors(failed, 'was not found', key) };
}

function answerProblem(error: UpstreamError, failed: StepError): Problem {
  const { status = 0, service, operation, rejectedCredentials, retryAfterSeconds } = error;
  const detail = `${service}.${operation} answered ${status}.`;
  const type = typeOf(`upstream-${status}`);
  const title = rejectedCredentials && credentialTitles[status];
  if (title !== undefined)
    return { type, title, status, detail, headers: challengesOf(status, rejectedCredentials) };
  const same = isAskedByClient(failed.step) ? passedOn[status] : undefined;
  if (same !== undefined)
    return { type, title: same, status, detail, ...itemErrors(failed, `was answered ${status}`) };
  // The gateway has used up its share of the service, or the service asks for a later retry.
  const isOverloaded = status === 429 || (status === 503 && retryAfterSeconds !== undefined);
  return { ...mappedProblem(error, isOverloaded ? 'overloaded' : error.kind), detail };
}

/**
 * An entry for every field of the client's request that was an argument, if one of them is in an
 * item of a list: nothing else tells which item it was.
 */
function itemErrors(failed: StepError, detail: string, argument?: string): Pick<Problem, 'errors'> {
  const fields = clientFieldsOf(failed, argument);
  if (!fields.some(({ isInItem }) => isInItem)) return {};
  return { errors: fields.map(({ in: part, pointer }) => ({ in: part, pointer, detail })) };
}

/** Whether any argument of the failed call, or `argument`, comes straight from the request. */
function isAskedByClient(step: Step, argument?: string): boolean {
  if (step.kind !== 'call') return false;
  const { clientInputs } = step;
  if (argument === undefined) return clientInputs.length > 0;
  return clientInputs.some((input) => input.argument === argument);
}

/** A 401 always has a challenge (RFC 9110, 15.5.2): the service's, or one of the gateway's own. */
function challengesOf(
  status: number,
  rejected: RejectedCredentials | undefined,
): Record<string, string> {
  const challenges = rejected?.challenges ?? (status === 401 ? 'Bearer' : undefined);
  return {
    ...(challenges !== undefined && { 'www-authenticate': challenges }),
    ...(rejected?.nonce !== undefined && { 'dpop-nonce': rejected.nonce }),
  };
}

function mappedProblem(error: UpstreamError, kind = error.kind): Problem {
  const { service, operation, retryAfterSeconds } = error;
  const [status, title, happened] = upstreamProblems[kind];
  return {
    type: typeOf(`upstream-${kind}`),
    title,
    status,
    detail: `${service}.${operation} ${happened}.`,
    ...(status === 503 && { retryAfter: retryAfterSeconds ?? 1 }),
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
  return {
    type: typeOf(error.kind),
    title,
    status,
    detail: error.message,
    ...(error.fields.length > 0 && { errors: error.fields }),
    // The rest of the body would be read as the next request (RFC 9110, 15.5.9).
    ...(error.kind === 'request-timeout' && { headers: { connection: 'close' } }),
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

/** The problem of a request that was not admitted. */
export function refusalProblem({ retryAfterSeconds }: Refusal): Problem {
  return unavailableProblem({ message: 'The gateway is overloaded.', retryAfterSeconds });
}

/** Answers a request with a problem, whose `instance` is the path of the request. */
export function problemResponse(
  problem: Problem,
  c: GatewayContext,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { requestId, traceId, completed, uncertain } = c.get('record');
  const changed = {
    ...(completed.length > 0 && { completed }),
    ...(uncertain.length > 0 && { uncertain }),
  };
  return responseOf(
    problem,
    { ...changed, instance: pathOf(c), requestId, traceId },
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
  return textResponse(JSON.stringify({ ...body, ...members }), problem.status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    ...own,
    ...headers,
  });
}

function typeOf(kind: string): string {
  return `urn:plait:problem:${kind}`;
}
