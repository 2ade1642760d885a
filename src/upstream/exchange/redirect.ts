/**
 * Redirects: followed at the address of the attempt and below its prefix, or an error that says
 * where they lead. A request that follows one goes through the same door as the first, so that
 * credentials can go to no other origin.
 */
import type { Clock } from '../../clock.ts';
import { queryOfAuth } from '../../dsl/credentials.ts';
import { UpstreamError } from '../../errors.ts';
import {
  readRequestTimeout,
  requestTimeoutHeader,
  writeRequestTimeout,
} from '../../request-timeout.ts';
import type { Attempt } from '../call.ts';
import { callError } from '../call.ts';
import { anySecret } from '../credentials/echo.ts';
import { ownTarget, whereTo } from './own-location.ts';
import type { HttpRequest } from './request.ts';
import { statusError } from './status-error.ts';
import type { RawReply } from './transport.ts';

/** Those that name another place to ask; a 300 offers several, and a 304 is about a cache. */
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const mostRedirects = 3;

export function isRedirect({ status }: RawReply): boolean {
  return redirects.has(status);
}

export interface FollowOptions {
  /** The request that was redirected, without credentials. */
  readonly request: HttpRequest;
  readonly clock: Clock;
  /** Adds credentials to a request and sends it. */
  readonly send: (attempt: Attempt, request: HttpRequest) => Promise<RawReply>;
  /** Whether a text repeats credentials that `send` has added. */
  readonly isSecret: (text: string) => boolean;
  /** Called before a redirect is followed, with the number of those so far. */
  readonly onRedirect: ((count: number) => void) | undefined;
}

/**
 * Follows a redirect, and those after it, if the operation says so.
 *
 * @throws UpstreamError of kind `status` for a redirect that is not followed.
 */
export async function followed(
  attempt: Attempt,
  redirect: RawReply,
  { request, clock, send, isSecret: isOurs, onRedirect }: FollowOptions,
): Promise<RawReply> {
  const isSecret = anySecret({ ...attempt, headers: request.headers }, isOurs);
  const asked = [request.target];
  for (let raw = redirect; ;) {
    const target = nextTarget(attempt, raw, { asked, isSecret, now: clock.epoch() });
    onRedirect?.(asked.length);
    asked.push(target);
    const again = { ...request, target, headers: headersLater(request, attempt, clock) };
    // oxlint-disable-next-line no-await-in-loop -- each says where the next one goes
    const next = await send(attempt, again).catch((error: unknown) => {
      throw withRedirects(attempt, error, asked.length - 1);
    });
    const answer = { ...next, target, headers: withHeadersOfHop(raw.headers, next.headers) };
    if (!isRedirect(answer)) return answer;
    raw = answer;
  }
}

interface Before {
  /** The targets asked so far; the last one has answered with the redirect. */
  readonly asked: readonly string[];
  readonly isSecret: (text: string) => boolean;
  readonly now: number;
}

function nextTarget(attempt: Attempt, raw: RawReply, { asked, isSecret, now }: Before): string {
  const refuse = (words: string): never => {
    throw statusError(attempt, raw, now, { words });
  };
  const [location, ...others] = [raw.headers['location'] ?? []].flat();
  if (location === undefined) return refuse(' without a Location');
  if (others.length > 0) return refuse(` with ${others.length + 1} Locations`);
  const { origin, prefix } = attempt.address;
  const keyParameter = queryOfAuth(attempt.operation.auth);
  const base = { origin, prefix, target: asked.at(-1) ?? '/', keyParameter };
  const to = ` to ${whereTo(location, base, isSecret)}`;
  if (attempt.operation.redirects === 'error') return refuse(`${to}, which is not followed`);
  const target = ownTarget(location, base);
  if (target === undefined) return refuse(`${to}, which is not below the address that was asked`);
  if (asked.includes(target)) return refuse(`${to}, which was asked already`);
  if (asked.length > mostRedirects)
    return refuse(`${to} after ${mostRedirects} redirects, the most that are followed`);
  return target;
}

/** The headers of a later request, which has less time. */
function headersLater(
  { headers }: HttpRequest,
  { beganAt }: Attempt,
  clock: Clock,
): HttpRequest['headers'] {
  const announcedMs = readRequestTimeout(headers[requestTimeoutHeader]) ?? 0;
  const leftMs = announcedMs - (clock.now() - beganAt);
  return { ...headers, [requestTimeoutHeader]: writeRequestTimeout(leftMs) };
}

/**
 * An answer may be kept and shared only as far as the redirects to it: their headers about that
 * are added, of which caches follow the stricter.
 */
function withHeadersOfHop(
  hop: RawReply['headers'],
  answer: RawReply['headers'],
): RawReply['headers'] {
  const names = ['cache-control', 'vary', 'set-cookie'].filter((name) => hop[name] !== undefined);
  const joined = names.map((name) => {
    const values = [hop[name] ?? [], answer[name] ?? []].flat();
    return [name, values] as const;
  });
  return joined.length === 0 ? answer : { ...answer, ...Object.fromEntries(joined) };
}

/** Says of a timeout that the service has redirected, and not been silent. */
function withRedirects(attempt: Attempt, error: unknown, count: number): unknown {
  if (!(error instanceof UpstreamError) || error.kind !== 'timeout') return error;
  const { timeoutMs } = attempt.operation.policies;
  const times = count === 1 ? 'once' : `${count} times`;
  const message = `did not answer within ${timeoutMs} ms, in which it redirected ${times}`;
  return callError(attempt, 'timeout', message);
}
