/** Plans → routes: admit the request, parse its inputs, execute the plan, respond. */
import { Hono } from 'hono';
import type { Clock } from '../clock.ts';
import type { UnknownQuery } from '../dsl/composition.ts';
import { routedPath } from '../dsl/route.ts';
import type { Route } from '../dsl/route.ts';
import type { Execute } from '../engine/execute.ts';
import { readRequestTimeout, requestTimeoutHeader } from '../request-timeout.ts';
import { UnavailableError } from '../errors.ts';
import type { NotServed } from '../plan/not-served.ts';
import type { Plan } from '../plan/plan.ts';
import type { Admission, IdentifyFor } from './admission.ts';
import { bodyReader } from './body.ts';
import { inputParserFor } from './inputs.ts';
import { denialProblem, problemResponse, refusalProblem } from './error-response.ts';
import type { GatewayContext, GatewayEnv } from './request-record.ts';
import { responderFor } from './respond.ts';

export interface ServingOptions {
  readonly execute: Execute;
  readonly clock: Clock;
  /** Runs before `admit`, for plans with `auth`. */
  readonly identifyFor: IdentifyFor;
  readonly admit: Admission;
  readonly unknownQuery: UnknownQuery;
  /** Stands before every route: `/api`, or nothing. */
  readonly basePath: string;
  /** Their routes answer 503, so that no wider route of another composition takes their place. */
  readonly notServed: readonly NotServed[];
  /** Whether that answer names the composition and the reason. */
  readonly isDevelopment: boolean;
}

/** Makes one route per plan. Hono takes the first match, so text precedes parameters. */
export function compositionRoutes(
  plans: readonly Plan[],
  options: ServingOptions,
): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>();
  // Those that are served come first where both want the same route.
  const all = [
    ...plans.map((plan) => ({ route: plan.route, answer: handlerFor(plan, options) })),
    ...options.notServed.flatMap(({ route, ...rest }) =>
      route === undefined ? [] : [{ route, answer: refuserOf({ route, ...rest }, options) }],
    ),
  ];
  const inOrder = all.toSorted((a, b) => precedenceOf(a).localeCompare(precedenceOf(b)));
  for (const one of inOrder) routes.on(one.route.method, pathsOf(one, options), one.answer);
  return routes;
}

interface Routed {
  readonly route: Route;
}

/** When a request may come again that no running gateway can answer. */
const afterRestartSeconds = 30;

function refuserOf({ name, route, reason }: NotServed & Routed, options: ServingOptions) {
  const { basePath, isDevelopment } = options;
  const message = isDevelopment
    ? `The composition "${name}" is not served: ${reason}`
    : 'This is not served at the moment.';
  return function refuse(c: GatewayContext): never {
    const record = c.get('record');
    record.composition = name;
    record.route = basePath + route.template;
    throw new UnavailableError(message, { retryAfterSeconds: afterRestartSeconds });
  };
}

/** The route `/` is served with and without the slash after the base path. */
function pathsOf({ route }: Routed, { basePath }: ServingOptions): string[] {
  const path = basePath + routedPath(route);
  return route.path === '/' && basePath !== '' ? [basePath, path] : [path];
}

/** A sort key: `1` for each text segment, also an empty one at the end, `2` for each parameter. */
function precedenceOf({ route: { segments, trailingSlash } }: Routed): string {
  const kinds = segments.map(({ kind }) => (kind === 'text' ? '1' : '2'));
  return kinds.join('') + (trailingSlash ? '1' : '');
}

function handlerFor(plan: Plan, options: ServingOptions) {
  const { execute, clock, identifyFor, admit, unknownQuery, basePath } = options;
  const template = basePath + plan.route.template;
  const parseInputs = inputParserFor(plan, { unknownQuery });
  const respond = responderFor(plan);
  const identify = plan.auth && identifyFor(plan.auth);
  const readBody = plan.schemas.body && bodyReader(plan.schemas.body, clock);
  return async function serveComposition(c: GatewayContext): Promise<Response> {
    const record = c.get('record');
    const header = (name: string): string | undefined => c.req.header(name);
    record.composition = plan.name;
    record.route = template;
    const identity = identify && (await identify({ peer: record.peer, header }));
    if (identity !== undefined && 'denied' in identity) {
      record.denied = identity.why;
      return problemResponse(denialProblem(identity), c);
    }
    const { peer, rateLimits } = record;
    const principal = identity?.principal;
    record.refusal = await admit({ peer, header, principal, rateLimits }, plan);
    if (record.refusal !== undefined) return problemResponse(refusalProblem(record.refusal), c);
    const timeoutMs = readRequestTimeout(header(requestTimeoutHeader));
    // The client's own limit can only shorten the deadline.
    const deadlineAt = record.startedAt + Math.min(plan.deadlineMs, timeoutMs ?? Infinity);
    const inputs = parseInputs({
      identity: identity?.value,
      params: c.req.param(),
      query: queryOf(c.req.url),
      body: readBody && (await readBody(c.req, deadlineAt)),
      header,
    });
    const outcome = await execute(plan, {
      inputs,
      header,
      deadlineAt,
      onDisconnect: (listener) => onDisconnect(c.req.raw.signal, listener),
      trace: record.trace,
      requestId: record.requestId,
      owner: record,
    });
    record.sent = outcome.sent;
    record.completed = outcome.completed;
    record.uncertain = outcome.uncertain;
    if (outcome.kind === 'failed') throw outcome.error;
    record.degraded = outcome.degraded;
    const elapsedMs = clock.now() - record.startedAt;
    const { requestId } = record;
    return respond(outcome, { requestId, ifNoneMatch: header('if-none-match'), elapsedMs });
  };
}

/** The beginning of the chain by which a disconnect ends calls: next is `engine/execute`. */
function onDisconnect(signal: AbortSignal, listener: () => void): void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
}

function queryOf(url: string): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start + 1).replace(/#.*$/s, '');
}
