/** Spans of steps, but for those inside `each`. */
import { SpanKind } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import { operationName } from '../../dsl/operation.ts';
import type { StepRun, WatchStep } from '../../engine/execution.ts';
import { toTrace } from '../carried.ts';
import { openScope, scopeOf } from '../scope.ts';
import type { Scope } from '../scope.ts';
import { now } from '../time.ts';
import { describeFailure } from './span-end.ts';

export function traceSteps(tracer: Tracer): WatchStep {
  return function traceStep(run) {
    const outer = scopeOf(run.trace);
    if (outer === undefined) return () => undefined;
    const scope = openScope(tracer, `step ${run.step.name}`, {
      kind: SpanKind.INTERNAL,
      parent: outer.context,
    });
    run.trace = toTrace(scope);
    return function endStep(failure) {
      if (failure !== undefined) describeFailure(scope, failure);
      describeStep(scope, run);
      scope.span.end(now());
    };
  };
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
