/** Headers for browsers: which pages may read answers (CORS), and how answers are treated. */
import { Hono } from 'hono';
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { secureHeaders } from 'hono/secure-headers';
import { addHeaders } from '../http/added-headers.ts';
import type { AddedHeaders } from '../http/added-headers.ts';
import type { GatewayContext, Layer } from '../http/request-record.ts';
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

/** CORS (Fetch, 3.2): allows pages of `origins` to read answers. */
export function allowOrigins(options: CorsOptions): Layer {
  const headersFor = headersForPages(options);
  return async function allowOrigin(c, next) {
    await next();
    // The answer to a preflight has them already.
    if (!isPreflight(c)) addHeaders(c, await headersFor(c.req.header('origin')));
  };
}

/** CORS (Fetch, 3.2): answers preflights, by which browsers ask what a page may send. */
export function answerPreflights(options: CorsOptions): Layer {
  const answerPage = corsFor(options);
  return function answerPreflight(c, next) {
    return isPreflight(c) ? answerPage(c, next) : next();
  };
}

function isPreflight({ req }: GatewayContext): boolean {
  return (
    req.method === 'OPTIONS' &&
    req.header('origin') !== undefined &&
    req.header('access-control-request-method') !== undefined
  );
}

function corsFor({ origins, credentials, maxAgeS, isDevelopment }: CorsOptions): MiddlewareHandler {
  const isAllowed = allowing(origins, isDevelopment);
  return cors({
    origin: origins === '*' ? '*' : (origin) => (isAllowed(origin) ? origin : null),
    credentials,
    maxAge: maxAgeS,
    exposeHeaders: exposed,
  });
}

function allowing(
  origins: CorsOptions['origins'],
  isDevelopment: boolean,
): (origin: string) => boolean {
  return (origin) => origins.includes(origin) || (isDevelopment && local.test(origin));
}

/** The headers of answers to pages; those of `origins` are made once. */
function headersForPages(options: CorsOptions) {
  const { origins, isDevelopment } = options;
  const answerPage = corsFor(options);
  if (origins === '*') {
    const forAll = headersBy(answerPage, 'null');
    return () => forAll;
  }
  const isAllowed = allowing(origins, isDevelopment);
  const known = new Map(origins.map((origin) => [origin, headersBy(answerPage, origin)]));
  // Caches have to know that answers depend on the origin, also those to other pages.
  const forOthers = { vary: 'Origin' };
  return function headersFor(origin = ''): AddedHeaders | Promise<AddedHeaders> {
    return known.get(origin) ?? (isAllowed(origin) ? headersBy(answerPage, origin) : forOthers);
  };
}

export interface SecurityHeaders {
  /** Whether pages of other origins may read answers. */
  readonly isCrossOrigin: boolean;
  /** Whether browsers are told to use TLS only from now on: HSTS (RFC 6797). */
  readonly isSecure: boolean;
}

/** For a year, of this host, and not of those below it, which may have no certificates. */
const hsts = 'max-age=31536000';

/**
 * Security headers of answers that are data: no page may show them as one, guess their type, or
 * frame them. What a composition has set itself is kept.
 */
export function addSecurityHeaders(which: SecurityHeaders): Layer {
  const headers = headersBy(secureHeaders(securityOptions(which)));
  return async function addToAnswer(c, next) {
    await next();
    addHeaders(c, await headers);
  };
}

/** The headers that a middleware adds to every answer to a page of `origin`. */
async function headersBy(middleware: MiddlewareHandler, origin = ''): Promise<AddedHeaders> {
  const app = new Hono().use(middleware).get('/', () => new Response(null));
  const { headers } = await app.request('/', { headers: { origin } });
  return Object.fromEntries(headers);
}

function securityOptions({
  isCrossOrigin,
  isSecure,
}: SecurityHeaders): Parameters<typeof secureHeaders>[0] {
  return {
    contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    crossOriginResourcePolicy: isCrossOrigin ? 'cross-origin' : 'same-origin',
    referrerPolicy: true,
    xContentTypeOptions: true,
    xFrameOptions: 'DENY',
    strictTransportSecurity: isSecure && hsts,
    // Those below are for pages, or for browsers of the past.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
    overwrite: false,
  };
}
