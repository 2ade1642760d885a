/** Draws how services are as a table for the terminal: each service, and its addresses below it. */
import { oneLine } from '../telemetry/log-format.ts';
import type { ServiceStatus } from '../upstream/service.ts';

/** The parts of `ServiceStatus` that are drawn, as a gateway of any version may have them. */
export type ShownService = Pick<ServiceStatus, 'service' | 'bulkhead'> & {
  readonly attempts: Omit<ServiceStatus['attempts'], 'windowMs' | 'cancelled'>;
  readonly breaker: string;
  readonly breakerSince?: string;
  readonly lastError?: ShownError;
  readonly endpoints: readonly ShownAddress[];
};

interface ShownAddress {
  readonly address: string;
  readonly state: string;
  readonly since: string;
  readonly inFlight: number;
  readonly lastError?: ShownError;
}

interface ShownError {
  readonly kind: string;
  readonly status?: number;
  readonly code?: string;
  readonly operation: string;
  readonly at: string;
  readonly traceId?: string;
}

const heads = ['', 'service', 'state', 'attempts', 'failed', 'not sent', 'p50', 'p95', 'in flight'];

/** The columns of numbers, by index. */
const numbers = new Set([3, 4, 5, 6, 7, 8]);

export interface ShownState {
  readonly upstreams: readonly ShownService[];
  readonly issuers?: readonly ShownIssuer[];
  readonly notServed?: readonly ShownNotServed[];
}

interface ShownIssuer {
  readonly issuers: readonly string[];
  readonly address: string;
  readonly state: string;
  readonly fetchedAt?: string;
  readonly lastError?: Omit<ShownError, 'operation'>;
}

interface ShownNotServed {
  readonly composition: string;
  readonly route?: string;
  readonly reason: string;
}

/** `now`: milliseconds since 1970. */
export function drawUpstreams(
  { upstreams, issuers = [], notServed = [] }: ShownState,
  now: number,
): string {
  const ofIssuers = issuers.map((issuer) => lineOfIssuer(issuer, now));
  const left = notServed.map(
    ({ composition, route = '', reason }) =>
      `✗  not served: ${oneLine([composition, route].join('  ').trimEnd())}\n` +
      `     ${oneLine(reason.replaceAll('\n', ' '))}`,
  );
  return [tableOf(upstreams, now), ...ofIssuers, ...left].join('\n');
}

/** `✓  keys of https://id.example.com  https://id.example.com/jwks  known, fetched 12 s ago` */
function lineOfIssuer(issuer: ShownIssuer, now: number): string {
  const { issuers, address, state, fetchedAt, lastError } = issuer;
  const isLate = lastError !== undefined && !(fetchedAt !== undefined && fetchedAt > lastError.at);
  const mark = state === 'unavailable' ? '✗' : isLate ? '!' : fetchedAt === undefined ? '·' : '✓';
  const how = [
    state,
    ...(fetchedAt === undefined ? [] : [`fetched${ageOf(fetchedAt, now)} ago`]),
    ...(lastError === undefined ? [] : [textOf(lastError, now)]),
  ];
  return oneLine(`${mark}  keys of ${issuers.join(', ')}  ${address}  ${how.join(', ')}`);
}

/** Lines of a table, and below some of them why. */
interface Row {
  readonly cells: readonly string[];
  readonly error?: string;
}

function tableOf(upstreams: readonly ShownService[], now: number): string {
  if (upstreams.length === 0) return 'The gateway calls no service.';
  const rows: Row[] = [
    { cells: heads },
    ...upstreams.flatMap((service) => [
      rowOf(service, now),
      ...service.endpoints.map((address) => rowOfAddress(address, service, now)),
    ]),
  ].map((row) => ({ ...row, cells: row.cells.map(oneLine) }));
  const widths = heads.map((_, column) =>
    Math.max(...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  return rows.map((row) => linesOf(row, widths)).join('\n');
}

/** An error has a line of its own, so that the table fits into a terminal. */
function linesOf({ cells, error }: Row, widths: readonly number[]): string {
  const padded = cells.map((cell, column) => {
    const width = widths[column] ?? 0;
    return numbers.has(column) ? cell.padStart(width) : cell.padEnd(width);
  });
  const line = padded.join('  ').trimEnd();
  return error === undefined ? line : `${line}\n     last error: ${oneLine(error)}`;
}

function rowOf(service: ShownService, now: number): Row {
  const { attempts, bulkhead, breaker, breakerSince, lastError } = service;
  const { total, failed, failedShare, notSent } = attempts;
  const share = failed === 0 ? '0' : `${failed} (${Math.round(failedShare * 100)} %)`;
  const cells = [
    markOf(service),
    service.service,
    `breaker ${breaker}${breaker === 'closed' ? '' : ageOf(breakerSince, now)}`,
    String(total),
    share,
    String(notSent),
    milliseconds(attempts.p50Ms),
    milliseconds(attempts.p95Ms),
    bulkhead.waiting === 0 ? `${bulkhead.inFlight}` : `${bulkhead.inFlight} +${bulkhead.waiting}`,
  ];
  return { cells, ...(lastError && { error: textOf(lastError, now) }) };
}

/** An error that the service's own line has is not repeated. */
function rowOfAddress(one: ShownAddress, { lastError }: ShownService, now: number): Row {
  const isSame = one.lastError?.at === lastError?.at;
  const state = `  ${one.state}${one.state === 'used' ? '' : ageOf(one.since, now)}`;
  const cells = ['', `  ${one.address}`, state, '', '', '', '', '', `${one.inFlight}`];
  return { cells, ...(one.lastError && !isSame && { error: textOf(one.lastError, now) }) };
}

/** `✗`: most attempts fail, or a part of it is not used; `!`: some do, or were not sent. */
function markOf({ attempts, breaker, bulkhead, endpoints }: ShownService): string {
  const { total, failed, failedShare, notSent } = attempts;
  const isUsed = breaker === 'closed' || breaker === 'off';
  if (!isUsed || failedShare >= 0.5 || endpoints.some(({ state }) => state !== 'used')) return '✗';
  if (failed + notSent + bulkhead.waiting > 0) return '!';
  return total === 0 ? '·' : '✓';
}

/** An error of the keys of an issuer has no operation. */
type AnyError = Omit<ShownError, 'operation'> & Partial<Pick<ShownError, 'operation'>>;

function textOf({ kind, status, code, operation, at, traceId }: AnyError, now: number): string {
  const what = status === undefined ? kind : kind === 'status' ? `${status}` : `${kind} ${status}`;
  const trace = traceId === undefined ? '' : `, trace ${traceId}`;
  return `${[what, code, operation].filter(Boolean).join(' ')}${ageOf(at, now)} ago${trace}`;
}

/** With a space before it; empty if the moment is not known. */
function ageOf(moment: string | undefined, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(moment ?? '')) / 1_000));
  if (Number.isNaN(seconds)) return '';
  if (seconds < 120) return ` ${seconds} s`;
  return seconds < 7_200 ? ` ${Math.round(seconds / 60)} min` : ` ${Math.round(seconds / 3_600)} h`;
}

function milliseconds(ms: number | null): string {
  return ms === null ? '' : `${ms} ms`;
}
