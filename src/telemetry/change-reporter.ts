/** Writes a line when a state is another than in the line before, but not too many of them. */
import type { Clock } from '../clock.ts';
import type { Log, LogFields } from './log.ts';

/** The state that a subject is in, and the line about it. */
export interface Change {
  readonly state: string;
  readonly level: 'info' | 'warn';
  readonly fields: LogFields;
  /** `afterS`: seconds since the line before. */
  readonly message: (afterS: number) => string;
}

/** Says in which state `subject` is; `usual`: the one in which it has been without a line. */
export type ReportChange = (subject: string, usual: string, change: Change) => void;

/** The most lines about one subject in `quotaMs`. */
const quota = 6;
const quotaMs = 60_000;

interface Reported {
  readonly state: string;
  readonly at: number;
  /** When the quota began, and how much of it is used. */
  readonly since: number;
  readonly lines: number;
}

/**
 * Compares with the last line rather than with the last state: where one changes too often, lines
 * are left out, and the next one still says how it is by then.
 */
export function changeReporter(clock: Clock, log: Pick<Log, 'info' | 'warn'>): ReportChange {
  const known = new Map<string, Reported>();

  return function report(subject, usual, { state, level, fields, message }) {
    const last = known.get(subject);
    if (state === (last?.state ?? usual)) return;
    const now = clock.now();
    const isNew = last === undefined || now - last.since >= quotaMs;
    const { since, lines } = isNew ? { since: now, lines: 0 } : last;
    if (lines >= quota) return;
    known.set(subject, { state, at: now, since, lines: lines + 1 });
    const afterS = Math.round((now - (last?.at ?? now)) / 1_000);
    log[level](fields, message(afterS));
  };
}
