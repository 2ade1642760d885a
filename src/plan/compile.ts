/**
 * Composition → plan. Everything that can be known before a request is found out or rejected here.
 */
import type { Authenticator } from '../dsl/authenticators.ts';
import type { Composition } from '../dsl/composition.ts';
import { parseRoute } from '../dsl/route.ts';
import { CompositionError, toError } from '../errors.ts';
import { frozen } from '../frozen.ts';
import { claimsOf, fileClaim, findCollisions } from './collisions.ts';
import type { Claim, Compiled } from './collisions.ts';
import { checkAnswer, linkAnswer } from './answer.ts';
import { authOf, identitySchema, whyNotServed } from './auth.ts';
import { checkConfig } from './check.ts';
import { checkSources } from './check-sources.ts';
import { runCompose } from './run-compose.ts';
import { checkResponse } from './fit.ts';
import { checkOutput } from './json-output.ts';
import { link } from './link.ts';
import type { Plan } from './plan.ts';
import { rateLimitOf } from './rate-limit.ts';
import { queryRuleOf } from './unknown-query.ts';
import { responseCacheOf } from './response-cache.ts';
import { refuseChange } from './second-run.ts';
import { refuseMistakes } from './source/refuse-mistakes.ts';
import type { Origin } from './source/refuse-mistakes.ts';
import { operationsOf } from './visit.ts';
import { checkBytes } from './whole-bytes.ts';
import { checkBounds } from './within.ts';

/** A composition and its name: the path of its file in the folder, without the ending. */
export interface NamedComposition {
  readonly name: string;
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
  const { deadlineMs = 10_000 } = config;
  if (!isRead) refuseChange(name, composed, config);
  checkSources(name, composed, config, route);
  checkBounds(name, composed, deadlineMs);
  checkResponse(name, composed, config.response);
  checkOutput(name, composed, config.response);
  checkBytes(name, composed);
  checkAnswer(name, composed, config);
  const { params, query, body, headers, cookies, response, credentials = [] } = config;
  const auth = authOf(config);
  const identity = identitySchema(auth);
  const linked = link(composed, {
    credentials,
    schemas: { params, query, body, headers, cookies, identity },
  });
  return frozen({
    name,
    route,
    summary: config.summary,
    auth,
    isPublic: config.auth === 'none',
    deadlineMs,
    degraded: config.degraded ?? 'allow',
    rateLimit: rateLimitOf(name, config.rateLimit, linked.root),
    schemas: { params, query, body, headers, cookies, identity, response },
    credentials,
    unknownQuery: queryRuleOf(config),
    answer: linkAnswer(composed),
    ...responseCacheOf(config, auth, operationsOf(linked)),
    ...linked,
  });
}

interface Failure {
  readonly name: string;
  readonly error: CompositionError;
}

export interface CompiledAll {
  readonly plans: Plan[];
  readonly errors: CompositionError[];
  /** The same errors, with the names of the compositions that are not served because of them. */
  readonly failures: readonly Failure[];
  /** The names that the plans have taken, for the next `compileAll` as `running`. */
  readonly claims: readonly Claim[];
}

/**
 * Compiles all compositions of a gateway. An error in one does not hide errors in others: `errors`
 * has all of them, and `plans` has every composition without one. In a collision, what is `running`
 * stays. With the `authenticators` of `defineGateway`, a composition that they do not protect is an
 * error; without, `createGateway` checks that.
 */
export function compileAll(
  compositions: readonly NamedComposition[],
  running: ReadonlySet<Claim> = new Set(),
  authenticators?: readonly Authenticator[],
): CompiledAll {
  const compiled: Compiled[] = [];
  const { unique, failures } = withoutNamesakes(compositions, running);
  for (const named of unique) {
    try {
      const plan = compile(named);
      const problem = authenticators && whyNotServed(plan, authenticators);
      if (problem !== undefined) throw new CompositionError(named.name, problem);
      compiled.push({ plan, place: placeOf(named) });
    } catch (error) {
      failures.push({ name: named.name, error: placed(error, named.name) });
    }
  }
  const collisions = findCollisions(compiled, running);
  failures.push(...collisions.map((error) => ({ name: error.place, error })));
  const collided = new Set(collisions.map(({ place }) => place));
  const served = compiled.filter(({ plan }) => !collided.has(plan.name));
  return {
    plans: served.map(({ plan }) => plan),
    errors: failures.map(({ error }) => error),
    failures,
    claims: [...new Set(served.flatMap(claimsOf))],
  };
}

function placeOf({ name, origin }: NamedComposition): string {
  return origin?.path ?? name;
}

/** A failure for each name that several files have, like `orders.ts` and `orders.mts`. */
function withoutNamesakes(
  compositions: readonly NamedComposition[],
  running: ReadonlySet<Claim>,
): { readonly unique: readonly NamedComposition[]; readonly failures: Failure[] } {
  const failures: Failure[] = [];
  const unique = [...Map.groupBy(compositions, ({ name }) => name)].flatMap(([name, files]) => {
    if (files.length < 2) return files;
    const old = files.filter((file) => running.has(fileClaim(placeOf(file))));
    const stays = old.length === 1 ? old : [];
    const places = files.map(placeOf).join(' and ');
    const result = stays.map((one) => `; ${placeOf(one)} is served, which is the older one`).join();
    const problem = `${places} have the same name${result}. Rename one of them.`;
    failures.push({ name, error: new CompositionError(name, problem) });
    return stays;
  });
  return { unique, failures };
}

/** An error that names the file, whatever was thrown. */
function placed(error: unknown, name: string): CompositionError {
  if (error instanceof CompositionError) return error;
  const message = toError(error).message;
  return new CompositionError(name, `this composition cannot be compiled: ${message}`, {
    cause: error,
  });
}
