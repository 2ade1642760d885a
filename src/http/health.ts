/** Where whoever runs the process asks how it is: whether it lives, and whether it wants requests. */
import type { ClientRequest } from './request.ts';

export const livePath = '/livez';
export const readyPath = '/readyz';

/** Whoever runs the process asks all the time. */
export function isHealthCheck({ path }: ClientRequest): boolean {
  return path === livePath || path === readyPath;
}
