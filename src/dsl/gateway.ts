/** `defineGateway`: what holds for all compositions of a folder. */
import type { MiddlewareHandler } from 'hono';
import { CompositionError } from '../errors.ts';
import { isAuthenticator } from './authenticators.ts';
import type { Authenticator } from './authenticators.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import { checkedRateLimits } from './rate-limit.ts';
import type { RateLimits } from './rate-limit.ts';
import { shownValue } from '../shown-value.ts';

export interface GatewayConfig {
  /** How many requests of one client are served; beyond is 429. Default: any number. */
  readonly rateLimits?: RateLimits;
  /**
   * How clients may prove who they are: all that `auth` of compositions may name. As soon as there
   * is one, a composition without `auth` does not load. Default: none.
   */
  readonly authenticators?: readonly Authenticator[];
  /** Which web pages of other origins may read answers. Default: none, in development localhost. */
  readonly cors?: CorsConfig;
  /** Whether answers carry security headers. Default `true`. */
  readonly securityHeaders?: boolean;
  /**
   * Hono middleware around the compositions, the first one outermost: inside of telemetry, access
   * log and the edge, so that its responses are recorded too.
   */
  readonly middleware?: readonly MiddlewareHandler[];
}

export interface CorsConfig {
  /** The origins of the pages, as in `https://app.example.com`, or `'*'`. */
  readonly origins: readonly string[] | '*';
  /** Whether pages may send cookies and other credentials. Default `false`. */
  readonly credentials?: boolean;
  /** How long browsers may remember the answer to a preflight, in seconds. Default 600. */
  readonly maxAgeS?: number;
}

/** The default export of `compositions/gateway.ts`. */
export interface GatewayDefinition {
  readonly kind: 'gateway';
  readonly rateLimits: RateLimits;
  readonly authenticators: readonly Authenticator[];
  readonly cors: Required<CorsConfig> | undefined;
  readonly securityHeaders: boolean;
  readonly middleware: readonly MiddlewareHandler[];
}

/** The name of the file, without its ending. */
export const gatewayFile = 'gateway';

/**
 * Declares what holds for all compositions beside it: the default export of `gateway.ts` in their
 * folder. Addresses, certificates and the limits of this machine are environment variables.
 *
 * @example
 * export default defineGateway({ cors: { origins: ['https://app.example.com'] } });
 *
 * @throws CompositionError when an option is unknown or cannot be used.
 */
export function defineGateway(config: GatewayConfig): GatewayDefinition {
  const place = 'defineGateway()';
  refuseUnknownKnobs(config, knobs, place);
  const { authenticators = [], rateLimits = {}, cors } = config;
  const { securityHeaders = true, middleware = [] } = config;
  if (typeof securityHeaders !== 'boolean')
    throw new CompositionError(
      place,
      `securityHeaders is ${shownValue(securityHeaders)}. Use true or false.`,
    );
  const isList = Array.isArray(middleware) && middleware.every((one) => typeof one === 'function');
  if (!isList)
    throw new CompositionError(
      place,
      'middleware is not a list of functions. Use Hono middleware.',
    );
  return Object.freeze({
    kind: 'gateway',
    rateLimits: checkedRateLimits(rateLimits, place),
    authenticators: checkedAuthenticators(authenticators, place),
    cors: cors && checkedCors(cors, place),
    securityHeaders,
    middleware: [...middleware],
  });
}

const knobs = [
  'cors',
  'securityHeaders',
  'middleware',
  'rateLimits',
  'authenticators',
] satisfies (keyof GatewayConfig)[];

export function isGatewayDefinition(value: unknown): value is GatewayDefinition {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'gateway';
}

function checkedAuthenticators(
  given: readonly Authenticator[],
  place: string,
): readonly Authenticator[] {
  if (Array.isArray(given) && given.every(isAuthenticator)) return Object.freeze([...given]);
  throw new CompositionError(
    place,
    'authenticators is not a list of what verifyJwt() and verifyApiKeys() return. Write one, as ' +
      'in [customers].',
  );
}

function checkedCors(cors: CorsConfig, place: string): Required<CorsConfig> {
  refuseUnknownKnobs(cors, ['origins', 'credentials', 'maxAgeS'], place, 'cors');
  const { origins, credentials = false, maxAgeS = 600 } = cors;
  if (origins === '*' && credentials)
    throw new CompositionError(
      place,
      'cors.credentials with origins: "*" would let every page act as its visitor. Name the ' +
        'origins.',
    );
  const wrong = origins === '*' ? undefined : wrongOrigin(origins);
  if (wrong !== undefined)
    throw new CompositionError(
      place,
      `cors.origins has ${shownValue(wrong)}, which is not an origin. Write scheme, host ` +
        'and port only, as in "https://app.example.com".',
    );
  return { origins, credentials, maxAgeS: positive(maxAgeS, 'cors.maxAgeS', place, { least: 0 }) };
}

function isOrigin(text: string): boolean {
  return URL.parse(text)?.origin === text && !text.includes('*');
}

/** The first that a browser would never send as `Origin`. */
function wrongOrigin(origins: readonly string[]): unknown {
  if (!Array.isArray(origins)) return origins;
  return origins.find((one: unknown) => typeof one !== 'string' || !isOrigin(one));
}
