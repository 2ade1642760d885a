/** A plan meets a request: one deadline, one abort, one outcome. */
import type { Clock } from '../clock.ts';
import { ExecutionError } from '../errors.ts';
import { pointsInto, toPointer } from '../json.ts';
import { parseBy } from '../parse.ts';
import type { Plan } from '../plan/plan.ts';
import { declaredPath } from '../schema.ts';
import type { Caller } from '../upstream/call.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { runBlock } from './block.ts';
import { openDeadline } from './deadline.ts';
import type { EngineRequest, Execution, OnLoad, Outcome, WatchStep } from './execution.ts';
import { Frame, missingIn } from './frame.ts';
import { unlimited } from './freshness.ts';
import type { Degradation } from './step-error.ts';

export interface EngineOptions {
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  readonly watchStep?: WatchStep | undefined;
  readonly onLoad?: OnLoad | undefined;
  /** Asked once a request: whether its steps that can be missed are to be left out. Default: never. */
  readonly shedsSteps?: () => boolean;
}

/**
 * Runs a plan. Rejects with a StepError when a required step fails, and with an ExecutionError when
 * the request as a whole cannot be answered.
 */
export type Execute = (plan: Plan, request: EngineRequest) => Promise<Outcome>;

export function createEngine(options: EngineOptions): Execute {
  const { upstreams, clock, watchStep, onLoad, shedsSteps = () => false } = options;
  return async (plan, request) => {
    const deadline = openDeadline(clock, request.deadlineAt);
    request.onDisconnect(() =>
      deadline.abort(new ExecutionError('disconnected', 'the client is gone')),
    );
    const caller: Caller = {
      signal: deadline.signal,
      deadlineAt: deadline.at,
      header: (name) => request.header(name),
      sent: 0,
      hasWritten: false,
    };
    const calls = upstreams.open(caller);
    try {
      return await answer({
        plan,
        request,
        calls,
        watchStep,
        onLoad,
        // Where nothing is tolerated nothing can be missed.
        shedsSteps: plan.degraded === 'allow' && shedsSteps(),
        freshness: unlimited,
      });
    } finally {
      // Whatever is still under way serves nobody any more.
      deadline.close();
      request.sent.count = caller.sent;
    }
  };
}

async function answer(execution: Execution): Promise<Outcome> {
  const { plan } = execution;
  const { frame, value: assembled } = await runPlan(execution);
  const value = parsedResponse(plan, assembled);
  const missing = missingIn(frame);
  const degraded = plan.schemas.response === undefined ? missing : missing.map(thatIsSent(value));
  return { value, degraded, freshness: execution.freshness };
}

function runPlan(execution: Execution): Promise<{ frame: Frame; value: unknown }> {
  return new Promise((resolve, reject) => {
    runBlock(
      new Frame({
        block: execution.plan.root,
        execution,
        owner: {
          onValue: (frame, value) => resolve({ frame, value }),
          onFailure: (_, error) => reject(error),
        },
        parent: undefined,
        item: undefined,
        index: undefined,
        trace: execution.request.trace,
      }),
    );
  });
}

/** A response schema drops what it does not list: nothing points there. */
function thatIsSent(value: unknown) {
  return ({ step, error, pointers }: Degradation): Degradation => ({
    step,
    error,
    pointers: pointers.filter((pointer) => pointsInto(value, pointer)),
  });
}

function parsedResponse({ schemas }: Plan, value: unknown): unknown {
  if (schemas.response === undefined) return value;
  const result = parseBy(schemas.response, value);
  if (result.ok) return result.value;
  const [{ path, words }] = result.problems;
  const pointer = toPointer(declaredPath(schemas.response, path));
  throw new ExecutionError(
    'response-mismatch',
    `the response does not fit its schema at "${pointer}": ${words}`,
    { cause: result.cause },
  );
}
