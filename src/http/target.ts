/** Request targets (RFC 9112, 3.2) as Node hands them on → targets that a URL can be made of. */
import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';

/**
 * Puts the request's target in origin form, without dot segments. Where it has none, or where its host
 * cannot be part of a URL, something stands in, so that the request gets its record all the same; the
 * error returned for a target must then be its answer.
 */
export function makeReadable(incoming: IncomingMessage): RequestError | undefined {
  const { url: sent = '', headers } = incoming;
  const isPlain = plain.test(sent) && !dotSegment.test(sent);
  const target = isPlain ? sent : originForm(sent);
  incoming.url = target ?? shown(sent);
  const { host = '' } = headers;
  if (!(isPlain && plainHost.test(host)) && !isUsable(host, incoming.url)) headers.host = '';
  return target === undefined
    ? new RequestError(
        'invalid-request',
        'The request cannot be read. The request target is not a path.',
      )
    : undefined;
}

/** What every part of a URL may hold as it is. */
const plain = /^\/[\w!$&'()*+,./:;=?@~-]*$/;
const dotSegment = /\/\.\.?(?:[/?]|$)/;
const octet = String.raw`(?:[1-9]?\d|1\d\d|2[0-4]\d|25[0-5])`;
const names = String.raw`(?:[a-z\d_-]+\.)*[a-z][a-z\d_-]*`;
const port = String.raw`(?::(?:[1-5]\d{3,4}|[6-9]\d{3}))?`;

/** A host that is the same in a URL without being parsed: no number at its end, no Punycode. */
const plainHost = new RegExp(`^(?!.*xn--)(?:${names}|${octet}(?:\\.${octet}){3})${port}$`);

/** Whether it is still the same host as part of a URL. What a host may be is for a layer to say. */
function isUsable(host: string, target: string): boolean {
  const url = URL.parse(`http://${host}${target}`);
  return url?.hostname === host.replace(/:\d*$/, '').toLowerCase();
}

/** Reads a target as browsers do, from a proxy's absolute form too. `undefined`: it has no path. */
function originForm(target: string): string | undefined {
  const [path = ''] = target.split('?', 1);
  // Some servers would take a backslash for a slash.
  const url = path.includes('\\')
    ? null
    : URL.parse(target.startsWith('/') ? `http://gateway${target}` : target);
  return url !== null && /^https?:$/.test(url.protocol) ? url.pathname + url.search : undefined;
}

/** What a problem shows of a target that was not read: no query, nor what stands before a path. */
function shown(target: string): string {
  const [path = ''] = target.replaceAll('\\', '%5C').split('?', 1);
  return (path.startsWith('/') && URL.parse(`http://gateway${path}`)?.pathname) || '/';
}
