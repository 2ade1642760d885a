/** Refuses ambiguous requests, which two servers could read differently (request smuggling). */
import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { bindingsOf, pathOf } from '../http/request-record.ts';
import type { Layer } from '../http/request-record.ts';

/**
 * Checks what neither Node nor Hono does: that there is exactly one well-formed Host (RFC 9112,
 * 3.2), and that the path can be decoded (RFC 3986, 2.1).
 */
export const hygiene: Layer = function hygiene(c, next) {
  const { incoming } = bindingsOf(c);
  if (incoming !== undefined) refuseAmbiguousHost(incoming);
  refuseMalformedPath(pathOf(c));
  return next();
};

function refuseAmbiguousHost({ rawHeaders, httpVersion }: IncomingMessage): void {
  const [host, ...others] = hostsIn(rawHeaders);
  // HTTP/1.0 requires none.
  const isFit = host === undefined ? httpVersion === '1.0' : hostPattern.test(host);
  if (isFit && others.length === 0) return;
  throw new RequestError('invalid-request', 'The Host header is missing, repeated or malformed.');
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

/** `%zz` means nothing, and servers disagree on whether to pass it on as text. */
function refuseMalformedPath(path: string): void {
  if (!path.includes('%')) return;
  try {
    decodeURIComponent(path);
  } catch {
    const detail = 'is not percent-encoded UTF-8 (RFC 3986, 2.1)';
    throw new RequestError('invalid-request', 'The path cannot be decoded.', [
      { in: 'path', pointer: '', detail },
    ]);
  }
}
