/** What the operator may ask of a running gateway. Served on an address of its own, never on the public one. */
import { z } from 'zod';
import { tagPattern } from '../dsl/cache.ts';
import type { Endpoint } from './app.ts';
import { readJsonBody } from './body.ts';
import { parseBody } from './inputs.ts';
import { UnavailableError } from '../errors.ts';
import type { ServiceStatus } from '../upstream/service-pipeline.ts';

export interface AdminOptions {
  /** Drops what is kept with any of these tags; rejects when a part of it cannot be reached. */
  readonly invalidate: (tags: readonly string[]) => Promise<number>;
  /** How every service is doing. */
  readonly status: () => readonly ServiceStatus[];
}

const noStore = { 'cache-control': 'no-store' };

const Invalidation = z.strictObject({
  tags: z
    .array(
      z.string().regex(tagPattern, 'must be up to 64 letters, digits and . : _ -, as in "orders"'),
    )
    .min(1)
    .max(1_000),
});

export function adminEndpoints({ invalidate, status }: AdminOptions): Endpoint[] {
  return [
    {
      method: 'GET',
      path: '/upstreams',
      handle: () => Response.json({ upstreams: status() }, { headers: noStore }),
    },
    {
      method: 'POST',
      path: '/cache/invalidate',
      async handle({ req }) {
        const { tags } = parseBody(Invalidation, await readJsonBody(req.raw));
        const invalidated = await invalidate([...new Set(tags)]).catch(toUnavailable);
        return Response.json({ invalidated }, { headers: noStore });
      },
    },
  ];
}

function toUnavailable(cause: unknown): never {
  throw new UnavailableError(
    'Not everything that is kept could be reached and dropped. Try again.',
    {
      cause,
    },
  );
}
