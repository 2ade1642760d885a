/** Routes like `GET /orders/:orderId`: a method and a path with named parameters. */
import { CompositionError } from '../errors.ts';
import { traversalProblem } from '../path-segment.ts';
import { shownValue } from '../shown-value.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A route as text. HEAD is for operations only. */
export type RouteText = `${Exclude<Method, 'HEAD'>} /${string}`;

/** The names of the parameters of a route: `'orderId'` for `GET /orders/:orderId/summary`. */
export type ParamNames<Text extends string> = Text extends `${string}/:${infer Rest}`
  ? NameIn<Rest> | ParamNames<Rest>
  : never;

/** A name that `Text` begins with: it ends at the first character that no name has. */
type NameIn<Text extends string, Name extends string = ''> = Text extends `${infer C}${infer Rest}`
  ? Lowercase<C> extends NameCharacter
    ? NameIn<Rest, `${Name}${C}`>
    : Name
  : Name;

// prettier-ignore
type NameCharacter =
  | 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm' | 'n' | 'o' | 'p'
  | 'q' | 'r' | 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z' | '_'
  | '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';

/** One segment between slashes. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  /** `:name.json`: a parameter and the text after it. */
  | { readonly kind: 'mixed'; readonly name: string; readonly text: string }
  /** `:name+`: one or more segments. */
  | { readonly kind: 'params'; readonly name: string };

export interface Route {
  readonly text: string;
  readonly method: Method;
  /** As it is written: `/orders/:orderId`. */
  readonly path: string;
  /** As OpenTelemetry and OpenAPI write it: `/orders/{orderId}`. */
  readonly template: string;
  readonly segments: readonly Segment[];
  /** Whether the path ends in a slash; that of `/` is no end. */
  readonly trailingSlash: boolean;
  readonly params: readonly string[];
}

const methods: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] satisfies Method[];
const methodsWithHead: readonly string[] = ['GET', 'HEAD', ...methods.slice(1)];

export interface RouteOptions {
  /** Whether its method may be HEAD. Default `false`. */
  readonly head?: boolean;
}

/** @throws CompositionError at `place` when `text` is not a route. */
export function parseRoute(
  text: string,
  place: string,
  { head = false }: RouteOptions = {},
): Route {
  const known = head ? methodsWithHead : methods;
  const [method = '', path = '', ...rest] = typeof text === 'string' ? text.split(' ') : [];
  if (!isMethod(method, known) || !path.startsWith('/') || rest.length > 0) {
    return refuse(
      place,
      text,
      `Write a method (${known.join(', ')}), one space and a path, as in "GET /orders/:orderId".`,
    );
  }
  const trailingSlash = path !== '/' && path.endsWith('/');
  const inner = path.slice(1, trailingSlash ? -1 : undefined);
  const segments = path === '/' ? [] : inner.split('/').map((part) => toSegment(part, text, place));
  const params = segments.flatMap((segment) => (segment.kind === 'text' ? [] : [segment.name]));
  const twice = params.find((name, index) => params.indexOf(name) !== index);
  if (twice !== undefined)
    return refuse(place, text, `Parameter ":${twice}" is there twice; give each its own name.`);
  const template = `/${segments.map(templateOf).join('/')}${trailingSlash ? '/' : ''}`;
  return { text, method, path, template, segments, trailingSlash, params };
}

function templateOf(segment: Segment): string {
  switch (segment.kind) {
    case 'text':
      return segment.text;
    case 'mixed':
      return `{${segment.name}}${segment.text}`;
    case 'param':
    case 'params':
      return `{${segment.name}}`;
    default:
      return segment satisfies never;
  }
}

/**
 * The path by which requests are routed to a composition. Its text is decoded, since clients may
 * encode other characters than the author did.
 *
 * @throws URIError for escapes that are not UTF-8.
 */
export function routedPath({ segments, trailingSlash }: Route): string {
  const parts = segments.map((segment) =>
    segment.kind === 'text' ? decodeURI(segment.text) : `:${segment.name}`,
  );
  return `/${parts.join('/')}${trailingSlash ? '/' : ''}`;
}

/** Whether a method is safe (RFC 9110, 9.2.1): its calls may be repeated and shared. */
export function isSafe(method: Method): boolean {
  return method === 'GET' || method === 'HEAD';
}

function isMethod(method: string, known: readonly string[]): method is Method {
  return known.includes(method);
}

function toSegment(part: string, text: string, place: string): Segment {
  const [, name, after = ''] = /^:([A-Za-z_]\w*)(.*)$/s.exec(part) ?? [];
  if (name !== undefined && after === '') return { kind: 'param', name };
  if (name !== undefined && after === '+') return { kind: 'params', name };
  if (name !== undefined && isText(after) && !after.startsWith('+') && isHarmless(`x${after}`))
    return { kind: 'mixed', name, text: after };
  if (isText(part) && !part.startsWith(':') && isHarmless(part))
    return { kind: 'text', text: part };
  return refuse(place, text, `Segment "${part}" is neither text nor ":name". ${adviceFor(part)}`);
}

/** Other notations of what a route can say, or does not say. */
function adviceFor(part: string): string {
  const [, braced] = /^\{([A-Za-z_]\w*)\}$/.exec(part) ?? [];
  if (braced !== undefined) return `Write ":${braced}".`;
  if (/\?\w+=/.test(part)) return 'Query parameters are declared by the option query.';
  return 'Use letters, digits and - . _ ~, or a parameter.';
}

/** Characters of a path segment (RFC 3986, 3.3) but for `*`, which routers read as any text. */
function isText(part: string): boolean {
  return /^(?:[\w.~!$&'()+,;=@:-]|%[\da-f]{2})+$/i.test(part);
}

function isHarmless(part: string): boolean {
  return traversalProblem(part, { slash: true }) === undefined;
}

function refuse(place: string, text: string, advice: string): never {
  throw new CompositionError(place, `route ${shownValue(text)} cannot be used. ${advice}`);
}
