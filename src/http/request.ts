/** A client's request, as its endpoint and all around that see it. */
import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';

export interface ClientRequest {
  readonly method: string;
  /** As it was sent, without dot segments (RFC 3986, 5.2.4): also the `instance` of problems. */
  readonly path: string;
  /** What follows the question mark, as it was sent; empty: nothing. */
  readonly query: string;
  /** Its bytes; to be read once. */
  body(): AsyncIterable<Uint8Array>;
}

/** @throws RequestError when its target or its `Host` cannot be used. */
export function clientRequest(incoming: IncomingMessage): ClientRequest {
  const { method = '', url = '', headers } = incoming;
  // RFC 9112, 3.2
  if (headers.host === undefined || !host.test(headers.host)) refuse('Its Host cannot be used.');
  const target = plain.test(url) && !dotSegment.test(url) ? url : normalised(url);
  const end = target.indexOf('?');
  return {
    method,
    path: end === -1 ? target : target.slice(0, end),
    query: end === -1 ? '' : target.slice(end + 1),
    // Whoever stops reading still has to answer, over the same connection.
    body: () => incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>, // without an encoding set
  };
}

const host = /^(?:[\w.~-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** What every part of a URL may hold as it is. */
const plain = /^\/[\w!$&'()*+,./:;=?@~-]*$/;
const dotSegment = /\/\.\.?(?:[/?]|$)/;

/** The target in origin form, read as browsers do: a proxy's absolute form (RFC 9112, 3.2.2), too. */
function normalised(target: string): string {
  const [path = ''] = target.split('?', 1);
  // Some would take it for a slash.
  if (path.includes('\\')) refuse('There is a backslash in its path.');
  const url = URL.parse(target.startsWith('/') ? `http://gateway${target}` : target);
  if (url === null || !/^https?:$/.test(url.protocol)) refuse('Its target is no path.');
  return url.pathname + url.search;
}

function refuse(problem: string): never {
  throw new RequestError('invalid-request', `The request cannot be read. ${problem}`);
}
