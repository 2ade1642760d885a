/** Headers for browsers: which pages may read answers (CORS), and how answers are treated. */
import { Hono } from 'hono';
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { secureHeaders } from 'hono/secure-headers';
import { bindingsOf } from '../http/request-record.ts';
import type { Layer } from '../http/request-record.ts';
import type { CorsConfig } from '../dsl/gateway.ts';

/** Headers of answers that pages may read besides those that every page may (Fetch, 4.1.1). */
const exposed = [
  'ETag',
  'Link',
  'Location',
  'Plait-Degraded',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Server-Timing',
  'X-Request-Id',
];

/** Pages on the developer's own machine. */
const local = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

export interface CorsOptions extends Required<CorsConfig> {
  /** Whether pages on this machine are allowed, too. */
  readonly isDevelopment: boolean;
}

/** CORS (Fetch, 3.2): answers preflights, and allows pages of `origins` to read answers. */
export function allowOrigins(options: CorsOptions): Layer {
  const { origins, credentials, maxAgeS, isDevelopment } = options;
  const allowed = new Set(origins);
  const isAllowed = (origin: string): boolean =>
    allowed.has(origin) || (isDevelopment && local.test(origin));
  const answerPage = cors({
    origin: origins === '*' ? '*' : (origin) => (isAllowed(origin) ? origin : null),
    credentials,
    maxAge: maxAgeS,
    exposeHeaders: exposed,
  });
  return async function allowOrigin(c, next) {
    // Only a browser sends an Origin: for others there is nothing but what caches have to know.
    if (c.req.header('origin') !== undefined) return answerPage(c, next);
    await next();
    if (origins !== '*') c.res.headers.append('vary', 'Origin');
  };
}

/**
 * Security headers of answers that are data: no page may show them as one, guess their type, or
 * frame them. What a composition has set itself is kept.
 *
 * The headers are the same for every answer, so Hono's middleware is asked for them once: adding
 * them to each `Response` would cost as much as the rest of an answer without calls.
 */
export function addSecurityHeaders(isCrossOrigin: boolean): Layer {
  const add = secureHeaders(securityOptions(isCrossOrigin));
  let constants: readonly (readonly [name: string, value: string])[] | undefined;
  void headersBy(add).then((headers) => (constants = headers));
  return function addToAnswer(c, next) {
    const { outgoing } = bindingsOf(c);
    // Without a socket of ours, as with `app.request()`, there is only the response.
    if (outgoing === undefined || constants === undefined) return add(c, next);
    for (const [name, value] of constants) outgoing.setHeader(name, value);
    return next();
  };
}

async function headersBy(add: MiddlewareHandler): Promise<[string, string][]> {
  const app = new Hono().use(add).get('/', () => new Response(null));
  return [...(await app.request('/')).headers];
}

function securityOptions(isCrossOrigin: boolean): Parameters<typeof secureHeaders>[0] {
  return {
    contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    crossOriginResourcePolicy: isCrossOrigin ? 'cross-origin' : 'same-origin',
    referrerPolicy: true,
    xContentTypeOptions: true,
    xFrameOptions: 'DENY',
    // Those below are for pages, or for browsers of the past.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    strictTransportSecurity: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
    overwrite: false,
  };
}
