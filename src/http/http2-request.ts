/** Requests over HTTP/2 (RFC 9113, 8.3): what they say of their target, as HTTP/1.1 would say it. */
import type { IncomingMessage } from 'node:http';
import { Http2ServerRequest } from 'node:http2';
import { RequestError } from '../errors.ts';
import { mostHeaderBytes } from './socket-limits.ts';

/** Whether a request came over HTTP/2; one of HTTP/1.1 may say so in its request line. */
export function isHttp2(incoming: IncomingMessage | Http2ServerRequest): boolean {
  return incoming instanceof Http2ServerRequest;
}

/** Whether a body may follow the head, empty or not. */
export function mayHaveBody(incoming: IncomingMessage): boolean {
  return incoming instanceof Http2ServerRequest && !incoming.stream.endAfterHeaders;
}

/**
 * Makes `:authority` the Host, also for readers of `rawHeaders`, so that layers need to know one of
 * them only.
 *
 * @returns the error to answer with, for what the parser of HTTP/1.1 would refuse, another scheme, and
 * a Host that contradicts `:authority`.
 */
export function readPseudoHeaders(incoming: IncomingMessage): RequestError | undefined {
  const { headers, rawHeaders } = incoming;
  const problem = problemOf(incoming);
  // The connection is what counts: everything that is served here comes over TLS.
  headers[':scheme'] = 'https';
  const { [authorityName]: authority, host } = headers;
  if (typeof authority !== 'string') return problem;
  headers.host = authority;
  if (host === undefined) rawHeaders[rawHeaders.indexOf(authorityName)] = 'host';
  return problem;
}

function problemOf({
  method = '',
  headers,
  rawHeaders,
}: IncomingMessage): RequestError | undefined {
  const { [authorityName]: authority, host, ':scheme': scheme = '' } = headers;
  // With what separates and ends fields in HTTP/1.1.
  if (rawHeaders.join(': ').length > mostHeaderBytes) return tooLarge;
  // Methods are case-sensitive (RFC 9110, 9.1), but the adapter reads `get` as GET.
  if (method !== method.toUpperCase()) return unknownMethod;
  if (!/^https?$/i.test(String(scheme))) return notHttp;
  if (typeof authority !== 'string' || host === undefined) return undefined;
  return host.toLowerCase() === authority.toLowerCase() ? undefined : contradiction;
}

/** Has no URL made of a Host that cannot be part of one. */
export function forgetAuthority({ headers }: IncomingMessage): void {
  if (headers[authorityName] !== undefined) headers[authorityName] = '';
}

const authorityName = ':authority';

const tooLarge = new RequestError('headers-too-large', 'The header fields are too large.');
const contradiction = new RequestError('ambiguous-request', 'Host contradicts :authority.');
const unknownMethod = new RequestError('ambiguous-request', 'Methods are in upper case.');
const notHttp = new RequestError('invalid-request', 'The scheme is neither https nor http.');
