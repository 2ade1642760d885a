/** Connections of clients that fail: counted by reason, and logged as far as there are few. */
import type { Meter } from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import { failureReasons } from '../http/connection-failures.ts';
import type { FailureReason, OnConnectionFailure } from '../http/connection-failures.ts';
import { addressGroup } from '../network.ts';
import { onceAMinute } from '../quiet.ts';
import { countBy } from './counts.ts';
import type { Log } from './log.ts';
import type { Observer } from './telemetry.ts';

export function countFailures(meter: Meter): OnConnectionFailure {
  const failures = countBy(
    meter.createObservableCounter('plait.connection.failures', {
      unit: '{connection}',
      description: 'Connections of clients that failed, by reason',
    }),
    'plait.reason',
  );
  // A rate needs a first value to rise from.
  for (const reason of failureReasons) failures.add(0, reason);
  return ({ reason }) => failures.add(1, reason);
}

/** The most lines in a minute: anybody can open connections that fail, from many addresses. */
const mostLines = 10;
const quotaMs = 60_000;

/** A line for each reason and client once a minute, with the number of failures since the last. */
export function logFailures(clock: Clock, log: Pick<Log, 'warn'>): Observer {
  const mayWarn = onceAMinute(clock, { most: 1_000 });
  const untold = new Map<FailureReason, number>();
  let quota = { since: -Infinity, lines: 0 };

  function hasQuota(): boolean {
    const now = clock.now();
    if (now - quota.since >= quotaMs) quota = { since: now, lines: 0 };
    return quota.lines < mostLines;
  }

  return {
    onConnectionFailure({ reason, peer }) {
      const failures = (untold.get(reason) ?? 0) + 1;
      untold.set(reason, failures);
      if (!hasQuota() || !mayWarn(`${reason} ${addressGroup(peer)}`)) return;
      quota.lines += 1;
      untold.delete(reason);
      const whose = peer === '' ? 'an unknown address' : peer;
      log.warn({ peer, reason, failures }, `A connection from ${whose} has failed: ${reason}`);
    },
  };
}
