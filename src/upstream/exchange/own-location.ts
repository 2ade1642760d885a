/** Addresses that a service gives of itself → paths, so that its own address does not leave. */

/** The address that was asked, and the target that the text stands in the answer to. */
interface Base {
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
  const { origin, prefix, target, keyParameter } = base;
  const url = URL.parse(text, origin + prefix + target);
  if (url === null) return text;
  const hasKey = keyParameter !== undefined && url.searchParams.has(keyParameter);
  if (hasKey) url.searchParams.delete(keyParameter);
  if (url.origin !== origin) return hasKey ? url.href : text;
  const { pathname } = url;
  // A service behind a proxy may not know of the prefix.
  const isBelow = pathname === prefix || pathname.startsWith(`${prefix}/`);
  const path = isBelow ? pathname.slice(prefix.length) : pathname;
  return `${path === '' ? '/' : path}${url.search}${url.hash}`;
}
