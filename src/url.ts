/**
 * Text → URLs of services, and how messages name a text that may hold a password: only `shown`
 * decides what they quote of it, for compositions and settings alike.
 */

/** The http or https URL that `text` is; `undefined` when it is anything else. */
export function parseHttpUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** The rule for base URLs, as messages say it: what `parseBaseUrl` takes. */
export const baseUrlRule =
  'an http or https URL with a host, and without credentials, port 0, query or fragment, or a ' +
  'socket and a prefix (unix:/run/orders.sock:/v2)';

/**
 * `URL.parse` ignores an empty query, too many slashes, white space and the like, and would so find
 * another host or path than the one that was meant.
 */
const written = /^https?:\/\/[^/?#@\\\s]+(?:\/[^?#\\\s]*)?$/i;

/**
 * A URL that paths can be added to, also `unix:` of a socket, of which `unix:///` is another
 * spelling; `undefined` for a text that breaks the rule.
 */
export function parseBaseUrl(text: string): URL | undefined {
  if (/^unix:/i.test(text)) return parseSocketUrl(text.replace(/^(unix:)\/\/(?=\/)/i, '$1'));
  const url = written.test(text) ? URL.parse(text) : null;
  return url === null || url.port === '0' ? undefined : url;
}

/** A socket's absolute path, and after a colon what comes before every path of the service. */
const writtenSocket = /^unix:(?<path>(?:\/[\w.~@+=-]+)+)(?::(?<prefix>(?:\/[\w.~@+=:-]+)*\/?))?$/i;

/** The most bytes that the operating system takes (`sun_path`). */
const longestSocketPath = 107;

/** `URL.parse` would resolve dot segments over the end of the socket's path. */
function parseSocketUrl(text: string): URL | undefined {
  const path = writtenSocket.exec(text)?.groups?.['path'] ?? '';
  const isSocket =
    path !== '' && path.length <= longestSocketPath && !/\/\.{1,2}(?:[/:]|$)/.test(text);
  return isSocket ? new URL(text) : undefined;
}

/** The parts of a base URL that names a socket; `undefined` of one over a network. */
export function socketOf(url: URL): { readonly path: string; readonly prefix: string } | undefined {
  if (url.protocol !== 'unix:') return undefined;
  const end = url.pathname.indexOf(':');
  if (end === -1) return { path: url.pathname, prefix: '' };
  return { path: url.pathname.slice(0, end), prefix: url.pathname.slice(end + 1) };
}

/** The rule for the URLs of token endpoints (RFC 6749, 3.2): what `parseTokenUrl` takes. */
export const tokenUrlRule = 'an http or https URL without credentials and fragment';

/** The URL of a token endpoint; `undefined` for a text that breaks the rule. */
export function parseTokenUrl(text: string): URL | undefined {
  const [beforeQuery = ''] = text.split('?', 1);
  const isPlain = written.test(beforeQuery) && !/[#\s]/.test(text);
  return isPlain ? parseHttpUrl(text) : undefined;
}

/** The parts of a list that is written with commas, such as the addresses of a service. */
export function splitList(text: string): readonly string[] {
  return text.split(',').map((part) => part.trim());
}

/**
 * `text` as a message shows it: quoted, unless it may hold a password or a token. `whole` is the
 * list that it is a part of: a comma within a password separates its beginning from the `@`.
 */
export function shown(text: string, whole = text): string {
  return /[@?#]/.test(whole) ? 'a value that is not shown here' : JSON.stringify(text);
}

/** An address as part of a URL: IPv6 in brackets (RFC 3986, 3.2.2). */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
