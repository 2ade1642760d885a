/**
 * Makes the error of an answer that is not a 2xx: its status, `Retry-After` and challenges, read
 * from headers. `http/upstream-problem` decides what the client is told of them, as of a 429.
 */
import { areOfCaller } from '../../dsl/credentials.ts';
import type { UpstreamError } from '../../errors.ts';
import { credentialHeaders } from '../../headers.ts';
import { parseHttpDate } from '../../http-date.ts';
import { cacheControlOfFailure } from '../caching/cache-control.ts';
import type { Call, Reply } from '../call.ts';
import { callError } from '../call.ts';
import { passableChallenges } from './challenge.ts';
import type { RawReply } from './transport.ts';

type Answered = Pick<Call, 'operation' | 'headers'>;

/** Statuses by which a service rejects credentials, or their absence. */
const rejections = new Set([401, 402, 403]);

/**
 * `now`: when the answer came, in milliseconds since 1970. `words` continue the sentence about its
 * status; `fields` are for the client.
 */
export function statusError(
  call: Answered,
  { status, headers }: Pick<RawReply, 'status' | 'headers'>,
  now: number,
  { words = '', fields }: { readonly words?: string; readonly fields?: Fields } = {},
): Error {
  return errorOf(call, { status, headers, message: `answered ${status}${words}`, now, fields });
}

/** The error of a 2xx whose body says that it is a failure: as if that were its status. */
export function envelopedError(
  call: Answered,
  { status, headers, said, fields }: Enveloped,
  now: number,
): Error {
  const message = `answered ${status} with a failure, which counts as ${said}`;
  return errorOf(call, { status: said, headers, message, now, isEnveloped: true, fields });
}

type Fields = UpstreamError['fields'] | undefined;

interface Enveloped extends Pick<RawReply, 'status' | 'headers'> {
  readonly said: number;
  readonly fields: Fields;
}

interface Facts extends Pick<RawReply, 'status' | 'headers'> {
  readonly message: string;
  readonly now: number;
  readonly isEnveloped?: boolean;
  readonly fields: Fields;
}

function errorOf(call: Answered, facts: Facts): Error {
  const { status, headers, message, now, isEnveloped, fields } = facts;
  const retryAfterSeconds = retryAfterOf(headers, now);
  const isOfCaller =
    (rejections.has(status) && hasCallersOnly(call)) || (status === 401 && lacksCallers(call));
  return callError(call, 'status', message, {
    status,
    ...(isEnveloped && { isEnveloped }),
    ...(fields && { fields }),
    ...cacheControlOf(headers),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(isOfCaller && { rejectedCredentials: rejectedCredentialsOf(headers) }),
  });
}

/** The rules for caches that an error carries: failures may be kept, too. */
export function cacheControlOf(headers: Reply['headers']): { cacheControl?: string } {
  const cacheControl = cacheControlOfFailure(headers);
  return cacheControl === undefined ? {} : { cacheControl };
}

/**
 * `Retry-After` in seconds (RFC 9110, 10.2.3). A date is compared with the service's own `Date`, if
 * there is one: its clock may be wrong.
 */
function retryAfterOf(headers: Reply['headers'], now: number): number | undefined {
  // Of several lines, as a proxy may add one, the first counts.
  const [line = ''] = [headers['retry-after'] ?? []].flat();
  const text = line.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text), longestSeconds);
  const at = parseHttpDate(text, now);
  if (at === undefined) return undefined;
  const sentAt = parseHttpDate(String(headers['date'] ?? ''), now) ?? now;
  return Math.max(0, Math.ceil((at - sentAt) / 1_000));
}

/** More than anybody waits, and few enough digits for any client. */
const longestSeconds = 999_999_999;

/** Beside credentials of the gateway's own, nothing says which of them were rejected. */
function hasCallersOnly({ operation: { auth }, headers }: Answered): boolean {
  return areOfCaller(auth) || (auth === undefined && hasCredentials(headers));
}

/**
 * A 401 asks for credentials (RFC 9110, 15.5.2), and only the client has some: the operation
 * forwards them, this client sent none, and the gateway adds none of its own.
 */
function lacksCallers({ operation: { auth, forward, service }, headers }: Answered): boolean {
  return (
    auth === undefined &&
    forward.some((name) => credentialHeaders.has(name)) &&
    !hasCredentials(headers) &&
    !hasCredentials(service.headers)
  );
}

function hasCredentials(headers: object): boolean {
  return Object.keys(headers).some((name) => credentialHeaders.has(name));
}

function rejectedCredentialsOf(headers: Reply['headers']) {
  const challenges = passableChallenges(headers['www-authenticate']);
  const nonce = headers['dpop-nonce'];
  const isNonce = typeof nonce === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(nonce);
  return { challenges, ...(isNonce && { nonce }) };
}
