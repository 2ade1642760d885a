/** Spans of steps, but for those inside `each`. */
import { SpanKind } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import { operationName } from '../../dsl/operation.ts';
import { blamedOnClient } from '../../engine/blame.ts';
import type { StepRun, WatchStep } from '../../engine/execution.ts';
import { StepError } from '../../engine/step-error.ts';
import { ExecutionError, UpstreamError } from '../../errors.ts';
import { toProblem } from '../../http/error-response.ts';
import { toTrace } from '../carried.ts';
import { isCancelled, isOrdinaryAnswer, reasonOf } from '../error-type.ts';
import { openScope, scopeOf } from '../scope.ts';
import type { Scope } from '../scope.ts';
import type { EndTimes } from './end-times.ts';
import type { Servers } from './served-by.ts';
import { SpanEnd } from './span-end.ts';

export interface StepSpanOptions {
  readonly tracer: Tracer;
  readonly servers: Servers;
  readonly times: EndTimes;
}

export function traceSteps({ tracer, servers, times }: StepSpanOptions): WatchStep {
  return function traceStep(run) {
    const outer = scopeOf(run.trace);
    if (outer === undefined) return () => undefined;
    const scope = openScope(tracer, `step ${run.step.name}`, {
      kind: SpanKind.INTERNAL,
      parent: outer.context,
    });
    run.trace = toTrace(scope);
    const ending = new SpanEnd(scope, run, times);
    return function endStep(failure) {
      describeStep(scope, run);
      servers.describe(scope, isBlaming(run, failure));
      if (failure === undefined) ending.endStep();
      else ending.endStep(failure, isErrorOf(run.step, failure));
    };
  };
}

/** Whether a call of it may have failed: in an `each`, also of one that has not. */
function isBlaming({ step }: StepRun, failure: unknown): boolean {
  return failure === undefined ? step.kind !== 'call' : !isCancelled(failure);
}

/**
 * Whether a failure is the gateway's or a service's, as a response of 5xx says. A tolerated part
 * that a service does not have, or does not give, is an ordinary answer.
 */
function isErrorOf(step: StepRun['step'], failure: unknown): boolean {
  if (step.tolerated !== undefined && isOrdinaryAnswer(reasonOf(failure))) return false;
  const isOwn = failure instanceof UpstreamError || failure instanceof ExecutionError;
  const failed = isOwn ? new StepError(step, failure) : failure;
  return toProblem(blamedOnClient(failed) ?? failed).status >= 500;
}

function describeStep({ span }: Scope, { step, skipped, items, reply }: StepRun): void {
  span.setAttribute('plait.step.name', step.name);
  if (step.kind === 'call') {
    span.setAttribute('plait.step.operation', operationName(step.operation));
  }
  if (step.tolerated !== undefined) span.setAttribute(`plait.step.${step.tolerated}`, true);
  if (skipped) span.setAttribute('plait.step.skipped', true);
  if (items !== undefined) span.setAttribute('plait.step.items', items);
  if (reply?.deduplicated === true) span.setAttribute('plait.step.deduplicated', true);
  if (reply?.cache !== undefined) span.setAttribute('plait.step.cache', reply.cache);
}
