/** An operation: one endpoint of a service, with typed arguments and results. */
import type { z } from 'zod';
import type { Numbers } from '../parse.ts';
import type { BodyKind } from './body-kind.ts';
import type { OperationCache } from './cache.ts';
import type { FailureRule } from './failure-rule.ts';
import type { HeaderArguments } from './header-arguments.ts';
import type { Auth } from './credentials.ts';
import type { Lookup } from './lookup.ts';
import type { EffectivePolicies } from './policies.ts';
import type { WrittenStyle } from './query-style.ts';
import type { Redirects } from './redirects.ts';
import type { ProblemRule } from './problem-rule.ts';
import type { ResponseParts } from './response-parts.ts';
import type { Route } from './route.ts';
import type { Service } from './service.ts';

declare const types: unique symbol;

/** One endpoint of a service. `Args` and `Result` exist in types only. */
export interface Operation<in Args = never, out Result = unknown> {
  readonly [types]?: (args: Args) => Result;
  readonly name: string;
  readonly service: Service;
  readonly route: Route;
  /** Path parameters whose values may contain slashes, which are sent as `%2F`. */
  readonly slash: readonly string[];
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  /** How a request body is written, and how the body of a response is read. */
  readonly bodyKind: BodyKind;
  readonly responseKind: BodyKind;
  /** The schema of the value: of the response body, of its `parts`, or of one item of a lookup. */
  readonly response: z.ZodType;
  /** The parts of an answer that are the value, if that is not the body. */
  readonly parts: ResponseParts | undefined;
  /** The headers that are arguments, and constant ones. */
  readonly headers: HeaderArguments | undefined;
  readonly forward: readonly string[];
  readonly policies: EffectivePolicies;
  /** How numbers in its responses are read that JavaScript would change. */
  readonly numbers: Numbers;
  /** Whether sending it twice has the effect of sending it once (RFC 9110, 9.2.2). */
  readonly idempotent: boolean;
  /** Whether it only reads, whatever its method (RFC 9110, 9.2.1). */
  readonly safe: boolean;
  /** `derived`: each write is sent a key of its own, made from the client's `Idempotency-Key`. */
  readonly idempotencyKey: 'derived' | undefined;
  /** Single-flight: whether identical calls of several requests share one request. */
  readonly coalesce: boolean;
  readonly cache: Required<OperationCache> | undefined;
  /** Present on lookups: how keys are sent and items matched. */
  readonly lookup: Lookup | undefined;
  /** The service's credentials, unless the operation goes without. */
  readonly auth: Auth | undefined;
  /** The meaning of a 404 or 410: `null`, or a failure. A lookup has its own `missing`. */
  readonly missing: 'null' | 'error';
  /** The answers that are failures although their status is a 2xx. */
  readonly failure: FailureRule | undefined;
  /** The parts of a 400 or 422 that the client gets. */
  readonly problem: ProblemRule | undefined;
  /** Whether redirects of its service are followed. */
  readonly redirects: Redirects;
  /** How its query is written; `undefined`: as forms are. */
  readonly queryStyle: WrittenStyle | undefined;
}

/** The unique name of an operation in traces, metrics and messages: `orders.getOrder`. */
export function operationName({
  service,
  name,
}: {
  readonly service: Pick<Service, 'name'>;
  readonly name: string;
}): string {
  return `${service.name}.${name}`;
}
