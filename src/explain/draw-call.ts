/** The lines of the tree about a call, and about the protection of services. */
import { shownAuth } from '../dsl/credentials.ts';
import { defaultRequestId } from '../dsl/own-headers.ts';
import { shownQueryStyle } from '../dsl/query-style.ts';
import { shownTls } from '../dsl/tls.ts';
import { kibibytes, milliseconds } from './amounts.ts';
import type { ExplainedCall } from './explain-call.ts';

/** The lines below the name of a call. */
export function linesOfCall(call: ExplainedCall): string[] {
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
export function protectionOf(calls: readonly ExplainedCall[]): string[] {
  const lines = calls.map(({ operation, breaker, bulkhead, health, tls }) => {
    return [
      `${operation.split('.', 1)}: ${breaker === false ? 'no breaker' : breakerOf(breaker)}`,
      `bulkhead ${bulkheadOf(bulkhead)}`,
      ...(health ? [`health ${health.path} every ${milliseconds(health.intervalMs)}`] : []),
      ...(tls ? [`tls: ${shownTls(tls)}`] : []),
    ].join(' · ');
  });
  return [...new Set(lines)];
}

function bulkheadOf({ concurrency, queue, waitMs }: ExplainedCall['bulkhead']): string {
  const calls = `${concurrency} call${concurrency === 1 ? '' : 's'}`;
  return queue === 0
    ? `${calls}, no queue`
    : `${calls}, queue of ${queue} for up to ${milliseconds(waitMs)}`;
}

function breakerOf(breaker: Exclude<ExplainedCall['breaker'], false>): string {
  const { failedPercent, slowPercent, windowMs, openMs, maxOpenMs } = breaker;
  const shares = `${failedPercent} % failed or ${slowPercent} % slow`;
  const period = `${openMs.toLocaleString('en')} to ${milliseconds(maxOpenMs)}`;
  return `breaker opens at ${shares} in ${milliseconds(windowMs)}, for ${period}`;
}
