/** Refuses ambiguous requests, which two servers could read differently (request smuggling). */
import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { isHttp2, mayHaveBody } from '../http/http2-request.ts';
import { isDecodable } from '../http/percent-encoding.ts';
import { bindingsOf, pathOf } from '../http/request-record.ts';
import type { Layer } from '../http/request-record.ts';

/** More header fields than any client needs; each costs time wherever headers are read. */
const mostHeaders = 200;

/** Checks what neither Node nor Hono does, of every request, whether or not it has a route. */
export const hygiene: Layer = function hygiene(c, next) {
  const { incoming } = bindingsOf(c);
  if (incoming !== undefined) refuseAmbiguousHead(incoming);
  refuseAmbiguousPath(pathOf(c));
  return next();
};

function refuseAmbiguousHead(incoming: IncomingMessage): void {
  const { method, httpVersion, rawHeaders, headers } = incoming;
  if (httpVersion !== '1.1' && httpVersion !== '1.0' && !isHttp2(incoming))
    throw new RequestError('version-not-supported', 'Use HTTP/1.1.');
  if (rawHeaders.length > 2 * mostHeaders) {
    const message = `The request has more than ${mostHeaders} header fields.`;
    throw new RequestError('headers-too-large', message);
  }
  refuseAmbiguousHost(incoming);
  const { 'transfer-encoding': coding } = headers;
  const isChunked = coding !== undefined;
  if (isChunked && httpVersion === '1.0')
    throw new RequestError('ambiguous-request', 'HTTP/1.0 has no Transfer-Encoding.');
  // Node's parser looks at the last coding only, and takes the rest for bytes of the body.
  if (isChunked && coding.toLowerCase() !== 'chunked')
    throw new RequestError('ambiguous-request', 'The only Transfer-Encoding is chunked, once.');
  if (method !== 'GET' && method !== 'HEAD') return;
  if (isChunked || hasLength(headers) || mayHaveBody(incoming))
    throw new RequestError('ambiguous-request', `A ${method} request has no body.`);
}

function hasLength({ 'content-length': length }: IncomingMessage['headers']): boolean {
  return length !== undefined && Number(length) !== 0;
}

/** There is exactly one well-formed Host (RFC 9112, 3.2). */
function refuseAmbiguousHost({ rawHeaders, httpVersion }: IncomingMessage): void {
  const [host, ...others] = hostsIn(rawHeaders);
  // HTTP/1.0 requires none.
  const isFit = host === undefined ? httpVersion === '1.0' : hostPattern.test(host);
  if (isFit && others.length === 0) return;
  throw new RequestError('ambiguous-request', 'The Host header is missing, repeated or malformed.');
}

const hostPattern = /^(?:[\w.~-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Every Host; Node's `headers` has only the first. */
function hostsIn(rawHeaders: readonly string[]): string[] {
  const hosts: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[index + 1] ?? '');
  }
  return hosts;
}

/**
 * Servers disagree on empty segments, on backslashes, and on whether to pass `%zz` on as text. `%2f`
 * and `;` are data within one segment.
 */
function refuseAmbiguousPath(path: string): void {
  if (path.includes('//')) refusePath('has an empty segment: write one slash');
  if (!path.includes('%')) return;
  if (/%5c/i.test(path)) refusePath('has a backslash, which is a slash to some servers');
  if (path.includes('%00')) refusePath('has a NUL, which ends texts for some servers');
  if (!isDecodable(path)) refusePath('is not percent-encoded UTF-8 (RFC 3986, 2.1)');
}

function refusePath(detail: string): never {
  throw new RequestError('invalid-request', 'The path can be read in several ways.', [
    { in: 'path', pointer: '', detail },
  ]);
}
