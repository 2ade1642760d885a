/** Plans as handlers of requests: parse, execute, respond. */
import type { Clock } from '../clock.ts';
import { sourcesOf } from '../dsl/node-traits.ts';
import { before } from '../engine/deadline.ts';
import type { Execute } from '../engine/execute.ts';
import { StepError } from '../engine/step-error.ts';
import type { Overload } from '../edge/overload.ts';
import { RequestError, UnavailableError, UpstreamError } from '../errors.ts';
import { toPointer } from '../json.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Endpoint, Visit } from './app.ts';
import { readJsonBody } from './body.ts';
import { parseInputs } from './inputs.ts';
import { problemResponse, toProblem } from './problem.ts';
import { responderFor } from './respond.ts';
import type { TextResponse } from './text-response.ts';

export interface ServingOptions {
  readonly execute: Execute;
  readonly clock: Clock;
  /** Seconds after which a request that is not let in may come again. */
  readonly refusal: Overload['refusal'];
}

export function endpointsOf(plans: readonly Plan[], options: ServingOptions): Endpoint[] {
  return plans.map((plan) => ({
    method: plan.route.method,
    path: plan.route.path,
    handle: handlerFor(plan, options),
  }));
}

function handlerFor(plan: Plan, { execute, clock, refusal }: ServingOptions): Endpoint['handle'] {
  const respond = responderFor(plan);
  return async ({ request, exchange, params }) => {
    exchange.composition = plan.name;
    exchange.route = plan.route.template;
    const retryAfterSeconds = refusal();
    if (retryAfterSeconds !== undefined) return refuse({ request, exchange }, retryAfterSeconds);
    refuseMalformedPath(request.path);
    const header = (name: string): string | undefined => exchange.header(name);
    const timeoutMs = timeoutOf(header('x-request-timeout-ms'));
    const deadlineAt = exchange.startedAt + Math.min(plan.deadlineMs, timeoutMs ?? Infinity);
    const inputs = parseInputs(plan, {
      params,
      query: request.query === '' ? noQuery : new URLSearchParams(request.query),
      body: plan.schemas.body && (await before(clock, deadlineAt, readJsonBody(request, exchange))),
      header,
    });
    const outcome = await execute(plan, {
      inputs,
      header,
      deadlineAt,
      onDisconnect: (listener) => exchange.onDisconnect(listener),
      trace: exchange.trace,
      completed: exchange.completed,
      sent: exchange.sent,
    }).catch((error: unknown) => {
      throw blamedOnClient(plan, error) ?? error;
    });
    exchange.degraded = outcome.degraded;
    const elapsedMs = clock.now() - exchange.startedAt;
    return respond(outcome, { exchange, ifNoneMatch: header('if-none-match'), elapsedMs });
  };
}

/** Not an error: whoever has too much to do has no time to report that of each request. */
function refuse(
  { request, exchange }: Pick<Visit, 'request' | 'exchange'>,
  retryAfterSeconds: number,
): TextResponse {
  exchange.refused = true;
  const overload = new UnavailableError('The gateway has too much to do.', { retryAfterSeconds });
  return problemResponse(toProblem(overload), exchange, request.path);
}

const noQuery = new URLSearchParams();

/** The client's own limit can only shorten the deadline; what is no whole number is ignored. */
function timeoutOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

/** `%zz` could be taken for what it says; what it means is up to whoever decodes it next. */
function refuseMalformedPath(path: string): void {
  if (!path.includes('%')) return;
  try {
    decodeURIComponent(path);
  } catch {
    const detail = 'is not UTF-8, percent-encoded (RFC 3986, 2.1)';
    throw new RequestError('invalid-request', 'The path cannot be decoded.', [
      { in: 'path', pointer: '', detail },
    ]);
  }
}

/** An argument that could not be sent is the client's mistake when it is the client's text. */
function blamedOnClient(plan: Plan, error: unknown): RequestError | undefined {
  if (!(error instanceof StepError) || !(error.reason instanceof UpstreamError)) return undefined;
  const { argument, kind } = error.reason;
  if (kind !== 'invalid-argument' || argument === undefined) return undefined;
  const [source] = sourcesOfArgument(error.step, argument);
  const input = source && plan.steps[source.node];
  if (input?.kind !== 'input') return undefined;
  const part = ({ params: 'path', query: 'query', body: 'body', headers: 'header' } as const)[
    input.input
  ];
  return new RequestError('invalid-request', 'Cannot be served as it is.', [
    {
      in: part,
      pointer: toPointer(source?.path ?? []),
      detail: 'cannot be used as an argument',
    },
  ]);
}

function sourcesOfArgument(step: Step, argument: string) {
  if (step.kind !== 'call' || step.args.kind !== 'object') return [];
  return step.args.entries
    .filter(([name]) => name === argument)
    .flatMap(([, template]) => sourcesOf(template));
}
