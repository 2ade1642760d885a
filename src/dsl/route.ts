/** Routes like `GET /orders/:orderId`: a method and a path with named parameters. */
import { CompositionError } from '../errors.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A route as text. HEAD is for operations only. */
export type RouteText = `${Exclude<Method, 'HEAD'>} /${string}`;

/** The names of the parameters of a route: `'orderId'` for `GET /orders/:orderId/summary`. */
export type ParamNames<Text extends string> = Text extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer Tail}`
    ? WithoutPlus<Name> | ParamNames<`/${Tail}`>
    : WithoutPlus<Rest>
  : never;

type WithoutPlus<Name extends string> = Name extends `${infer Bare}+` ? Bare : Name;

/** One segment between slashes. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
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
  const [method = '', path = '', ...rest] = text.split(' ');
  if (!isMethod(method, known) || !path.startsWith('/') || rest.length > 0) {
    return refuse(
      place,
      text,
      `Write a method (${known.join(', ')}), one space and a path, as in "GET /orders/:orderId".`,
    );
  }
  const segments =
    path === '/'
      ? []
      : path
          .slice(1)
          .split('/')
          .map((part) => toSegment(part, text, place));
  const params = segments.flatMap((segment) => (segment.kind === 'text' ? [] : [segment.name]));
  const twice = params.find((name, index) => params.indexOf(name) !== index);
  if (twice !== undefined)
    return refuse(place, text, `Parameter ":${twice}" is there twice; give each its own name.`);
  const parts = segments.map((segment) =>
    segment.kind === 'text' ? segment.text : `{${segment.name}}`,
  );
  return { text, method, path, template: `/${parts.join('/')}`, segments, params };
}

/** Whether a method is safe (RFC 9110, 9.2.1): its calls may be repeated and shared. */
export function isSafe(method: Method): boolean {
  return method === 'GET' || method === 'HEAD';
}

function isMethod(method: string, known: readonly string[]): method is Method {
  return known.includes(method);
}

function toSegment(part: string, text: string, place: string): Segment {
  if (/^:[A-Za-z_]\w*$/.test(part)) return { kind: 'param', name: part.slice(1) };
  if (/^:[A-Za-z_]\w*\+$/.test(part)) return { kind: 'params', name: part.slice(1, -1) };
  if (/^[\w.~!$&'()+,;=@-]+$/.test(part) && part !== '.' && part !== '..')
    return { kind: 'text', text: part };
  return refuse(
    place,
    text,
    `Segment "${part}" is neither text nor ":name". Use letters, digits and - . _ ~, or a ` +
      'parameter.',
  );
}

function refuse(place: string, text: string, advice: string): never {
  throw new CompositionError(place, `route ${JSON.stringify(text)} cannot be used. ${advice}`);
}
