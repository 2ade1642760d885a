/** Load shedding as a state: begins with the first thing that is shed, and ends after a pause. */
import type { Clock } from '../clock.ts';
import type { ReportChange } from './change-reporter.ts';
import type { ShedCounts, Watched } from './telemetry.ts';

/** Without anything shed for this long, it is over. */
const pauseMs = 10_000;

/** The returned function looks whether something was shed since it was last called. */
export function watchShedding(
  { overload, shed: total }: Pick<Watched, 'overload' | 'shed'>,
  clock: Clock,
  report: ReportChange,
): () => void {
  let before: ShedCounts = { ...total };
  /** The counts when it began. */
  let atBegin = before;
  let shedAt = -Infinity;

  return function lookAtShedding() {
    const counts = { ...total };
    const now = clock.now();
    const isMore = totalOf(counts) > totalOf(before);
    if (isMore && now - shedAt >= pauseMs) atBegin = before;
    if (isMore) shedAt = now;
    before = counts;
    const shed = {
      steps: counts.steps - atBegin.steps,
      requests: counts.requests - atBegin.requests,
      over_limit: counts.overLimit - atBegin.overLimit,
    };
    const isShedding = now - shedAt < pauseMs;
    report('shedding', 'off', isShedding ? begun(shed, overload) : ended(shed));
  };
}

type Shed = Readonly<Record<'steps' | 'requests' | 'over_limit', number>>;

function begun(shed: Shed, { lag }: Watched['overload']) {
  return {
    state: 'on',
    level: 'warn',
    fields: {
      shedding: 'on',
      ...shed,
      event_loop_delay_ms: Math.round(lag.delayMs),
      event_loop_utilisation: Math.round(lag.utilisation * 100) / 100,
    },
    message: () => `Load is shed: ${wordsFor(shed)}`,
  } as const;
}

function ended(shed: Shed) {
  return {
    state: 'off',
    level: 'info',
    fields: { shedding: 'off', ...shed },
    message: (afterS: number) => `Load is no longer shed after ${afterS} s: ${wordsFor(shed)}`,
  } as const;
}

function wordsFor({ steps, requests, over_limit: overLimit }: Shed): string {
  return [
    ...(steps > 0 ? [`${counted(steps, 'step')} left out`] : []),
    ...(requests > 0 ? [`${counted(requests, 'request')} refused`] : []),
    ...(overLimit > 0
      ? [`${counted(overLimit, 'request')} refused beyond the limit of requests in progress`]
      : []),
  ].join(', ');
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun} was` : `${count} ${noun}s were`;
}

function totalOf({ steps, requests, overLimit }: ShedCounts): number {
  return steps + requests + overLimit;
}
