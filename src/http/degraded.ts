/** Degradation: how a response says that parts of it are missing. */
import type { Degradation } from '../engine/step-error.ts';
import { toProblem } from './error-response.ts';

/** `Plait-Degraded`: a structured field (RFC 9651), a list with one item per step and reason. */
export function degradedHeader(degraded: readonly Degradation[]): string {
  const items = degraded.map(
    ({ step, error }) => `${item(step)};reason=${error.reason.kind}${statusOf(error.reason)}`,
  );
  const counts = new Map<string, number>();
  for (const text of items) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .map(([text, count]) => (count === 1 ? text : `${text};count=${count}`))
    .join(', ');
}

/** The value of `$problems`: one entry for every place where a part is missing. */
export function problemsOf(degraded: readonly Degradation[]): readonly object[] {
  // The items of a list often miss their parts for the same reason.
  const reasons = new Map<Degradation['error'], object>();
  return degraded.flatMap(({ step, error, pointers }) => {
    const reason = reasons.get(error) ?? reasonFor(error);
    reasons.set(error, reason);
    return pointers.map((pointer) => ({ pointer, step, ...reason }));
  });
}

function reasonFor(error: Degradation['error']): object {
  const { type, title, status } = toProblem(error);
  return { type, title, status, ...(error.isUncertain && { uncertain: true }) };
}

function statusOf(reason: Degradation['error']['reason']): string {
  return 'status' in reason && reason.status !== undefined ? `;status=${reason.status}` : '';
}

/** A token begins with a letter or `*`; other names become strings. No name needs escaping. */
function item(name: string): string {
  return /^[A-Za-z*]/.test(name) ? name : `"${name}"`;
}
