/** Checks who may ask a composition, and that `gateway.ts` agrees. */
import { z } from 'zod';
import { headerOfAuthenticator, isAuthenticator } from '../dsl/authenticators.ts';
import type { Authenticator } from '../dsl/authenticators.ts';
import type { AnyConfig, Demand } from '../dsl/composition.ts';
import { refuseUnknownKnobs } from '../dsl/knobs.ts';
import { CompositionError } from '../errors.ts';
import { shownValue } from '../shown-value.ts';
import type { Plan, PlanAuth, PlanDemand } from './plan.ts';

type Config = Pick<AnyConfig, 'auth' | 'scopes' | 'roles' | 'headers'>;

/**
 * @throws CompositionError for an `auth` that no word has made, and for demands that nobody meets.
 */
export function checkAuth(name: string, { auth, scopes, roles, headers }: Config): void {
  const authenticators = authenticatorsOf(auth);
  const isNone = auth === undefined || auth === 'none';
  if (!isNone && (authenticators.length === 0 || !authenticators.every(isAuthenticator)))
    throw new CompositionError(
      name,
      `auth is ${shownAuth(auth)}. Use what verifyJwt() or verifyApiKeys() returns, a list of ` +
        'these, or "none".',
    );
  for (const [knob, demand] of Object.entries({ scopes, roles })) {
    if (demand === undefined) continue;
    checkDemand(name, knob, demand);
    if (isNone)
      throw new CompositionError(
        name,
        `${knob} has no effect without auth. Add auth, or remove ${knob}.`,
      );
  }
  const read = authenticators
    .map(headerOfAuthenticator)
    .find((one) => one in (headers?.shape ?? {}));
  if (read !== undefined)
    throw new CompositionError(
      name,
      `header "${read}" carries the credentials of auth and cannot be an argument. Use identity.`,
    );
}

function shownAuth(auth: unknown): string {
  if (typeof auth === 'string') return JSON.stringify(auth);
  if (Array.isArray(auth)) return auth.length === 0 ? 'an empty list' : 'a list of something else';
  return shownValue(auth);
}

function checkDemand(name: string, knob: string, demand: Demand): void {
  // A list does not say whether one of its names suffices: it is no demand, like others below.
  const isList = Array.isArray(demand);
  if (!isList) refuseUnknownKnobs(demand, ['any', 'all'], name, knob);
  const lists: readonly unknown[] = isList ? [] : Object.values(demand);
  const [names] = lists;
  const areNames = Array.isArray(names) && names.length > 0 && names.every(isScopeToken);
  if (lists.length === 1 && areNames) return;
  throw new CompositionError(
    name,
    `${knob} is not a demand. Write { any: ["…"] } or { all: ["…"] }, with names without spaces, ` +
      'quotes and backslashes.',
  );
}

/** RFC 6749, 3.3. */
function isScopeToken(name: unknown): boolean {
  return typeof name === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name);
}

/** The clients that may ask; `undefined`: everybody. */
export function authOf({ auth, scopes, roles }: Config): PlanAuth | undefined {
  const authenticators = authenticatorsOf(auth);
  if (authenticators.length === 0) return undefined;
  return { authenticators, scopes: demandOf(scopes), roles: demandOf(roles) };
}

function authenticatorsOf(auth: AnyConfig['auth']): readonly Authenticator[] {
  if (auth === undefined || auth === 'none') return [];
  return Array.isArray(auth) ? auth : [auth as Authenticator]; // no list
}

function demandOf(demand: Demand | undefined): PlanDemand | undefined {
  if (demand === undefined) return undefined;
  return 'any' in demand ? { mode: 'any', names: demand.any } : { mode: 'all', names: demand.all };
}

/** The schema of what `identity` is. */
export function identitySchema(auth: PlanAuth | undefined): z.ZodType | undefined {
  if (auth === undefined) return undefined;
  const [first, ...others] = auth.authenticators.map(({ claims }) => claims);
  if (first === undefined) return undefined;
  return z.object({ claims: others.length === 0 ? first : z.union([first, ...others]) });
}

/**
 * Why a gateway with these authenticators does not serve the plan: deny by default. `undefined` if
 * it does.
 */
export function whyNotServed(
  { auth, isPublic }: Pick<Plan, 'auth' | 'isPublic'>,
  listed: readonly Authenticator[],
): string | undefined {
  if (auth?.authenticators.some((one) => !listed.includes(one)))
    return (
      'auth names an authenticator that defineGateway() in gateway.ts does not list. Add it to ' +
      'authenticators there: the same value, so define it once and import it.'
    );
  if (auth !== undefined || isPublic || listed.length === 0) return undefined;
  return (
    'auth is missing, but gateway.ts has authenticators. Write auth: with one of them, or ' +
    'auth: "none" if everybody may ask.'
  );
}
