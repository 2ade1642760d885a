/** Refuses requests that two readers could read differently, before anything is made of them. */
import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { bindingsOf, pathOf } from '../http/request-record.ts';
import type { Layer } from '../http/request-record.ts';

/**
 * What neither Node nor Hono checks: that there is one `Host` of the form of one (RFC 9112, 3.2), and
 * that the path can be decoded (RFC 3986, 2.1). It is put around the routes, which could not tell.
 */
export const hygiene: Layer = async function hygiene(c, next) {
  const { incoming } = bindingsOf(c);
  if (incoming !== undefined) refuseAmbiguousHost(incoming);
  refuseMalformedPath(pathOf(c));
  await next();
};

function refuseAmbiguousHost({ rawHeaders, httpVersion }: IncomingMessage): void {
  const [host, ...others] = hostsIn(rawHeaders);
  // Clients of HTTP/1.0 need not send any.
  const isFit = host === undefined ? httpVersion === '1.0' : hostPattern.test(host);
  if (isFit && others.length === 0) return;
  throw new RequestError('invalid-request', 'The request cannot be read. Its Host cannot be used.');
}

const hostPattern = /^(?:[\w.~-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** All of them; Node's `headers` has the first only. */
function hostsIn(rawHeaders: readonly string[]): string[] {
  const hosts: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[index + 1] ?? '');
  }
  return hosts;
}

/** `%zz` could be taken for the text it is; what it means would be up to whoever decodes it next. */
function refuseMalformedPath(path: string): void {
  if (!path.includes('%')) return;
  try {
    decodeURIComponent(path);
  } catch {
    const detail = 'is not UTF-8, percent-encoded (RFC 3986, 2.1)';
    throw new RequestError('invalid-request', 'The path cannot be decoded.', [
      { in: 'path', pointer: '', detail },
    ]);
  }
}
