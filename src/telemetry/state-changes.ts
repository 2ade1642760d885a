/**
 * Logs changes of state: breakers, addresses, load shedding. It looks once a second, so that no
 * request pays for it.
 */
import type { Clock } from '../clock.ts';
import type { ServiceStatus } from '../upstream/service.ts';
import type { LastError } from '../upstream/state/last-error.ts';
import type { Log, LogFields } from './log.ts';
import { watchShedding } from './shed-changes.ts';
import { changeReporter } from './change-reporter.ts';
import type { Change, ReportChange } from './change-reporter.ts';
import type { Observer, Watched } from './telemetry.ts';

const periodMs = 1_000;

/** A line when a breaker opens or closes, an address goes or returns, shedding begins or ends. */
export function reportChanges(clock: Clock, log: Pick<Log, 'info' | 'warn'>): Observer {
  const cancels: (() => void)[] = [];

  function watch(gateway: Watched): void {
    const report = changeReporter(clock, log);
    const lookAtShedding = watchShedding(gateway, clock, report);
    const index = cancels.push(schedule()) - 1;

    function look(): void {
      for (const service of gateway.status()) reportService(service, report);
      lookAtShedding();
      cancels[index] = schedule();
    }

    function schedule(): () => void {
      return clock.after(periodMs, look);
    }
  }

  return {
    watch,
    shutdown: async () => cancels.forEach((cancel) => cancel()),
  };
}

function reportService(status: ServiceStatus, report: ReportChange): void {
  const { service, breaker, endpoints } = status;
  if (breaker !== 'off') {
    // Half-open is a part of an outage, in which it is tried whether that is over.
    const change = breaker === 'closed' ? breakerClosed(status) : breakerOpened(status);
    report(`breaker ${service}`, 'closed', change);
  }
  for (const endpoint of endpoints) {
    report(`address ${service} ${endpoint.address}`, 'used', addressIs(service, endpoint));
  }
}

function breakerOpened({ service, attempts, endpoints }: ServiceStatus): Change {
  const { total, failed, p95Ms } = attempts;
  // Where none has failed, they were slow, and an earlier error is not to blame.
  const last = failed === 0 ? undefined : latestOf(endpoints);
  const slow = p95Ms === null ? '' : ` (p95 ${p95Ms} ms)`;
  return {
    state: 'open',
    level: 'warn',
    fields: {
      service,
      breaker: 'open',
      attempts: total,
      failed,
      ...(p95Ms !== null && { p95_ms: p95Ms }),
      ...fieldsOf(last),
    },
    message: () =>
      `The breaker of ${service} has opened: ${failed} of ${total} attempts of the last minute ` +
      `failed${lastBy(last)}${slow}`,
  };
}

/** The last error of an attempt: that of the service may be of a call that was not sent. */
function latestOf(endpoints: ServiceStatus['endpoints']): ServiceStatus['lastError'] {
  const errors = endpoints.flatMap(({ lastError }) => lastError ?? []);
  return errors.toSorted((one, other) => one.at.localeCompare(other.at)).at(-1);
}

function breakerClosed({ service, attempts }: ServiceStatus): Change {
  return {
    state: 'closed',
    level: 'info',
    fields: { service, breaker: 'closed', not_sent: attempts.notSent },
    message: (afterS) => `The breaker of ${service} has closed after ${afterS} s`,
  };
}

function addressIs(
  service: string,
  { address, state, lastError }: ServiceStatus['endpoints'][number],
): Change {
  const fields = { service, address, state };
  switch (state) {
    case 'used':
      return {
        state,
        level: 'info',
        fields,
        message: (afterS) => `${address} of ${service} is used again after ${afterS} s`,
      };
    case 'unwell':
      return {
        state,
        level: 'warn',
        fields,
        message: () => `${address} of ${service} fails its health checks`,
      };
    default:
      return {
        state,
        level: 'warn',
        fields: { ...fields, ...fieldsOf(lastError) },
        message: () => `${address} of ${service} is ejected: its attempts fail${lastBy(lastError)}`,
      };
  }
}

function lastBy(error: ServiceStatus['lastError']): string {
  return error === undefined ? '' : `, the last by ${wordsOf(error)}`;
}

function wordsOf({ kind, status, code }: LastError): string {
  return [kind, status, code].filter((word) => word !== undefined).join(' ');
}

function fieldsOf(error: ServiceStatus['lastError']): LogFields {
  if (error === undefined) return {};
  const { operation, traceId } = error;
  return {
    error: wordsOf(error),
    operation,
    ...(traceId !== undefined && { trace_id: traceId }),
  };
}
