/** Operations whose answers set cookies: no two clients may get the same answer. */
import { CompositionError } from '../errors.ts';
import type { EffectivePolicies } from './policies.ts';

/** The options by which several clients would get one answer, or one client one of two. */
interface Sharing {
  readonly cache?: unknown;
  readonly coalesce?: boolean;
  readonly hedge?: unknown;
}

/** @throws CompositionError if one of them is set. */
export function refuseSharing({ cache, coalesce, hedge }: Sharing, place: string): void {
  const [option, done] =
    (cache !== undefined && ['cache', 'cached']) ||
    (coalesce === true && ['coalesce', 'shared']) ||
    (hedge !== undefined && hedge !== false && ['hedge', 'asked for twice at once']) ||
    [];
  if (option === undefined) return;
  throw new CompositionError(
    place,
    `an answer that sets cookies is for one client, so it is never ${done}. Remove ${option}.`,
  );
}

/** The options of the service that do not apply to them. */
export function unshared({ policies }: { readonly policies: EffectivePolicies }) {
  return { coalesce: false, policies: { ...policies, hedge: false as const } };
}
