/** Span times. In the SDK's whole milliseconds, children could begin before their parents. */
import type { HrTime } from '@opentelemetry/api';

/** The wall clock at the resolution of the monotonic one. */
export function now(): HrTime {
  const ms = performance.timeOrigin + performance.now();
  const seconds = Math.trunc(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
