/** An explained plan as a tree for the terminal: a step stands below one that it needs. */
import { defaultRequestId } from '../dsl/own-headers.ts';
import { shownAuth } from '../dsl/credentials.ts';
import { shownQueryStyle } from '../dsl/query-style.ts';
import { shownTls } from '../dsl/tls.ts';
import type { ExplainedCall, ExplainedPlan, ExplainedStep } from './explain.ts';

export function drawTree(plan: ExplainedPlan): string {
  const { route, composition, summary, deadlineMs, degraded, rateLimit, cache } = plan;
  const { parallelWrites = [], answer } = plan;
  const head = [
    `${route}  (${composition})`,
    ...(summary === undefined ? [] : [summary]),
    `deadline ${milliseconds(deadlineMs)} · ${roundTripsOf(plan)}${degraded === 'fail' ? ' · never degraded' : ''}`,
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
    ...details(step).map((line) => `${rail} ${line}`),
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
    each: `each item${step.together === false ? ' by itself' : ''}, at most ${step.maxItems}${concurrencyOf(step)}`,
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

function details({ call }: ExplainedStep): string[] {
  if (call === undefined) return [];
  const { cache } = call;
  return [
    [call.route, ...kindsOf(call), ...sharingOf(call)].join(' · '),
    ...headersOf(call),
    ...meaningsOf(call),
    ...(cache ? [operationCacheOf(cache)] : []),
    [attemptsOf(call), ...sentBesides(call)].join(' · '),
  ];
}

/** The client's headers and the credentials of the gateway that go with a call. */
function sentBesides({ forward, auth, requestId }: ExplainedCall): string[] {
  return [
    ...(forward.length > 0 ? [`forwards ${forward.join(', ')}`] : []),
    ...(auth ? [`auth ${shownAuth(auth)}`] : []),
    ...(requestId === defaultRequestId ? [] : [requestIdOf(requestId)]),
  ];
}

function requestIdOf(header: string | undefined): string {
  return header === undefined ? 'no request id' : `request id in ${header}`;
}

/** `takes if-match · sends accept · gives etag, status` */
function headersOf({ takes = [], sends = {}, gives = [] }: ExplainedCall): string[] {
  const parts = [
    ['takes', takes],
    ['sends', Object.keys(sends)],
    ['gives', gives],
  ] as const;
  const words = parts.flatMap(([verb, names]) =>
    names.length === 0 ? [] : [`${verb} ${names.join(', ')}`],
  );
  return words.length === 0 ? [] : [words.join(' · ')];
}

/** `404 is null · failure inside a 2xx: error.code · passes on errors of a 400 or 422` */
function meaningsOf({ missing, failure, errors, problem }: ExplainedCall): string[] {
  const words = [
    ...(missing === undefined ? [] : ['404 is null']),
    ...(failure === undefined ? [] : [`failure inside a 2xx: ${failure}`]),
    ...(problem === undefined ? [] : [`passes on ${problem} of a 400 or 422`]),
    ...(errors === undefined ? [] : [`errors of keys: ${errors}`]),
  ];
  return words.length === 0 ? [] : [words.join(' · ')];
}

/** `body form · response csv` */
function kindsOf({ body, response }: ExplainedCall): string[] {
  return [
    ...(body === undefined ? [] : [`body ${body}`]),
    ...(response === undefined ? [] : [`response ${response}`]),
  ];
}

function sharingOf({ batch, single, coalesce, redirects, queryStyle }: ExplainedCall): string[] {
  return [
    ...(single ? [singleOf(single)] : []),
    ...(batch ? [batchOf(batch)] : []),
    ...(batch && batch.windowMs > 0 ? [`waits ${milliseconds(batch.windowMs)} for more`] : []),
    ...(coalesce ? [] : ['not shared with other requests']),
    ...(redirects === undefined ? [] : ['follows redirects']),
    ...(queryStyle === undefined ? [] : shownQueryStyle(queryStyle)),
  ];
}

/** `single, 8 at a time, at most 100 calls` */
function singleOf({ concurrency, mostCalls }: NonNullable<ExplainedCall['single']>): string {
  const most = `${mostCalls.toLocaleString('en')} call${mostCalls === 1 ? '' : 's'}`;
  return `single, ${concurrency} at a time, at most ${most}`;
}

function batchOf(batch: NonNullable<ExplainedCall['batch']>): string {
  const { by, match, compare, max, keys, maxRequestLineBytes, maxRequestBodyBytes } = batch;
  const bytes =
    maxRequestLineBytes === undefined
      ? `${kibibytes(maxRequestBodyBytes ?? 0)} of body`
      : `${kibibytes(maxRequestLineBytes)} of request line`;
  const matched = match === undefined ? '' : `, by ${match}`;
  const compared = compare === undefined ? '' : `, ${comparisons[compare]}`;
  return `batched by ${by}${matched}${compared}, ${max} keys and ${bytes} a request (${keys})`;
}

const comparisons = { caseless: 'caseless', number: 'as numbers' } as const;

function operationCacheOf(cache: NonNullable<ExplainedCall['cache']>): string {
  const times = [
    ['stale while revalidating', cache.staleWhileRevalidateMs],
    ['stale if error', cache.staleIfErrorMs],
    ['nothing found', cache.negativeTtlMs],
  ] as const;
  return [
    `cache ${milliseconds(cache.ttlMs)}`,
    ...times.filter(([, ms]) => ms > 0).map(([words, ms]) => `${words} ${milliseconds(ms)}`),
    ...(cache.ignoreMaxAge ? ['whatever max-age says'] : []),
    ...(cache.tags.length > 0 ? [`tags ${cache.tags.join(', ')}`] : []),
  ].join(' · ');
}

/** The limits of one attempt, and how it is repeated. */
function attemptsOf({ timeoutMs, maxBodyBytes, retry, hedge, breaker }: ExplainedCall): string {
  const slowMs = breaker === false ? Infinity : (breaker.slowMs ?? Infinity);
  return [
    `attempt ${milliseconds(timeoutMs)}`,
    ...(slowMs < timeoutMs ? [`slow from ${milliseconds(slowMs)}`] : []),
    `body ${kibibytes(maxBodyBytes)}`,
    retry === false || retry.times === 0 ? 'no retry' : retryOf(retry),
    ...(hedge === false ? [] : [hedgeOf(hedge)]),
  ].join(' · ');
}

function retryOf({ times, minDelayMs, maxDelayMs, budget }: Exclude<Retry, false>): string {
  const pause = `${minDelayMs} to ${milliseconds(maxDelayMs)}`;
  return `retry ${times}× after ${pause}, for at most ${budget.percent} % of calls`;
}

function hedgeOf({ afterP, maxExtra }: Exclude<ExplainedCall['hedge'], false>): string {
  return `hedged after p${round(afterP * 100)}, for at most ${round(maxExtra * 100)} % of calls`;
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}

type Retry = ExplainedCall['retry'];

/** One line for each service: its breaker, bulkhead and health checks. */
function protectionOf(calls: readonly ExplainedCall[]): string[] {
  const lines = calls.map(({ operation, breaker, bulkhead, health, tls }) => {
    const { concurrency, queue, waitMs } = bulkhead;
    return [
      `${operation.split('.', 1)}: ${breaker === false ? 'no breaker' : breakerOf(breaker)}`,
      `bulkhead ${concurrency} + ${queue} for ${milliseconds(waitMs)}`,
      ...(health ? [`health ${health.path} every ${milliseconds(health.intervalMs)}`] : []),
      ...(tls ? [`tls: ${shownTls(tls)}`] : []),
    ].join(' · ');
  });
  return [...new Set(lines)];
}

function callsOf({ call, steps = [] }: ExplainedStep): ExplainedCall[] {
  return [...(call ? [call] : []), ...steps.flatMap(callsOf)];
}

function breakerOf(breaker: Exclude<ExplainedCall['breaker'], false>): string {
  const { failedPercent, slowPercent, windowMs, openMs, maxOpenMs } = breaker;
  const shares = `${failedPercent} % failed or ${slowPercent} % slow`;
  const period = `${openMs.toLocaleString('en')} to ${milliseconds(maxOpenMs)}`;
  return `breaker opens at ${shares} in ${milliseconds(windowMs)}, for ${period}`;
}

/** Whole ones, unless that would say 0. */
function kibibytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return `${Math.round(bytes / 1024).toLocaleString('en')} KiB`;
}

function seconds(s: number): string {
  return `${s.toLocaleString('en')} s`;
}

function milliseconds(ms: number): string {
  return `${ms.toLocaleString('en')} ms`;
}
