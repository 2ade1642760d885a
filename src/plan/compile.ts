/** Composition → plan: everything that can be known before a request is found out here, or refused. */
import type { Composition } from '../dsl/composition.ts';
import type { Operation } from '../dsl/operation.ts';
import { parseRoute } from '../dsl/route.ts';
import { CompositionError } from '../errors.ts';
import { checkConfig, checkSources } from './check.ts';
import { refuseConditions } from './conditions.ts';
import { draw } from './draw.ts';
import { checkResponse } from './fit.ts';
import { link } from './link.ts';
import type { Plan } from './plan.ts';

/** A composition and the name it goes by: its file's, without ending. */
export interface NamedComposition {
  readonly name: string;
  readonly composition: Composition;
}

/**
 * Compiles one composition.
 *
 * @throws CompositionError naming the place, what was found and what to do.
 */
export function compile({ name, composition }: NamedComposition): Plan {
  const { config } = composition;
  const route = parseRoute(config.route, name);
  checkConfig(name, config, route);
  refuseConditions(name, config.compose);
  const drawing = draw(name, config);
  checkSources(name, drawing, config, route);
  checkResponse(name, drawing, config.response);
  const { params, query, body, headers, response } = config;
  return freeze({
    name,
    route,
    summary: config.summary,
    deadlineMs: config.deadlineMs ?? 10_000,
    degraded: config.degraded ?? 'allow',
    cache: config.cache,
    schemas: { params, query, body, headers, response },
    ...link(drawing),
  });
}

/**
 * Compiles all compositions of a gateway. What is wrong with one does not hide what is wrong with
 * another: every error is in `errors`, every healthy composition in `plans`.
 */
export function compileAll(compositions: readonly NamedComposition[]): {
  plans: Plan[];
  errors: CompositionError[];
} {
  const plans: Plan[] = [];
  const errors: CompositionError[] = [];
  for (const named of compositions) {
    try {
      const plan = compile(named);
      refuseCollisions(plan, plans);
      plans.push(plan);
    } catch (error) {
      errors.push(placed(error, named.name));
    }
  }
  return { plans, errors };
}

/** Whatever it is, the reader learns in which file. */
function placed(error: unknown, name: string): CompositionError {
  if (error instanceof CompositionError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CompositionError(name, `cannot be compiled: ${message}`, { cause: error });
}

function refuseCollisions(plan: Plan, others: readonly Plan[]): void {
  const twin = others.find((other) => routeKey(other) === routeKey(plan));
  if (twin !== undefined) {
    throw new CompositionError(
      plan.name,
      `route ${plan.route.text} is already served by ${twin.name}. Change one of them.`,
    );
  }
  const operations = [...others, plan].flatMap(operationsOf);
  for (const mine of operationsOf(plan)) {
    const theirs = operations.find((other) => other !== mine && sameName(other, mine));
    if (theirs !== undefined) {
      throw new CompositionError(
        plan.name,
        `two operations are called ${mine.service.name}.${mine.name} (${theirs.route.text} and ${mine.route.text}). Give one a name of its own: operation(service, { name: … }).`,
      );
    }
    const twice = operations.some(
      ({ service }) => service !== mine.service && service.name === mine.service.name,
    );
    if (twice) {
      throw new CompositionError(
        plan.name,
        `service "${mine.service.name}" is defined twice. Define it once and import it.`,
      );
    }
  }
}

/** All operations a plan may call. */
export function operationsOf(plan: Plan): Operation[] {
  return [
    ...new Set(plan.steps.flatMap(({ node }) => (node.kind === 'call' ? [node.operation] : []))),
  ];
}

function sameName(one: Operation, other: Operation): boolean {
  return one.name === other.name && one.service === other.service;
}

/** Routes are the same when they match the same paths, whatever their parameters are called. */
function routeKey({ route }: Plan): string {
  const path = route.segments.map((segment) => (segment.kind === 'text' ? segment.text : ':'));
  return `${route.method} /${path.join('/')}`;
}

/** Freezes plain data all the way down; schemas and functions are not ours to freeze. */
function freeze<T>(value: T, seen = new Set<unknown>()): T {
  // Whether it is frozen already says nothing about its parts: operations come frozen at the top.
  if (typeof value !== 'object' || value === null || seen.has(value)) return value;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  seen.add(Object.freeze(value));
  for (const part of Object.values(value)) freeze(part, seen);
  return value;
}
