/** Keeps warnings that could be repeated without end from filling the log. */
import type { Clock } from './clock.ts';

const quietMs = 60_000;

export interface QuietOptions {
  /** The most subjects that are remembered at the same time. Default: all. */
  readonly most?: number;
}

/** Whether a warning about `subject` may be given now: once a minute for each. */
export function onceAMinute(
  clock: Clock,
  { most = Infinity }: QuietOptions = {},
): (subject?: string) => boolean {
  const warnedAt = new Map<string, number>();
  return function mayWarn(subject = '') {
    if (clock.now() - (warnedAt.get(subject) ?? -Infinity) < quietMs) return false;
    if (warnedAt.size >= most) warnedAt.clear();
    warnedAt.set(subject, clock.now());
    return true;
  };
}
