/** Plans → the Hono app that serves them. Another set of plans is another app. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { Execute } from '../engine/execute.ts';
import { RequestError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { endpointFor } from './endpoint.ts';
import type { Bindings } from './endpoint.ts';
import type { Handler } from './exchange.ts';
import { problemResponse, toProblem } from './problem.ts';

export interface AppOptions {
  readonly plans: readonly Plan[];
  readonly execute: Execute;
  /** Whether new requests are welcome: `/readyz`. */
  readonly isReady: () => boolean;
  /** Told of errors that are nobody's declared failure. */
  readonly onInternalError: (error: unknown) => void;
}

export function createApp(options: AppOptions): Handler {
  const app = new Hono<Bindings>();
  addHealth(app, options.isReady);
  for (const plan of options.plans.toSorted(bySpecificity)) {
    app.on(plan.route.method, plan.route.path, endpointFor(plan, options.execute));
  }
  for (const [path, methods] of methodsByPath(options.plans)) app.all(path, refuseMethod(methods));
  app.notFound((context) =>
    respondTo(new RequestError('not-found', 'There is nothing at this address.'), context),
  );
  app.onError((error, context) => {
    const response = respondTo(error, context);
    if (response.status === 500) options.onInternalError(error);
    return response;
  });
  return (request, exchange) => app.fetch(request, { exchange });
}

/** Hono takes the first route that matches: text goes before parameters, whatever the files are called. */
function bySpecificity(one: Plan, other: Plan): number {
  return kindsOf(one).localeCompare(kindsOf(other));
}

function kindsOf({ route }: Plan): string {
  return route.segments.map(({ kind }) => (kind === 'text' ? '0' : '1')).join('');
}

/** Liveness and readiness, for whoever runs the process. */
function addHealth(app: Hono<Bindings>, isReady: () => boolean): void {
  const noStore = { 'cache-control': 'no-store' };
  app.get('/livez', (context) => context.json({ status: 'ok' }, 200, noStore));
  app.get('/readyz', (context) =>
    isReady()
      ? context.json({ status: 'ok' }, 200, noStore)
      : context.json({ status: 'stopping' }, 503, noStore),
  );
}

function methodsByPath(plans: readonly Plan[]): ReadonlyMap<string, readonly string[]> {
  const byPath = Map.groupBy(plans, (plan) => plan.route.template.replace(/\{\w+\}/g, '{}'));
  const entries = [...byPath.values()].map((same) => {
    const methods = [
      ...new Set(
        same.flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method])),
      ),
    ];
    return [same[0]?.route.path ?? '/', [...methods, 'OPTIONS']] as const;
  });
  return new Map(entries);
}

/** Any other method (RFC 9110, 15.5.6), and OPTIONS, which says what there is. */
function refuseMethod(methods: readonly string[]) {
  return (context: Context<Bindings>): Response => {
    const allow = methods.join(', ');
    if (context.req.method === 'OPTIONS')
      return new Response(null, { status: 204, headers: { allow } });
    const response = respondTo(new RequestError('method-not-allowed', `Use ${allow}.`), context);
    response.headers.set('allow', allow);
    return response;
  };
}

function respondTo(error: unknown, context: Context<Bindings>): Response {
  const { exchange } = context.env;
  const problem = toProblem(error);
  if (problem.status >= 500) exchange.error = error;
  // As it was sent: Hono's own `path` is decoded in part, and `instance` is a URI reference.
  return problemResponse(problem, exchange, new URL(context.req.url).pathname);
}
