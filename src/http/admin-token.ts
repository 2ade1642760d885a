/** Lets operators in by a token, from any machine. */
import { hash, timingSafeEqual } from 'node:crypto';
import { bearerTokenIn } from '../bearer.ts';
import { denialProblem, problemResponse } from './error-response.ts';
import { isHealthCheck } from './health.ts';
import type { Layer } from './request-record.ts';

const denial = { denied: 'unauthenticated', challenges: 'Bearer realm="plait-admin"' } as const;

/**
 * Refuses requests without the token, whatever their Host: a page that a browser shows does not
 * know it. Health checks are answered, as on the public side.
 */
export function requireToken(token: () => string | Promise<string>): Layer {
  return async function requireAdminToken(c, next) {
    if (isHealthCheck(c)) return next();
    const given = bearerTokenIn(c.req.header('authorization'));
    if (given !== undefined && isSame(given, await token())) return next();
    return problemResponse(denialProblem(denial), c);
  };
}

/** In constant time for texts of any length: only their hashes are compared. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));
}
