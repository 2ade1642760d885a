/** Executes a plan for a request: one deadline, one signal, one outcome. */
import { isBytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { ExecutionError } from '../errors.ts';
import { pointsInto, toPointer } from '../json.ts';
import { mayTransform, parseBy } from '../parse.ts';
import type { Plan, PlanAnswer } from '../plan/plan.ts';
import { declaredPath } from '../schema.ts';
import type { Caller } from '../upstream/call.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { blamedOnClient } from './blame.ts';
import { runBlock } from './block.ts';
import { carried } from './carried.ts';
import { openDeadline } from './deadline.ts';
import type {
  Answered,
  AnsweredBeside,
  EngineRequest,
  OnCallEnd,
  Outcome,
  WatchSteps,
} from './execution.ts';
import { assemble } from './fill.ts';
import { Frame } from './frame.ts';
import type { Execution } from './frame.ts';
import { missingIn } from './missing.ts';
import { unrestricted } from './response-freshness.ts';
import { perform } from './perform.ts';
import type { Degradation } from './step-error.ts';

export interface EngineOptions {
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  readonly watchSteps?: WatchSteps | undefined;
  readonly onCallEnd?: OnCallEnd | undefined;
  /** Whether to leave out the tolerated steps of a request; asked once for each. Default: never. */
  readonly shedsSteps?: () => boolean;
  /** Called when a step is left out. */
  readonly onStepShed?: (() => void) | undefined;
}

/** Runs a plan. Never rejects: errors are outcomes. */
export type Execute = (plan: Plan, request: EngineRequest) => Promise<Outcome>;

export function createEngine(options: EngineOptions): Execute {
  const { upstreams, clock, watchSteps, onCallEnd, onStepShed, shedsSteps = () => false } = options;
  return async function execute(plan, request) {
    const deadline = openDeadline(clock, request.deadlineAt);
    request.onDisconnect(() =>
      deadline.abort(new ExecutionError('disconnected', 'the client is gone')),
    );
    const caller: Caller = {
      signal: deadline.signal,
      deadlineAt: deadline.at,
      header: (name) => request.header(name),
      requestId: request.requestId,
      sent: 0,
      hasWritten: false,
    };
    const execution: Execution = {
      plan,
      request,
      calls: upstreams.open(caller),
      clock,
      perform,
      watchStep: watchSteps?.(request),
      onCallEnd,
      // Without tolerated steps there is nothing to leave out.
      shedsSteps: plan.degraded === 'allow' && shedsSteps(),
      onStepShed,
      signal: deadline.signal,
      writes: undefined,
      freshness: unrestricted,
    };
    try {
      // At once, so that what is called off ends with the failure, before anything else is done.
      const answer = await answerOf(execution, deadline.close);
      const { freshness } = execution;
      return { kind: 'answered', ...answer, freshness, ...consequencesOf(execution, caller) };
    } catch (thrown) {
      const error = blamedOnClient(thrown) ?? thrown;
      // Nothing else starts. Writes that were sent run on, and their results go to the client.
      deadline.close();
      await execution.writes?.settledBefore(clock, deadline.at);
      return { kind: 'failed', error, ...consequencesOf(execution, caller) };
    } finally {
      // Ends calls whose values are not needed any more.
      deadline.close();
    }
  };
}

function consequencesOf({ writes }: Execution, { sent }: Caller) {
  return { completed: writes?.completed ?? none, uncertain: writes?.uncertain ?? none, sent };
}

const none: readonly never[] = [];

/** @throws StepError or ExecutionError. */
async function answerOf(
  execution: Execution,
  onFailure: () => void,
): Promise<Pick<Answered, 'value' | 'beside' | 'degraded'>> {
  const { plan } = execution;
  const { frame, value: assembled } = await runPlan(execution, onFailure);
  const value = parsedResponse(plan, assembled);
  const missing = missingIn(frame, 0);
  const degraded =
    plan.schemas.response === undefined ? missing : missing.map(withinResponse(value));
  const beside = plan.answer && besideOf(frame, plan.answer);
  return { value, beside, degraded };
}

/** Fills the templates beside the value. */
function besideOf(frame: Frame, { status, headers }: PlanAnswer): AnsweredBeside {
  return {
    status: assemble(frame, status, 0),
    headers: headers.map(({ value }) => assemble(frame, value, 0)),
  };
}

/** The root block runs once, so its columns have one entry. */
const onlyItem = Object.freeze([undefined]);

function runPlan(
  execution: Execution,
  onFailure: () => void,
): Promise<{ frame: Frame; value: unknown }> {
  return new Promise((resolve, reject) => {
    runBlock(
      new Frame({
        block: execution.plan.root,
        execution,
        owner: {
          onColumn: (frame, [value]) => resolve({ frame, value }),
          onFailure(_, { error }) {
            onFailure();
            reject(error);
          },
        },
        parent: undefined,
        at: 0,
        items: onlyItem,
        base: 0,
        trace: execution.request.trace,
        bounds: undefined,
        limit: undefined,
      }),
    );
  });
}

/** Drops pointers to fields that the response schema has removed. */
function withinResponse(value: unknown) {
  return (missing: Degradation): Degradation => ({
    ...missing,
    pointers: missing.pointers.filter((pointer) => pointsInto(value, pointer)),
  });
}

function parsedResponse({ schemas }: Plan, value: unknown): unknown {
  if (schemas.response === undefined) return value;
  const result = parseBy(schemas.response, value);
  if (result.ok) {
    if (result.value === undefined || isBytes(result.value)) return result.value;
    if (!mayTransform(schemas.response)) return result.value;
    const maker = 'the response schema made';
    return carried(result.value, { kind: 'response-mismatch', maker });
  }
  const [{ path, words }] = result.problems;
  const pointer = toPointer(declaredPath(schemas.response, path));
  throw new ExecutionError(
    'response-mismatch',
    `the response does not fit its schema at "${pointer}": ${words}`,
    { cause: result.cause },
  );
}
