/** A client whose credentials were verified, and what it may do. */
import type { PlanAuth, PlanDemand } from '../../plan/plan.ts';
import type { Identity } from '../../http/admission.ts';

export interface Verified extends Identity {
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
}

/** Why credentials are not valid: fixed words for the operator, never a part of the credentials. */
export type Invalidity =
  | 'another scheme'
  | 'token: malformed'
  | 'token: algorithm'
  | 'token: issuer'
  | 'token: type'
  | 'token: unknown key'
  | 'token: signature'
  | 'token: expired'
  | 'token: not valid yet'
  | 'token: no exp'
  | 'token: audience'
  | 'token: claims'
  | 'API key: malformed'
  | 'API key: unknown'
  | 'API key: expired';

/** Takes the reason why credentials are not valid; returns what their verification does. */
export type Invalid = (why: Invalidity) => undefined;

export const untold: Invalid = () => undefined;

/** The demand of a plan that a client does not meet; `undefined`: it has all it needs. */
export function lackOf({ scopes, roles }: Verified, auth: PlanAuth): string | undefined {
  if (!has(scopes, auth.scopes)) return 'scopes missing';
  return has(roles, auth.roles) ? undefined : 'roles missing';
}

function has(names: ReadonlySet<string>, demand: PlanDemand | undefined): boolean {
  if (demand === undefined) return true;
  return demand.mode === 'any'
    ? demand.names.some((name) => names.has(name))
    : demand.names.every((name) => names.has(name));
}
