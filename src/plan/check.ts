/** Checks of options at start-up, for files that `tsc` has not seen and for rules beyond types. */
import { bodyKindOf } from '../dsl/body-kind.ts';
import { refuseUnreadableFields } from '../dsl/body-kinds.ts';
import { checkResponseCache } from '../dsl/cache.ts';
import type { AnyConfig } from '../dsl/composition.ts';
import { refuseNoSchema } from '../dsl/given-schemas.ts';
import { positive, refuseUnknownKnobs } from '../dsl/knobs.ts';
import { checkRouteLimit } from '../dsl/rate-limit.ts';
import { isSafe } from '../dsl/route.ts';
import type { Route, Segment } from '../dsl/route.ts';
import { CompositionError } from '../errors.ts';
import { isHeaderName } from '../headers.ts';
import { segmentProblem } from '../path-segment.ts';
import { declaredFields, itemOf, unwrapped } from '../schema.ts';
import { shownValue, withArticle } from '../shown-value.ts';
import { textMisfit } from '../text-fit.ts';
import type { MayArrive } from '../text-fit.ts';
import { textFormOf } from '../text-form.ts';
import { checkAuth } from './auth.ts';
import { checkCookies } from './cookies.ts';
import { checkUnknownQuery } from './unknown-query.ts';

/** Headers that carry credentials: `forward` may pass them on, but no argument is made of them. */
const secretHeaders = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Checks the configuration, all but `compose`. */
export function checkConfig(name: string, config: AnyConfig, route: Route): void {
  if (config.deadlineMs !== undefined) positive(config.deadlineMs, 'deadlineMs', name);
  if (config.body !== undefined && isSafe(route.method)) {
    throw new CompositionError(
      name,
      `a ${route.method} has no body. Use query, or another method.`,
    );
  }
  for (const segment of route.segments) checkSegment(name, segment);
  checkKnobs(name, config);
  const { params, query, headers, body, response } = config;
  refuseNoSchema({ params, query, headers, body, response }, name);
  checkResponseCache(config.cache, route.method, name);
  checkRouteLimit(config.rateLimit, name);
  checkParams(name, config, route);
  for (const part of ['params', 'query', 'headers', 'cookies'] as const)
    checkTextual(name, part, config[part]);
  checkCookies(name, config);
  checkAuth(name, config);
  checkUnknownQuery(name, config);
  if (config.body !== undefined && bodyKindOf(config.body).kind === 'form')
    refuseUnreadableFields('body', declaredFields(config.body, 'in'), {
      isForm: true,
      place: name,
    });
  for (const header of Object.keys(config.headers?.shape ?? {})) {
    if (header !== header.toLowerCase()) {
      throw new CompositionError(
        name,
        `header "${header}" is not in lower case. Write "${header.toLowerCase()}".`,
      );
    }
    if (!isHeaderName(header)) {
      throw new CompositionError(
        name,
        `header "${header}" is not a valid header name. Use letters, digits and hyphens, as ` +
          'in "accept-language".',
      );
    }
    if (secretHeaders.has(header)) {
      throw new CompositionError(
        name,
        `header "${header}" carries credentials and cannot be an argument. List it in the ` +
          `service's forward.`,
      );
    }
  }
}

/** Refuses segments that only a service's route can have. */
function checkSegment(name: string, segment: Segment): void {
  if (segment.kind === 'params')
    throw new CompositionError(
      name,
      `":${segment.name}+" takes several segments, which only a service's route can have. Write ` +
        `":${segment.name}", whose values may contain an encoded slash.`,
    );
  if (segment.kind === 'mixed')
    throw new CompositionError(
      name,
      `":${segment.name}${segment.text}" has text after the parameter, which only a service's ` +
        `route can have. Write ":${segment.name}", and make the text a segment of its own.`,
    );
  if (segment.kind === 'text' && !isRoutable(segment.text))
    throw new CompositionError(
      name,
      `"${segment.text}" has an escape for a character that is not part of a word, which only a ` +
        'service\'s route can have. Escape letters and the like, as in "caf%C3%A9".',
    );
}

/** Not if the router would read the text as a pattern, or another writing of it differently. */
function isRoutable(text: string): boolean {
  try {
    return !/[%*{}]/.test(decodeURI(text));
  } catch {
    return false;
  }
}

const knobs = [
  'route',
  'summary',
  'auth',
  'scopes',
  'roles',
  'params',
  'query',
  'body',
  'headers',
  'cookies',
  'credentials',
  'unknownQuery',
  'response',
  'deadlineMs',
  'degraded',
  'rateLimit',
  'cache',
  'compose',
] satisfies (keyof AnyConfig)[];

function checkKnobs(name: string, config: AnyConfig): void {
  refuseUnknownKnobs(config, knobs, name);
  if (config.degraded !== undefined && !['allow', 'fail'].includes(config.degraded)) {
    throw new CompositionError(
      name,
      `degraded is ${shownValue(config.degraded)}. Use "allow" or "fail".`,
    );
  }
}

/**
 * Paths, queries, headers and cookies arrive as text: a schema that rejects text rejects every
 * request.
 */
function checkTextual(name: string, part: string, schema: AnyConfig['query']): void {
  for (const [field, wanted] of Object.entries(schema?.shape ?? {})) {
    const form = textFormOf(wanted);
    if (form === 'text' || form === 'either' || (form === 'list' && part === 'query')) {
      refuseMisfit(name, `${part}.${field}`, textMisfit(wanted, arrivingIn[part]));
      continue;
    }
    const one = part === 'query' ? (itemOf(wanted, 'in') ?? wanted) : wanted;
    const { type } = unwrapped(one, 'in').def;
    throw new CompositionError(
      name,
      `${part}.${field} expects ${withArticle(type)}, but arrives as text. Use ` +
        `${adviceFor(type, part)}.`,
    );
  }
}

/** By part, the texts that can arrive there; any if it is absent. */
const arrivingIn: Readonly<Record<string, MayArrive | undefined>> = {
  params: (text) => segmentProblem(text) === undefined,
};

function refuseMisfit(name: string, field: string, misfit: string | undefined): void {
  if (misfit === undefined) return;
  throw new CompositionError(name, `${field} can never fit: ${misfit}. Change its schema.`);
}

function adviceFor(type: string, part: string): string {
  if (type === 'set' && part === 'query')
    return 'z.array(z.string()).transform((values) => new Set(values))';
  if (type === 'array' || type === 'tuple' || type === 'set')
    return 'z.string(), and split it in a transform: only the query may repeat a name';
  return 'z.coerce, as in z.coerce.number(), or z.stringbool()';
}

function checkParams(name: string, config: AnyConfig, route: Route): void {
  if (config.params === undefined) return;
  const declared = Object.keys(config.params.shape);
  const missing = route.params.find((param) => !declared.includes(param));
  const surplus = declared.find((param) => !route.params.includes(param));
  if (missing !== undefined)
    throw new CompositionError(
      name,
      `params is missing "${missing}", which is in the route. Add it to the schema.`,
    );
  if (surplus !== undefined)
    throw new CompositionError(
      name,
      `params has "${surplus}", which is not in the route ${route.path}. Add ":${surplus}" ` +
        'there, or remove it here.',
    );
}
