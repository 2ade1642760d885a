/**
 * Collisions: compositions that want one route, services or operations of one name.
 *
 * If one of them has been served before, as in `plait dev`, it stays and the newcomers are rejected.
 * Otherwise all are: choosing one by order could change the response of an endpoint that nobody
 * touched.
 */
import { createHash } from 'node:crypto';
import { definedAt } from '../defined-at.ts';
import { operationName } from '../dsl/operation.ts';
import type { Operation } from '../dsl/operation.ts';
import { routedPath } from '../dsl/route.ts';
import { CompositionError } from '../errors.ts';
import { reservedPaths } from '../reserved-paths.ts';
import type { Plan } from './plan.ts';
import { operationsOf, servicesOf } from './visit.ts';

/** A name or route that a plan takes for itself, in a form that is the same after a restart. */
export type Claim = string;

export interface Compiled {
  readonly plan: Plan;
  /** Where it was written: its file, or its name. */
  readonly place: string;
}

/** A route or a name, and the plans or definitions that want it. */
interface Contest<T> {
  readonly rivals: ReadonlySet<T>;
  /** The one that was there before the others, if that is known. */
  readonly settled: T | undefined;
}

type Contests<T> = ReadonlyMap<string, Contest<T>>;

/** An error for each plan that cannot be served beside the others. */
export function findCollisions(
  compiled: readonly Compiled[],
  running: ReadonlySet<Claim>,
): CompositionError[] {
  const plans = compiled.map(({ plan }) => plan);
  const operations = plans.flatMap(operationsOf);
  const routes = contestsOf(compiled, ({ plan }) => routeKey(plan), routeClaim, running);
  const services = contestsOf(servicesOf(plans), ({ name }) => name, serviceClaim, running);
  const names = contestsOf(operations, operationName, operationClaim, running);

  function problemOf(one: Compiled): string | undefined {
    const { route } = one.plan;
    if (reservedPaths.has(routedPath(route)))
      return `${route.path} is served by the gateway itself. Choose another path.`;
    const contest = lost(one, routes.get(routeKey(one.plan)));
    if (contest !== undefined) return sayRoute(one, contest);
    const mine = operationsOf(one.plan);
    for (const { service } of mine) {
      const twice = lost(service, services.get(service.name));
      if (twice !== undefined)
        return (
          `service "${service.name}" is defined twice${sayPlaces(twice.rivals)}. Define it once ` +
          `and import it.${sayNewcomer(twice)}`
        );
    }
    for (const operation of mine) {
      const same = lost(operation, names.get(operationName(operation)));
      if (same !== undefined) return sayOperations(operationName(operation), same);
    }
    return undefined;
  }

  return compiled.flatMap((one) => {
    const problem = problemOf(one);
    return problem === undefined ? [] : [new CompositionError(one.plan.name, problem)];
  });
}

function contestsOf<T extends object>(
  contenders: readonly T[],
  keyOf: (one: T) => string,
  claimOf: (one: T) => Claim,
  running: ReadonlySet<Claim>,
): Contests<T> {
  const groups = [...Map.groupBy(new Set(contenders), keyOf)];
  return new Map(
    groups
      .filter(([, group]) => group.length > 1)
      .map(([key, group]) => {
        const old = group.filter((one) => running.has(claimOf(one)));
        return [key, { rivals: new Set(group), settled: old.length === 1 ? old[0] : undefined }];
      }),
  );
}

/** The contest, unless there is none or `one` has won it. */
function lost<T>(one: T, contest: Contest<T> | undefined): Contest<T> | undefined {
  return contest?.settled === one ? undefined : contest;
}

function sayRoute(one: Compiled, contest: Contest<Compiled>): string {
  const others = [...contest.rivals].filter((rival) => rival !== one);
  const places = others.map(({ place }) => place).join(' and ');
  const own = one.place === one.plan.name ? '' : ` of ${one.place}`;
  return (
    `route ${one.plan.route.text}${own} is also served by ${places}. Change one of them.` +
    sayNewcomer(contest)
  );
}

function sayOperations(name: string, contest: Contest<Operation>): string {
  const each = [...contest.rivals].map((one) => {
    const at = definedAt(one);
    return one.route.text + (at === undefined ? '' : ` in ${at.file}:${at.line}`);
  });
  return (
    `two operations are called ${name} (${each.join(' and ')}). Give one a name of its own: ` +
    `operation(service, { name: … }).${sayNewcomer(contest)}`
  );
}

function sayPlaces(rivals: ReadonlySet<object>): string {
  const places = [...rivals].flatMap((one) => {
    const at = definedAt(one);
    return at === undefined ? [] : [`${at.file}:${at.line}`];
  });
  return places.length === 0 ? '' : `, in ${[...new Set(places)].join(' and ')}`;
}

function sayNewcomer({ settled }: Contest<unknown>): string {
  return settled === undefined
    ? ' Which of them is new is not known, so none is served.'
    : ' This one is new, so the other stays.';
}

/** The claims of a plan that is served, by which newcomers are known later. */
export function claimsOf(compiled: Compiled): Claim[] {
  const operations = operationsOf(compiled.plan);
  return [
    fileClaim(compiled.place),
    routeClaim(compiled),
    ...servicesOf([compiled.plan]).map(serviceClaim),
    ...operations.map(operationClaim),
  ];
}

export function fileClaim(place: string): Claim {
  return toClaim('file', place);
}

function routeClaim({ plan, place }: Compiled): Claim {
  return toClaim('route', routeKey(plan), place);
}

function serviceClaim(service: { readonly name: string }): Claim {
  return toClaim('service', service.name, definedAt(service)?.file);
}

function operationClaim(operation: Operation): Claim {
  const { route } = operation;
  return toClaim('operation', operationName(operation), route.text, definedAt(operation)?.file);
}

/** A hash: `plait dev` passes all of them on in one environment variable. */
function toClaim(...parts: readonly (string | undefined)[]): Claim {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12);
}

/** Two routes that match the same paths have the same key, whatever their parameters are called. */
function routeKey({ route }: Plan): string {
  const segments = route.segments.map((segment) =>
    segment.kind === 'text' ? segment : { ...segment, name: '' },
  );
  return `${route.method} ${routedPath({ ...route, segments })}`;
}
