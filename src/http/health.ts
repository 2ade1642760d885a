/** Where whoever runs the process asks how it is: whether it lives, and whether it wants requests. */
import { pathOf } from './url.ts';

export const livePath = '/livez';
export const readyPath = '/readyz';

/** Whoever runs the process asks all the time; an id that looks the same is no health check. */
export function isHealthCheck(url: string): boolean {
  // Most requests are told apart by their end, without reading the whole address.
  if (!/\/(?:livez|readyz)(?:\?|$)/.test(url)) return false;
  const path = pathOf(url);
  return path === livePath || path === readyPath;
}
