/** A plan meets a request: one deadline, one abort, one outcome. */
import type { Clock } from '../clock.ts';
import { ExecutionError } from '../errors.ts';
import { toPointer } from '../json.ts';
import type { Plan } from '../plan/plan.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { runBlock } from './block.ts';
import { openDeadline } from './deadline.ts';
import type { AroundStep, EngineRequest, Execution, Outcome } from './execution.ts';
import { createFrame } from './frame.ts';
import { StepError } from './step-error.ts';

export interface EngineOptions {
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  readonly aroundStep: AroundStep;
}

/**
 * Runs a plan. Rejects with a StepError when a required step fails, and with an ExecutionError when
 * the request as a whole cannot be answered.
 */
export type Execute = (plan: Plan, request: EngineRequest) => Promise<Outcome>;

export function createEngine({ upstreams, clock, aroundStep }: EngineOptions): Execute {
  return async (plan, request) => {
    const allowedMs = Math.min(plan.deadlineMs, request.timeoutMs ?? Infinity);
    const deadline = openDeadline(clock, request.startedAt + allowedMs);
    request.onDisconnect(() =>
      deadline.abort(new ExecutionError('disconnected', 'the client is gone')),
    );
    const call = upstreams.open({
      signal: deadline.signal,
      deadlineAt: deadline.at,
      header: (name) => request.header(name),
    });
    try {
      return await answer({ plan, request, call, aroundStep, completed: [] });
    } finally {
      // Whatever is still under way serves nobody any more.
      deadline.close();
    }
  };
}

async function answer(execution: Execution): Promise<Outcome> {
  const { plan, request } = execution;
  const frame = createFrame({
    block: plan.root,
    steps: plan.steps,
    parent: undefined,
    item: undefined,
    index: undefined,
    trace: request.trace,
  });
  try {
    const value = await runBlock(execution, frame);
    return { value: parsedResponse(plan, value), degraded: frame.degraded };
  } catch (error) {
    if (error instanceof StepError) error.completed = execution.completed;
    throw error;
  }
}

function parsedResponse({ schemas }: Plan, value: unknown): unknown {
  if (schemas.response === undefined) return value;
  const result = schemas.response.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ExecutionError(
    'response-mismatch',
    `the response does not fit its schema at "${toPointer(issue?.path ?? [])}": ${issue?.message ?? 'unknown'}`,
  );
}
