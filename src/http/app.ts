/**
 * The shell of both sides: layers, health checks, routes, and a problem for everything else. Hono
 * answers HEAD like GET, without the body.
 */
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { basePath } from 'hono/route';
import type { Clock } from '../clock.ts';
import { RequestError, toError } from '../errors.ts';
import { healthRoutes } from './health.ts';
import type { Readiness } from './health.ts';
import { problemResponse, toProblem } from './error-response.ts';
import type { Problem } from './problem.ts';
import { bindingsOf, openRecord } from './request-record.ts';
import type {
  GatewayContext,
  GatewayEnv,
  Layer,
  RequestRecord,
  WatchRequest,
} from './request-record.ts';
import { createRouter, pathToRoute } from './router.ts';

export interface AppOptions {
  readonly clock: Clock;
  /** Watch every request, even one that is malformed; the first begins first and ends last. */
  readonly watchers: readonly WatchRequest[];
  /** Put around every request, inside the watchers; the first is outermost. */
  readonly outerLayers: readonly Layer[];
  /** Put around well-formed requests, inside the outer ones; the first is outermost. */
  readonly layers: readonly Layer[];
  /** Hono takes the first route that matches. */
  readonly routes: Hono<GatewayEnv>;
  /** Whether new requests are welcome: `/readyz`. */
  readonly readiness: () => Readiness;
  /** Called for unexpected errors, which are answered with 500. */
  readonly onInternalError: (error: unknown) => void;
}

export function createApp(options: AppOptions): Hono<GatewayEnv> {
  const { clock, watchers, outerLayers, layers, routes, readiness, onInternalError } = options;
  const app = new Hono<GatewayEnv>({ router: createRouter(), getPath: pathToRoute });
  app.use('*', openRecord(clock, watchers), ...outerLayers, answerReadable, ...layers);
  app.route('/', healthRoutes(readiness));
  app.route('/', routes);
  // A route and not `notFound`, which is lost when the app is mounted in another one.
  app.all('*', answerOthers(app));
  app.onError(function answerError(error, c) {
    if (error instanceof HTTPException && error.res !== undefined) return error.getResponse();
    const problem = toProblem(error);
    noteError(c.get('record'), error, problem);
    if (problem.status === 500) report(error, onInternalError);
    return problemResponse(problem, c);
  });
  return app;
}

function noteError(record: RequestRecord, error: Error, { status }: Problem): void {
  if (error instanceof RequestError) record.clientError = error.kind;
  else if (status >= 500) record.error = error;
}

/** If the listener throws, the request is answered all the same. */
function report(error: Error, onInternalError: AppOptions['onInternalError']): void {
  try {
    onInternalError(error);
  } catch (thrown) {
    process.emitWarning(toError(thrown));
  }
}

/**
 * Refuses requests that cannot be read. For all others, makes sure that `onError` gets whatever is
 * thrown, and that there is a response: watchers would see a 200 otherwise, and the client a 500.
 */
const answerReadable: Layer = async function answerReadable(c, next) {
  const { unreadable } = bindingsOf(c);
  if (unreadable !== undefined) throw unreadable;
  try {
    await next();
  } catch (thrown) {
    // Hono passes only `Error`s to `onError`.
    throw toError(thrown);
  }
  if (hasResponse(c)) return;
  // Otherwise Hono would add its headers to those of the problem.
  c.res = undefined;
  throw new Error('A middleware has not called next(), and gave no response.');
};

/** Hono takes what `return next()` gives, which is the context itself, for a response. */
function hasResponse(c: GatewayContext): boolean {
  return c.finalized && (c.res as unknown) !== c;
}

/**
 * Answers OPTIONS, and refuses methods and paths that have no route (RFC 9110, 15.5.5 and 15.5.6).
 */
function answerOthers({ routes }: Hono<GatewayEnv>): (c: GatewayContext) => Response {
  const methods = createRouter<string>();
  for (const { method, path } of routes) if (method !== 'ALL') methods.add('ALL', path, method);

  function allowedAt(path: string): string {
    const found = methods.match('ALL', path)[0].map(([method]) => method);
    if (found.length === 0) return '';
    const all = found.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    return [...new Set(all), 'OPTIONS'].join(', ');
  }

  return (c) => {
    const allow = allowedAt(c.req.path.slice(basePath(c).replace(/\/$/, '').length));
    if (allow === '') throw new RequestError('not-found', 'There is nothing at this address.');
    if (c.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } });
    const error = new RequestError('method-not-allowed', `Use ${allow}.`);
    const problem = toProblem(error);
    noteError(c.get('record'), error, problem);
    return problemResponse(problem, c, { allow });
  };
}
