/** An explained plan as a tree for the terminal: a step stands below one that it needs. */
import { milliseconds, seconds } from './amounts.ts';
import { shownAuth } from './draw-auth.ts';
import { linesOfCall, protectionOf } from './draw-call.ts';
import type { ExplainedCall } from './explain-call.ts';
import type { ExplainedPlan, ExplainedStep } from './explain.ts';

export function drawTree(plan: ExplainedPlan): string {
  const { route, composition, summary, deadlineMs, degraded, rateLimit, cache } = plan;
  const { parallelWrites = [], answer } = plan;
  const head = [
    `${route}  (${composition})`,
    ...(summary === undefined ? [] : [summary]),
    `deadline ${milliseconds(deadlineMs)} · ${roundTripsOf(plan)}` +
      (degraded === 'fail' ? ' · never degraded' : ''),
    ...(plan.auth === undefined ? [] : [shownAuth(plan.auth)]),
    ...inputsOf(plan),
    ...(plan.body === undefined ? [] : [`body ${plan.body}`]),
    ...(answer ? [answerOf(answer)] : []),
    ...(rateLimit ? [rateLimitOf(rateLimit)] : []),
    ...(cache ? [responseCacheOf(cache)] : []),
    ...(parallelWrites.length > 0 ? [writesOf(parallelWrites)] : []),
  ];
  return [
    ...head,
    ...drawBranches(branchesOf(plan.steps, undefined)),
    ...protectionOf(plan.steps.flatMap(callsOf)),
  ].join('\n');
}

/** `2 writes in parallel: order, invoice` */
export function writesOf(names: readonly string[]): string {
  const count = `${names.length} write${names.length === 1 ? '' : 's'} in parallel`;
  return `${count}: ${names.join(', ')}`;
}

/** `reads cookies theme, sid (credential) · ignores unknown query` */
function inputsOf({ cookies, unknownQuery }: ExplainedPlan): string[] {
  const words = [
    ...(cookies ? [cookiesOf(cookies)] : []),
    ...(unknownQuery === undefined ? [] : [unknownWords[unknownQuery]]),
  ];
  return words.length === 0 ? [] : [words.join(' · ')];
}

const unknownWords = {
  refuse: 'refuses unknown query',
  ignore: 'ignores unknown query',
  take: 'takes any query',
} as const;

function cookiesOf({ names, credentials }: NonNullable<ExplainedPlan['cookies']>): string {
  const drawn = names.map((name) => (credentials.includes(name) ? `${name} (credential)` : name));
  return `reads cookie${names.length === 1 ? '' : 's'} ${drawn.join(', ')}`;
}

/** `2 round trips`, or `1 to 10 round trips` */
function roundTripsOf({ roundTrips, mostRoundTrips }: ExplainedPlan): string {
  if (mostRoundTrips !== undefined) return `${roundTrips} to ${mostRoundTrips} round trips`;
  return `${roundTrips} round trip${roundTrips === 1 ? '' : 's'}`;
}

/** `answers 201, location` */
function answerOf({ status, headers }: NonNullable<ExplainedPlan['answer']>): string {
  const said = status === 'by data' ? 'a status by data' : String(status);
  return `answers ${[said, ...headers].join(', ')}`;
}

/** `limit 100 in 60 s by principal, 3 a request` */
function rateLimitOf({ limit, windowS, by, cost }: NonNullable<ExplainedPlan['rateLimit']>) {
  const price = cost === 1 ? '' : `, ${cost.toLocaleString('en')} a request`;
  return `limit ${limit.toLocaleString('en')} in ${seconds(windowS)} by ${by}${price}`;
}

function responseCacheOf(cache: NonNullable<ExplainedPlan['cache']>): string {
  const { visibility, maxAge, sMaxAge, staleWhileRevalidate, vary } = cache;
  return [
    `cache ${visibility}, ${seconds(maxAge)}`,
    ...(sMaxAge === undefined ? [] : [`shared caches ${seconds(sMaxAge)}`]),
    ...(staleWhileRevalidate > 0
      ? [`stale while revalidating ${seconds(staleWhileRevalidate)}`]
      : []),
    ...(vary.length > 0 ? [`varies by ${vary.join(', ')}`] : []),
  ].join(' · ');
}

interface Branch {
  readonly step: ExplainedStep;
  /** A prefix for steps that run for each item, or only if a value is present. */
  readonly when: string;
  /** All steps of its block. */
  readonly siblings: readonly ExplainedStep[];
}

/** The steps of a block that are drawn under `parent`. */
function branchesOf(
  siblings: readonly ExplainedStep[],
  parent: ExplainedStep | undefined,
  when = '',
): Branch[] {
  return siblings
    .filter((step) => parentOf(siblings, step) === parent)
    .map((step) => ({ step, siblings, when }));
}

function drawBranches(branches: readonly Branch[]): string[] {
  return branches.flatMap((branch, index) => {
    const isLast = index === branches.length - 1;
    const [first = '', ...rest] = drawBranch(branch);
    return [
      `${isLast ? '└─' : '├─'} ${first}`,
      ...rest.map((line) => `${isLast ? '  ' : '│ '} ${line}`),
    ];
  });
}

function drawBranch({ step, siblings, when }: Branch): string[] {
  const below = [
    ...branchesOf(step.steps ?? [], undefined, whenOf(step)),
    ...branchesOf(siblings, step, when),
  ];
  const rail = below.length > 0 ? '│ ' : '  ';
  return [
    when + title(siblings, step),
    ...(step.call ? linesOfCall(step.call) : []).map((line) => `${rail} ${line}`),
    ...drawBranches(below),
  ];
}

/** When the steps inside run. */
function whenOf({ kind }: ExplainedStep): string {
  if (kind === 'instead') return 'on failure: ';
  return kind === 'each' ? 'per item: ' : 'if present: ';
}

/** The step it is drawn under: the last one it needs. */
function parentOf(
  siblings: readonly ExplainedStep[],
  step: ExplainedStep,
): ExplainedStep | undefined {
  return siblings.findLast((other) => other !== step && step.needs.includes(other.name));
}

function title(siblings: readonly ExplainedStep[], step: ExplainedStep): string {
  const what = {
    call: step.call && callOf(step.call),
    map: 'map',
    instead: 'second source',
    given: 'given, when present',
    each:
      `each item${step.together === false ? ' by itself' : ''}, at most ${step.maxItems}` +
      concurrencyOf(step),
  }[step.kind];
  const failure = step.failure === 'required' ? '' : ` · ${step.failure}${withinOf(step)}`;
  const drawnUnder = parentOf(siblings, step)?.name;
  const others = step.needs.filter((name) => name !== drawnUnder);
  const waits = others.length === 0 ? '' : ` · waits for ${others.join(', ')} too`;
  return `${step.name}: ${what}${failure}${waits}`;
}

/** `call orders.getOrder`, or `pages orders.listOrders, at most 10` */
function callOf({ operation, pages }: ExplainedCall): string {
  return pages === undefined ? `call ${operation}` : `pages ${operation}, at most ${pages.max}`;
}

/** `, 8 at a time` */
function concurrencyOf({ concurrency }: ExplainedStep): string {
  return concurrency === undefined ? '' : `, ${concurrency} at a time`;
}

/** ` within 300 ms` */
function withinOf({ withinMs }: ExplainedStep): string {
  return withinMs === undefined ? '' : ` within ${milliseconds(withinMs)}`;
}

function callsOf({ call, steps = [] }: ExplainedStep): ExplainedCall[] {
  return [...(call ? [call] : []), ...steps.flatMap(callsOf)];
}
