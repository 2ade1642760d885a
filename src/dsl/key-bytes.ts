/** The bytes that the keys of a lookup take in its requests, and the options that bound them. */
import { CompositionError } from '../errors.ts';
import { stringifyJson } from '../json.ts';
import { positive } from './knobs.ts';
import { withKeys } from './lookup-keys.ts';
import type { Keyed, LookupKeys } from './lookup-keys.ts';
import type { Route } from './route.ts';

/** The options that bound the bytes of a request. */
export interface MaxBytes {
  /**
   * The longest request line, in bytes as sent, if keys go into the query. Default 7 KiB, since
   * nginx, Apache and Tomcat accept 8. A key that is too long for it gets a request of its own.
   */
  readonly maxRequestLineBytes?: number | undefined;
  /**
   * The largest request body, in bytes as sent, if keys go into the body. Default 256 KiB. A key
   * that is too long for it gets a request of its own.
   */
  readonly maxRequestBodyBytes?: number | undefined;
}

const defaultBytes = {
  maxRequestLineBytes: 7 * 1024,
  maxRequestBodyBytes: 256 * 1024,
};

/** The option that limits the size of requests whose keys go there. */
export function bytesKnob({ kind }: LookupKeys): keyof MaxBytes {
  return kind === 'body' ? 'maxRequestBodyBytes' : 'maxRequestLineBytes';
}

export function toMaxBytes(
  config: MaxBytes,
  { route, keys, place }: { route: Route; keys: LookupKeys; place: string },
): number {
  const knob = bytesKnob(keys);
  const other = knob === 'maxRequestBodyBytes' ? 'maxRequestLineBytes' : 'maxRequestBodyBytes';
  if (config[other] !== undefined) {
    const where = keys.kind === 'body' ? 'body' : 'query';
    throw new CompositionError(
      place,
      `${other} bounds nothing here: the keys go into the ${where}. Use ${knob}.`,
    );
  }
  const bytes = positive(config[knob] ?? defaultBytes[knob], knob, place);
  const empty =
    keys.kind === 'body'
      ? emptyBodyBytes(keys)
      : requestLineBytes(route.method, `${route.path}?${encodeURIComponent(keys.name)}=`);
  if (bytes > empty) return bytes;
  throw new CompositionError(
    place,
    `${knob} is ${bytes}, but a request takes ${empty} bytes before its first key. ` +
      `The default is ${defaultBytes[knob]}.`,
  );
}

/** The bytes of the line `GET <target> HTTP/1.1` and its end (RFC 9112, 3). */
function requestLineBytes(method: string, target: string): number {
  return method.length + 1 + target.length + ' HTTP/1.1\r\n'.length;
}

function emptyBodyBytes(keys: LookupKeys): number {
  return Buffer.byteLength(JSON.stringify(withKeys({ keys }, undefined, [])));
}

/** A request that has no keys yet. */
interface Keyless {
  readonly method: string;
  readonly target: string;
  readonly body: string | Buffer | null;
}

/** The bytes of a request line or body without keys; each key adds its `bytesOfKey`. */
export function bytesWithoutKeys({ keys }: Keyed, { method, target, body }: Keyless): number {
  switch (keys.kind) {
    // The first key has no comma before it.
    case 'body':
      return Buffer.byteLength(body ?? '') - 1;
    case 'separated':
      return requestLineBytes(method, target) - 1;
    case 'repeated':
      return requestLineBytes(method, target);
    case 'path':
      return 0;
    default:
      return keys.kind satisfies never;
  }
}

/** The bytes that one more key adds to a request, with what separates it from the one before. */
export function bytesOfKey({ keys }: Keyed, key: unknown): number {
  switch (keys.kind) {
    case 'body':
      return Buffer.byteLength(stringifyJson(key)) + 1;
    case 'separated':
      return encodeURIComponent(String(key)).length + 1;
    case 'repeated':
      return encodeURIComponent(keys.name).length + encodeURIComponent(String(key)).length + 2;
    case 'path': // it is alone there
      return 0;
    default:
      return keys.kind satisfies never;
  }
}

/** An upper bound of the bytes that keys with so many characters in total add to a request. */
export function mostBytesOfKeys({ keys }: Keyed, count: number, characters: number): number {
  // `%e2%82%ac` in a URL; `"\u0000"` in JSON.
  const most = keys.kind === 'body' ? 6 * characters + 3 * count : 9 * characters + count;
  return keys.kind === 'repeated' ? most + count * (9 * keys.name.length + 1) : most;
}
