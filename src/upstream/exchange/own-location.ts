/**
 * Addresses that a service gives of itself. As results they become paths, so that its own address
 * does not leave; redirects and next pages are followed only where they lead to itself.
 */
import { isUtf8 } from 'node:buffer';
import { traversalProblem } from '../../path-segment.ts';
import type { RawReply } from './transport.ts';

/** The address that was asked, and the target that the text stands in the answer to. */
export interface Base {
  readonly origin: string;
  /** Comes before every path of the service. */
  readonly prefix: string;
  readonly target: string;
  /** The query parameter in which the service gets our API key: it may be in its answer, too. */
  readonly keyParameter: string | undefined;
}

/**
 * The path of a URI reference (RFC 3986, 4.1) that leads to the service itself, beginning after its
 * prefix. One that leads elsewhere, or that cannot be read, stays as it is but for our key.
 */
export function ownLocation(text: string, base: Base): string {
  const { origin, prefix, keyParameter } = base;
  const url = resolved(text, base);
  if (url === null) return text;
  const { pathname, hash } = url;
  const search = withoutParameter(url.search, keyParameter);
  if (url.origin !== origin) {
    if (search === url.search) return text;
    url.search = search;
    return url.href;
  }
  // A service behind a proxy may not know of the prefix.
  const path = isBelow(pathname, prefix) ? pathname.slice(prefix.length) : pathname;
  return `${path === '' ? '/' : path}${search}${hash}`;
}

/**
 * The path and query of a URI reference to be asked for at the same address, beginning after its
 * prefix and without our key; `undefined` if it leads elsewhere: to another scheme, host or port,
 * with a user name, out of the prefix, or to a path that could reach another one once it is decoded
 * again (path traversal).
 */
export function ownTarget(text: string, base: Base): string | undefined {
  const url = resolved(text, base);
  if (url === null || url.origin !== base.origin || url.username !== '' || url.password !== '')
    return undefined;
  const { pathname } = url;
  if (!isBelow(pathname, base.prefix) || isTraversal(pathname)) return undefined;
  const path = pathname.slice(base.prefix.length);
  return `${path === '' ? '/' : path}${withoutParameter(url.search, base.keyParameter)}`;
}

/**
 * Where a URI reference leads, for logs: a path at the own origin, otherwise the origin alone.
 * `isSecret` says of a text that it may not be shown: services repeat what they were sent.
 */
export function whereTo(text: string, base: Base, isSecret: (text: string) => boolean): string {
  const url = resolved(text, base);
  if (url === null) return 'an address that cannot be read';
  const where = url.origin === base.origin ? url.pathname : originOf(url);
  return isSecret(where) ? 'an address that repeats a credential' : shortened(where);
}

/** Only http and the like have an origin. */
function originOf({ origin, protocol }: URL): string {
  return origin === 'null' ? `an address that begins with ${protocol}` : origin;
}

function resolved(text: string, { origin, prefix, target }: Base): URL | null {
  return URL.parse(inUtf8(text), origin + prefix + target);
}

/**
 * A header's bytes arrive as characters of Latin-1. Those beyond ASCII, which no URI has, are UTF-8
 * where they can be.
 */
function inUtf8(text: string): string {
  if (!/[\u0080-\u00ff]/.test(text)) return text;
  const bytes = Buffer.from(text, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : text;
}

function isBelow(pathname: string, prefix: string): boolean {
  return pathname === prefix || pathname.startsWith(`${prefix}/`);
}

/** By segment: a slash at the end, and two in a row, are a matter of the service. */
function isTraversal(pathname: string): boolean {
  return pathname
    .split('/')
    .some((segment) => segment !== '' && traversalProblem(segment, { slash: true }) !== undefined);
}

/** A query without the parameter `name`; the rest stays as the service wrote it. */
function withoutParameter(search: string, name: string | undefined): string {
  if (name === undefined || search === '') return search;
  const rest = search
    .slice(1)
    .split('&')
    .filter((part) => !new URLSearchParams(part).has(name));
  return rest.length === 0 ? '' : `?${rest.join('&')}`;
}

/**
 * A text with addresses, without the query parameters that repeat a secret: some services put the
 * key that they were sent into every address they give, under its name or another one.
 */
export function withoutEchoes(text: string, isSecret: (text: string) => boolean): string {
  if (!text.includes('?') || !isSecret(text)) return text;
  return text.replaceAll(/\?([^?#<>"\s]*)/g, (_, search: string) => {
    const rest = search.split('&').filter((part) => !isSecret(part));
    return rest.length === 0 ? '' : `?${rest.join('&')}`;
  });
}

/** An answer whose headers with addresses repeat no key: they become values, and stay in caches. */
export function withCleanAddresses(raw: RawReply, isSecret: (text: string) => boolean): RawReply {
  const names = ['location', 'content-location', 'link'].filter(
    (name) => raw.headers[name] !== undefined,
  );
  if (names.length === 0) return raw;
  const clean = (text: string): string => withoutEchoes(text, isSecret);
  const cleaned = names.map((name) => {
    const value = raw.headers[name] ?? '';
    return [name, typeof value === 'string' ? clean(value) : value.map(clean)] as const;
  });
  return { ...raw, headers: { ...raw.headers, ...Object.fromEntries(cleaned) } };
}

const longestShown = 200;

function shortened(path: string): string {
  return path.length > longestShown ? `${path.slice(0, longestShown)}…` : path;
}
