/** A client's request, as its endpoint and all around that see it. */
import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';

export interface ClientRequest {
  readonly method: string;
  /** As it was sent, but without dot segments (RFC 3986, 5.2.4): also the `instance` of problems. */
  readonly path: string;
  /** What follows the question mark, as it was sent; empty: nothing. */
  readonly query: string;
  /** Why it cannot be answered: its target or its `Host`. */
  readonly refusal?: RequestError | undefined;
  /** Its bytes; to be read once. */
  body(): AsyncIterable<Uint8Array>;
}

export function clientRequest(incoming: IncomingMessage): ClientRequest {
  const { method = '', url = '' } = incoming;
  const target = plain.test(url) && !dotSegment.test(url) ? url : normalised(url);
  const refusal = refusalOf(incoming, target);
  const [path, query] = split(refusal === undefined ? (target ?? '') : shown(url));
  // Whoever stops reading still has to answer.
  const body = () => incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>; // without an encoding set
  return { method, path, query, refusal, body };
}

function refusalOf(
  { rawHeaders, headers, httpVersion }: IncomingMessage,
  target: string | undefined,
): RequestError | undefined {
  // RFC 9112, 3.2: one, which clients of HTTP/1.0 need not send.
  const given = headers.host ?? (httpVersion === '1.0' ? 'none' : '');
  if (hostsIn(rawHeaders) > 1 || !host.test(given)) return refuse('Its Host cannot be used.');
  return target === undefined ? refuse('Its target is no path.') : undefined;
}

/** Node hands on the first only. */
function hostsIn(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

const host = /^(?:[\w.~-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** What every part of a URL may hold as it is. */
const plain = /^\/[\w!$&'()*+,./:;=?@~-]*$/;
const dotSegment = /\/\.\.?(?:[/?]|$)/;

/** In origin form, read as browsers do, from a proxy's absolute form (RFC 9112, 3.2.2), too. `undefined`: it is none. */
function normalised(target: string): string | undefined {
  const [path = ''] = target.split('?', 1);
  // Some would take a backslash for a slash.
  const url = path.includes('\\')
    ? null
    : URL.parse(target.startsWith('/') ? `http://gateway${target}` : target);
  return url !== null && /^https?:$/.test(url.protocol) ? url.pathname + url.search : undefined;
}

/** Of a target that was not read, neither a query nor what stands before a path. */
function shown(url: string): string {
  return url.startsWith('/') ? url.replace(/\?.*$/s, '') : '';
}

function split(target: string): [path: string, query: string] {
  const end = target.indexOf('?');
  return end === -1 ? [target, ''] : [target.slice(0, end), target.slice(end + 1)];
}

function refuse(problem: string): RequestError {
  return new RequestError('invalid-request', `The request cannot be read. ${problem}`);
}
