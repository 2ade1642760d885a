/** A plan as data for people: what needs what, how many round trips it takes, what it reads. */
import { bodyKindOf } from '../dsl/body-kind.ts';
import { shownAuthenticator } from '../dsl/authenticators.ts';
import { traitsOf } from '../dsl/node-traits.ts';
import type { StepKind } from '../dsl/node-traits.ts';
import type {
  CallStep,
  Plan,
  PlanAnswer,
  PlanBlock,
  PlanCache,
  PlanRateLimit,
  QueryRule,
  Step,
} from '../plan/plan.ts';
import { explainCall, named } from './explain-call.ts';
import type { ExplainedCall } from './explain-call.ts';
import { parallelWrites } from './parallel-writes.ts';

/** The clients that may ask. */
export interface ExplainedAuth {
  /** How clients prove who they are; one of them suffices. */
  readonly by: readonly string[];
  readonly scopes?: ExplainedDemand;
  readonly roles?: ExplainedDemand;
}

/** Names of which a client needs any, or all. */
interface ExplainedDemand {
  readonly any?: readonly string[];
  readonly all?: readonly string[];
}

/** The output of `plait explain --json`. */
export interface ExplainedPlan {
  readonly composition: string;
  readonly route: string;
  readonly summary?: string;
  /** The clients that may ask; absent: everybody, since the composition does not say it. */
  readonly auth?: ExplainedAuth | 'none';
  /** The kind of the request's body; absent: JSON, or none. */
  readonly body?: string;
  readonly deadlineMs: number;
  readonly degraded: 'allow' | 'fail';
  /**
   * The least number of round trips: the length of the longest chain of calls that need each other.
   */
  readonly roundTrips: number;
  /** The most, if every list has as many pages as it may; absent: the same. */
  readonly mostRoundTrips?: number;
  /** The names of writes that may run beside other writes; absent: there are none. */
  readonly parallelWrites?: readonly string[];
  /** How often it may be asked for, and what a request costs; absent: any number of times. */
  readonly rateLimit?: PlanRateLimit;
  /** The most that caches may keep of the response; absent: nothing. Times in seconds. */
  readonly cache?: PlanCache & { readonly vary: readonly string[] };
  /** The status and headers that the composition gives; absent: 200, and those of the gateway. */
  readonly answer?: { readonly status: number | 'by data'; readonly headers: readonly string[] };
  /** The client's cookies that it reads, and those of them that are credentials; absent: none. */
  readonly cookies?: { readonly names: readonly string[]; readonly credentials: readonly string[] };
  /** The fate of query parameters without a schema; absent: the gateway decides. */
  readonly unknownQuery?: NonNullable<QueryRule>;
  readonly steps: readonly ExplainedStep[];
}

export interface ExplainedStep {
  readonly name: string;
  readonly kind: StepKind;
  /** The names of the steps whose values it needs; empty: it starts with the request. */
  readonly needs: readonly string[];
  readonly failure: 'required' | 'optional' | 'fallback';
  /** How long it may take before it counts as failed; absent: as long as the request. */
  readonly withinMs?: number;
  readonly call?: ExplainedCall;
  /** The most items `each` runs for. */
  readonly maxItems?: number;
  /** How many calls inside `each` may be under way at a time, lookups aside; absent: any number. */
  readonly concurrency?: number;
  /** Whether `each` runs every step for all items at once; `false`: each item has its own pace. */
  readonly together?: boolean;
  /** The steps inside `given`, `each` and the function of `fallback`. */
  readonly steps?: readonly ExplainedStep[];
}

export function explain(plan: Plan): ExplainedPlan {
  const writes = parallelWrites(plan);
  return {
    composition: plan.name,
    route: plan.route.text,
    ...(plan.summary !== undefined && { summary: plan.summary }),
    ...explainAuth(plan),
    ...named('body', bodyKindOf(plan.schemas.body)),
    deadlineMs: plan.deadlineMs,
    degraded: plan.degraded,
    ...explainRoundTrips(plan),
    ...(writes.length > 0 && { parallelWrites: writes }),
    ...(plan.rateLimit && { rateLimit: plan.rateLimit }),
    ...(plan.cache && { cache: { ...plan.cache, vary: plan.vary } }),
    ...(plan.answer && { answer: explainAnswer(plan.answer) }),
    ...explainInputs(plan),
    steps: explainBlock(plan, plan.root, 1),
  };
}

function explainAuth({ auth, isPublic }: Plan): Pick<ExplainedPlan, 'auth'> {
  if (auth === undefined) return isPublic ? { auth: 'none' } : {};
  const { authenticators, scopes, roles } = auth;
  return {
    auth: {
      by: authenticators.map(shownAuthenticator),
      ...(scopes && { scopes: { [scopes.mode]: scopes.names } }),
      ...(roles && { roles: { [roles.mode]: roles.names } }),
    },
  };
}

function explainInputs(plan: Plan): Pick<ExplainedPlan, 'cookies' | 'unknownQuery'> {
  const { schemas, credentials, unknownQuery } = plan;
  const names = Object.keys(schemas.cookies?.shape ?? {});
  return {
    ...(names.length > 0 && { cookies: { names, credentials } }),
    ...(unknownQuery !== undefined && { unknownQuery }),
  };
}

function explainAnswer({ status, headers }: PlanAnswer): NonNullable<ExplainedPlan['answer']> {
  return {
    status: status.kind === 'literal' ? Number(status.value) : 'by data',
    headers: headers.map(({ name }) => name),
  };
}

/** `items`: the most times that the block runs for one request. */
function explainBlock(plan: Plan, block: PlanBlock, items: number): ExplainedStep[] {
  return block.steps.flatMap((step) => {
    if (!isShown(step)) return [];
    return {
      name: step.name,
      kind: step.kind,
      needs: shownNeeds(plan, step).map(({ name }) => name),
      failure: step.tolerated ?? 'required',
      ...(step.limitMs !== undefined && { withinMs: step.limitMs }),
      ...detailsOf(plan, step, items),
    };
  });
}

/** The details that only steps of its kind have. */
function detailsOf(
  plan: Plan,
  step: ShownStep,
  items: number,
): Pick<ExplainedStep, 'call' | 'maxItems' | 'concurrency' | 'together' | 'steps'> {
  switch (step.kind) {
    case 'call':
      return { call: explainCall(step, { deadlineMs: plan.deadlineMs, items }) };
    case 'map':
      return {};
    case 'instead':
    case 'given':
      return { steps: explainBlock(plan, step.block, items) };
    case 'each':
      return {
        maxItems: step.max,
        ...(step.concurrency !== undefined && { concurrency: step.concurrency }),
        together: step.block.together,
        steps: explainBlock(plan, step.block, items * step.max),
      };
    default:
      return step satisfies never;
  }
}

/** The shown steps that a step needs, seen through `pick`, `optional` and the like. */
function shownNeeds(plan: Plan, step: Step): Step[] {
  const found = step.needs.flatMap((id) => {
    const need = plan.steps[id];
    return need === undefined ? [] : isShown(need) ? [need] : shownNeeds(plan, need);
  });
  return [...new Set(found)];
}

type ShownStep = Extract<Step, { kind: StepKind }>;

function isShown(step: Step): step is ShownStep {
  return traitsOf(step).isStep;
}

function explainRoundTrips(plan: Plan): Pick<ExplainedPlan, 'roundTrips' | 'mostRoundTrips'> {
  const roundTrips = countRoundTrips(plan, () => 1);
  const most = countRoundTrips(plan, ({ pages }) => pages?.maxPages ?? 1);
  return { roundTrips, ...(most > roundTrips && { mostRoundTrips: most }) };
}

/** The length of the longest chain of calls that need each other. */
function countRoundTrips({ root }: Plan, tripsOf: (step: CallStep) => number): number {
  // By step: the number of consecutive calls until it, and all steps inside it, have their values.
  const reached = new Map<number, number>();

  /** `before`: the number of calls before the `given` or `each` around the block. */
  function countIn(block: PlanBlock, before: number): number {
    for (const step of block.steps) {
      const waited = Math.max(before, ...step.needs.map((need) => reached.get(need) ?? 0));
      const own = waited + (step.kind === 'call' ? tripsOf(step) : 0);
      // A second source is asked after a failure only.
      const isRun = 'block' in step && step.kind !== 'instead';
      reached.set(step.id, isRun ? countIn(step.block, own) : own);
    }
    return Math.max(before, ...block.steps.map(({ id }) => reached.get(id) ?? 0));
  }

  return countIn(root, 0);
}
