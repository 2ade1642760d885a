/** Request targets (RFC 9112, 3.2) → targets of which a URL can be made. */
import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { forgetAuthority, isHttp2, readPseudoHeaders } from './http2-request.ts';

/**
 * Normalises the request's target to origin form, without dot segments. The authority of an absolute
 * target replaces Host (RFC 9112, 3.2.2). A target or a Host of which no URL can be made is replaced
 * by a stand-in, so that even this request gets a record.
 *
 * @returns the error to answer with, when a stand-in replaces the target.
 */
export function makeReadable(incoming: IncomingMessage): RequestError | undefined {
  const { url: sent = '', headers } = incoming;
  const contradiction = isHttp2(incoming) ? readPseudoHeaders(incoming) : undefined;
  const isPlain = plain.test(sent) && !dotSegment.test(sent);
  const target = isPlain ? sent : originForm(sent, !isHttp2(incoming));
  incoming.url = target ?? standIn(sent);
  if (!isPlain && target !== undefined && !sent.startsWith('/')) replaceHost(incoming, sent);
  const { host = '' } = headers;
  if (!(isPlain && plainHost.test(host)) && !isUsable(host, incoming.url)) {
    headers.host = '';
    forgetAuthority(incoming);
  }
  if (contradiction !== undefined || target !== undefined) return contradiction;
  return new RequestError('invalid-request', 'The request target is not a path.');
}

/** A target that is the same as part of a URL. */
const plain = /^\/[\w!$&'()*+,./:;=?@~-]*$/;
const dotSegment = /\/\.\.?(?:[/?]|$)/;
const octet = String.raw`(?:[1-9]?\d|1\d\d|2[0-4]\d|25[0-5])`;
const names = String.raw`(?:[a-z\d_-]+\.)*[a-z][a-z\d_-]*`;
const port = String.raw`(?::(?:[1-5]\d{3,4}|[6-9]\d{3}))?`;

/** A host that is the same as part of a URL: it ends in no number and holds no Punycode. */
const plainHost = new RegExp(`^(?!.*xn--)(?:${names}|${octet}(?:\\.${octet}){3})${port}$`);

/**
 * Whether `host` stays the same as part of a URL. Whether it is acceptable is for a layer to say.
 */
function isUsable(host: string, target: string): boolean {
  const url = URL.parse(`http://${host}${target}`);
  return url?.hostname === host.replace(/:\d*$/, '').toLowerCase();
}

/**
 * Reads a target as browsers do, the absolute form of proxies too, which HTTP/2 does not have;
 * `undefined` without a path.
 */
function originForm(target: string, hasAbsolute: boolean): string | undefined {
  const [path = ''] = target.split('?', 1);
  // A backslash is a slash to some servers (path traversal); a fragment is never sent.
  if (path.includes('\\') || target.includes('#')) return undefined;
  // The parser of HTTP/1.1 refuses such bytes; that of HTTP/2 takes them.
  if (/[^!-~]/.test(target)) return undefined;
  const isOrigin = target.startsWith('/');
  if (!isOrigin && !(hasAbsolute && absolute.test(target))) return undefined;
  const url = URL.parse(isOrigin ? `http://gateway${target}` : target);
  return url === null ? undefined : url.pathname + url.search;
}

/** An absolute target (RFC 9112, 3.2.2), without user information. */
const absolute = /^https?:\/\/([^/?#@\\]+)(?=[/?]|$)/i;

/** Replaces every Host by the authority of the target, also for readers of `rawHeaders`. */
function replaceHost({ headers, rawHeaders }: IncomingMessage, target: string): void {
  const authority = absolute.exec(target)?.[1] ?? '';
  headers.host = authority;
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() === 'host') rawHeaders[index + 1] = authority;
}

/**
 * The stand-in for a malformed target: its path, which the problem shows, without query and host.
 */
function standIn(target: string): string {
  const [path = ''] = target.replaceAll('\\', '%5C').split(/[?#]/, 1);
  return (path.startsWith('/') && URL.parse(`http://gateway${path}`)?.pathname) || '/';
}
