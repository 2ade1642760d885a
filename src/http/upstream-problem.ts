/**
 * Failures of services → problems: which status of a service is passed on, and which becomes one of
 * the gateway's own. The headers of an answer, as the `Retry-After` of a 429, are read by
 * `upstream/exchange/status-error`.
 */
import { clientFieldsOf } from '../engine/blame.ts';
import { clientPlaceOf } from '../engine/client-place.ts';
import type { StepError } from '../engine/step-error.ts';
import type { RejectedCredentials, UpstreamError, UpstreamErrorKind } from '../errors.ts';
import type { Step } from '../plan/plan.ts';
import { typeOf } from './problem.ts';
import type { Problem } from './problem.ts';

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
  credentials: [503, 'Upstream credentials unavailable', 'cannot be called without a token'],
  missing: [404, 'Not found', 'found nothing'],
  'invalid-argument': [502, 'Upstream request impossible', 'cannot be called with this argument'],
  aborted: [503, 'Request aborted', 'was aborted'],
};

/** The problem for the failure of a call; `failed` is the failure of its step. */
export function upstreamProblem(error: UpstreamError, failed: StepError): Problem {
  switch (error.kind) {
    case 'status':
      return answerProblem(error, failed);
    case 'missing':
      return missingProblem(error, failed);
    case 'credentials':
      return credentialsProblem(error);
    default:
      return mappedProblem(error);
  }
}

function credentialsProblem(error: UpstreamError): Problem {
  const { service, operation, rejectedCredentials, isMisconfigured } = error;
  if (rejectedCredentials !== undefined)
    return {
      type: typeOf('upstream-401'),
      title: 'Unauthorized',
      status: 401,
      detail: `${service}.${operation} needs a bearer token that is accepted.`,
      headers: challengesOf(401, rejectedCredentials),
    };
  const problem = mappedProblem(error);
  if (!isMisconfigured) return problem;
  // Only a change of the configuration helps, so that a later retry does not.
  const { type, title, detail = '' } = problem;
  return { type, title, status: 502, detail };
}

function missingProblem(error: UpstreamError, failed: StepError): Problem {
  const { step } = failed;
  const key = step.kind === 'call' ? step.operation.lookup?.arguments : undefined;
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
  if (same !== undefined) return { type, title: same, status, detail, ...errorsOf(failed, error) };
  // The gateway has used up its share of the service, or the service asks for a later retry.
  const isOverloaded = status === 429 || (status === 503 && retryAfterSeconds !== undefined);
  return { ...mappedProblem(error, isOverloaded ? 'overloaded' : error.kind), detail };
}

/** The parts of the request that the service calls wrong, as far as its operation declares them. */
function errorsOf(failed: StepError, { status, fields }: UpstreamError): Pick<Problem, 'errors'> {
  const said = fields.map(({ path, detail }) => ({
    ...(path && clientPlaceOf(failed, path)),
    detail,
  }));
  if (said.some((one) => 'pointer' in one)) return { errors: said };
  const { errors = [] } = itemErrors(failed, `was answered ${status}`);
  return said.length + errors.length === 0 ? {} : { errors: [...errors, ...said] };
}

/**
 * An entry for every field of the client's request that was an argument, if one of them is in an
 * item of a list: nothing else tells which item it was.
 */
function itemErrors(
  failed: StepError,
  detail: string,
  among?: readonly string[],
): Pick<Problem, 'errors'> {
  const fields = clientFieldsOf(failed, among);
  if (!fields.some(({ isInItem }) => isInItem)) return {};
  return { errors: fields.map(({ in: part, pointer }) => ({ in: part, pointer, detail })) };
}

/** Whether an argument of the failed call, or one `among` these, comes straight from the request. */
function isAskedByClient(step: Step, among?: readonly string[]): boolean {
  if (step.kind !== 'call') return false;
  const { clientInputs } = step;
  if (among === undefined) return clientInputs.length > 0;
  return clientInputs.some(({ argument }) => among.includes(argument));
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
