/** Endpoints → the Hono app that serves them. Another set of endpoints is another app. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { RequestError } from '../errors.ts';
import type { Bindings, Handler } from './exchange.ts';
import { healthPaths } from './health.ts';
import { problemResponse, toProblem } from './problem.ts';

/** A method and a path as Hono reads it, and what answers there. An error it throws becomes a problem. */
export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly handle: (context: Context<Bindings>) => Response | Promise<Response>;
}

export interface AppOptions {
  readonly endpoints: readonly Endpoint[];
  /** Whether new requests are welcome: `/readyz`. */
  readonly isReady: () => boolean;
  /** Told of errors that are nobody's declared failure. */
  readonly onInternalError: (error: unknown) => void;
}

export function createApp({ endpoints, isReady, onInternalError }: AppOptions): Handler {
  const app = new Hono<Bindings>();
  addHealth(app, isReady);
  for (const { method, path, handle } of endpoints.toSorted(bySpecificity)) {
    app.on(method, path, handle);
  }
  for (const [path, methods] of methodsByPath(endpoints)) app.all(path, refuseMethod(methods));
  app.notFound((context) =>
    respondTo(new RequestError('not-found', 'There is nothing at this address.'), context),
  );
  app.onError((error, context) => {
    const response = respondTo(error, context);
    if (response.status === 500) onInternalError(error);
    return response;
  });
  return (request, exchange) => app.fetch(request, { exchange });
}

/** Hono takes the first route that matches: text goes before parameters, whatever the files are called. */
function bySpecificity(one: Endpoint, other: Endpoint): number {
  return kindsOf(one).localeCompare(kindsOf(other));
}

function kindsOf({ path }: Endpoint): string {
  return path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '1' : '0'))
    .join('');
}

/** Liveness and readiness, for whoever runs the process. */
function addHealth(app: Hono<Bindings>, isReady: () => boolean): void {
  const noStore = { 'cache-control': 'no-store' };
  const [livez = '', readyz = ''] = healthPaths;
  app.get(livez, (context) => context.json({ status: 'ok' }, 200, noStore));
  app.get(readyz, (context) =>
    isReady()
      ? context.json({ status: 'ok' }, 200, noStore)
      : context.json({ status: 'stopping' }, 503, noStore),
  );
}

/** Of every path, most specific first: the methods of all endpoints that answer there. */
function methodsByPath(endpoints: readonly Endpoint[]): ReadonlyMap<string, readonly string[]> {
  const paths = endpoints.toSorted(bySpecificity).map(({ path }) => path);
  return new Map(
    paths.map((path) => {
      const there = endpoints.filter((endpoint) => covers(endpoint.path, path));
      const methods = there.flatMap(({ method }) =>
        method === 'GET' ? ['GET', 'HEAD'] : [method],
      );
      return [path, [...new Set(methods), 'OPTIONS']];
    }),
  );
}

/** Whether `pattern` matches all that `path` does. */
function covers(pattern: string, path: string): boolean {
  const segments = path.split('/');
  const wanted = pattern.split('/');
  return (
    wanted.length === segments.length &&
    wanted.every((segment, index) => segment.startsWith(':') || segment === segments[index])
  );
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
