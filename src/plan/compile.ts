/**
 * Composition → plan. Everything that can be known before a request is found out or rejected here.
 */
import type { Composition } from '../dsl/composition.ts';
import { operationName } from '../dsl/operation.ts';
import type { Operation } from '../dsl/operation.ts';
import { parseRoute } from '../dsl/route.ts';
import { CompositionError, toError } from '../errors.ts';
import { frozen } from '../frozen.ts';
import { reservedPaths } from '../reserved-paths.ts';
import { checkConfig, checkSources } from './check.ts';
import { runCompose } from './run-compose.ts';
import { checkResponse } from './fit.ts';
import { checkOutput } from './json-output.ts';
import { link } from './link.ts';
import type { Plan } from './plan.ts';
import { responseCacheOf } from './response-cache.ts';
import { refuseChange } from './second-run.ts';
import { refuseMistakes } from './source/refuse-mistakes.ts';
import type { Origin } from './source/refuse-mistakes.ts';
import { operationsOf } from './visit.ts';

/** A composition and its name: the path of its file in the folder, without the ending. */
export interface NamedComposition {
  readonly name: string;
  /** The path with its ending, where it comes from a file. */
  readonly file?: string;
  readonly composition: Composition;
  /** Its file, where there is one: mistakes in its helpers are found there. */
  readonly origin?: Origin;
}

/**
 * Compiles one composition.
 *
 * @throws CompositionError naming the place, what was found and what to do.
 */
export function compile({ name, composition, origin }: NamedComposition): Plan {
  const { config } = composition;
  const route = parseRoute(config.route, name);
  checkConfig(name, config, route);
  const { isRead } = refuseMistakes(name, config.compose, origin);
  const composed = runCompose(name, config);
  if (!isRead) refuseChange(name, composed, config);
  checkSources(name, composed, config, route);
  checkResponse(name, composed, config.response);
  checkOutput(name, composed, config.response);
  const { params, query, body, headers, response } = config;
  const linked = link(composed);
  return frozen({
    name,
    route,
    summary: config.summary,
    deadlineMs: config.deadlineMs ?? 10_000,
    degraded: config.degraded ?? 'allow',
    schemas: { params, query, body, headers, response },
    ...responseCacheOf(config, operationsOf(linked)),
    ...linked,
  });
}

/**
 * Compiles all compositions of a gateway. An error in one does not hide errors in others: `errors`
 * has all of them, and `plans` has every composition without one.
 */
export function compileAll(compositions: readonly NamedComposition[]): {
  plans: Plan[];
  errors: CompositionError[];
} {
  const compiled: Plan[] = [];
  const errors: CompositionError[] = namesakes(compositions);
  const twice = new Set(errors.map(({ place }) => place));
  for (const named of compositions.filter(({ name }) => !twice.has(name))) {
    try {
      compiled.push(compile(named));
    } catch (error) {
      errors.push(placed(error, named.name));
    }
  }
  const collisions = findCollisions(compiled);
  const collided = new Set(collisions.map(({ place }) => place));
  const plans = compiled.filter(({ name }) => !collided.has(name));
  return { plans, errors: [...errors, ...collisions] };
}

/** An error for each name that several files have, like `orders.ts` and `orders.mts`. */
function namesakes(compositions: readonly NamedComposition[]): CompositionError[] {
  return [...Map.groupBy(compositions, ({ name }) => name)]
    .filter(([, files]) => files.length > 1)
    .map(([name, files]) => {
      const paths = files.map(({ file }) => file).join(' and ');
      return new CompositionError(name, `${paths} have the same name. Rename one of them.`);
    });
}

/** An error that names the file, whatever was thrown. */
function placed(error: unknown, name: string): CompositionError {
  if (error instanceof CompositionError) return error;
  const message = toError(error).message;
  return new CompositionError(name, `cannot be compiled: ${message}`, { cause: error });
}

/**
 * Compositions that claim the route of another or of the gateway, and names that are not unique.
 * All parties to a conflict are rejected: which of them is new cannot be known, and choosing one by
 * order could change the response of an endpoint that nobody touched.
 */
function findCollisions(plans: readonly Plan[]): CompositionError[] {
  const routes = Map.groupBy(plans, routeKey);
  const operations = plans.flatMap((plan) => operationsOf(plan));
  const byName = groupDistinct(operations, operationName);
  const services = groupDistinct(
    operations.map(({ service }) => service),
    ({ name }) => name,
  );

  return plans.flatMap((plan) => {
    const rival = routes.get(routeKey(plan))?.find((other) => other !== plan);
    const mine = operationsOf(plan);
    const sameName = mine.find(
      (operation) => (byName.get(operationName(operation))?.size ?? 0) > 1,
    );
    const twice = mine.find(({ service }) => (services.get(service.name)?.size ?? 0) > 1);
    const problem =
      (reservedPaths.has(plan.route.path) &&
        `${plan.route.path} is served by the gateway itself. Choose another path.`) ||
      (rival && `route ${plan.route.text} is also served by ${rival.name}. Change one of them.`) ||
      (twice &&
        `service "${twice.service.name}" is defined twice. Define it once and import it.`) ||
      (sameName && sayTwoOperations(byName.get(operationName(sameName)) ?? new Set([sameName])));
    return problem ? [new CompositionError(plan.name, problem)] : [];
  });
}

function sayTwoOperations(operations: ReadonlySet<Operation>): string {
  const [first] = operations;
  const routes = [...operations].map(({ route }) => route.text).join(' and ');
  return (
    `two operations are called ${first && operationName(first)} (${routes}). Give one a ` +
    'name of its own: operation(service, { name: … }).'
  );
}

function groupDistinct<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, Set<T>> {
  const groups = new Map<string, Set<T>>();
  for (const value of values)
    groups.set(keyOf(value), (groups.get(keyOf(value)) ?? new Set()).add(value));
  return groups;
}

/** Two routes that match the same paths have the same key, whatever their parameters are called. */
function routeKey({ route }: Plan): string {
  const path = route.segments.map((segment) => (segment.kind === 'text' ? segment.text : ':'));
  return `${route.method} /${path.join('/')}`;
}
