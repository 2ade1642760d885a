/** `redirects` of services and operations: whether a redirect is followed or is an error. */
import { CompositionError } from '../errors.ts';
import { isSafe } from './route.ts';
import type { Method } from './route.ts';
import { shownValue } from '../shown-value.ts';

/**
 * `'error'`: a redirect fails the call, and the log says where it leads. `'follow'`: GET and HEAD
 * follow redirects (301, 302, 303, 307, 308) within the attempt, at the same address and below its
 * path, at most 3 times.
 */
export type Redirects = 'error' | 'follow';

/** @throws CompositionError for another word. */
export function checkedRedirects(redirects: unknown, place: string): Redirects {
  if (redirects === 'error' || redirects === 'follow') return redirects;
  throw new CompositionError(
    place,
    `redirects is ${shownValue(redirects)}. Use "error" or "follow".`,
  );
}

/** The service's choice holds for operations whose method is followed, and their own otherwise. */
export function redirectsOf(
  own: Redirects | undefined,
  service: { readonly redirects: Redirects },
  { method, place }: { readonly method: Method; readonly place: string },
): Redirects {
  if (own === undefined) return isSafe(method) ? service.redirects : 'error';
  const checked = checkedRedirects(own, place);
  if (checked === 'error' || isSafe(method)) return checked;
  throw new CompositionError(place, `a ${method} is never redirected. Remove redirects.`);
}
