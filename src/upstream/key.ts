/** When two calls are the same call. */
import type { Call } from './call.ts';

/**
 * A string that two calls share exactly when one reply can serve both: same operation, same arguments,
 * same forwarded headers. The order of fields does not matter, `undefined` is absence.
 */
export function keyOf(call: Call): string {
  return `${call.operation.service.name}.${call.operation.name} ${canonical(call.args)} ${canonical(call.headers)}`;
}

/** JSON with sorted fields. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (isRecord(part) ? sorted(part) : part)) ?? '';
}

function sorted(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
