/** A client whose credentials were verified, and what it may do. */
import type { PlanAuth, PlanDemand } from '../../plan/plan.ts';
import type { Identity } from '../../http/admission.ts';

export interface Verified extends Identity {
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
}

/** Whether a client has the scopes and roles that a plan demands. */
export function mayAsk({ scopes, roles }: Verified, auth: PlanAuth): boolean {
  return has(scopes, auth.scopes) && has(roles, auth.roles);
}

function has(names: ReadonlySet<string>, demand: PlanDemand | undefined): boolean {
  if (demand === undefined) return true;
  return demand.mode === 'any'
    ? demand.names.some((name) => names.has(name))
    : demand.names.every((name) => names.has(name));
}
