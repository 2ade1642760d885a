/** Degradation: how a response says that parts of it are missing. */
import type { Answered } from '../engine/execution.ts';
import type { Degradation } from '../engine/step-error.ts';
import { isPlainObject } from '../plain-object.ts';
import { toProblem } from './error-response.ts';

/**
 * `Plait-Degraded`: a structured field (RFC 9651), a list with one item per step and reason. Where
 * there is no room for `$problems`, each place where a part is missing has an item of its own.
 */
export function degradedHeader({ value, degraded }: Degraded, isBodiless = false): string {
  if (isPlainObject(value) && !isBodiless) return counted(degraded.map(item));
  const placed = degraded.flatMap((one) => one.pointers.map((pointer) => ({ one, pointer })));
  const some: string[] = [];
  let bytes = 0;
  for (const { one, pointer } of placed.slice(0, mostPlaces)) {
    const text = `${item(one)};at=${displayString(pointer)}`;
    bytes += text.length + 2;
    if (bytes > mostBytes) break;
    some.push(text);
  }
  const rest = placed.slice(some.length).map(({ one }) => item(one));
  const nowhere = degraded.filter(({ pointers }) => pointers.length === 0).map(item);
  return [...some, counted([...rest, ...nowhere])].filter((text) => text !== '').join(', ');
}

type Degraded = Pick<Answered, 'value' | 'degraded'>;

/** Limits on the places in the header: many clients take no header of more than 8 KiB. */
const mostPlaces = 20;
const mostBytes = 4096;

/** Each item once, with how often it is there. */
function counted(items: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of items) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .map(([text, count]) => (count === 1 ? text : `${text};count=${count}`))
    .join(', ');
}

function item({ step, error, isReplaced }: Degradation): string {
  const instead = isReplaced ? ';instead' : '';
  return `${nameOf(step)};reason=${error.reason.kind}${statusOf(error.reason)}${instead}`;
}

/** A display string (RFC 9651, 3.3.8): bytes of UTF-8, some of them percent-encoded. */
function displayString(text: string): string {
  const encoded = Array.from(Buffer.from(text), (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x25
      ? `%${byte.toString(16).padStart(2, '0')}`
      : String.fromCharCode(byte),
  );
  return `%"${encoded.join('')}"`;
}

/** The value of a response, with `$problems` if parts are missing and there is room for that. */
export function withProblems({ value, degraded }: Degraded): unknown {
  return degraded.length > 0 && isPlainObject(value)
    ? { ...value, $problems: problemsOf(degraded) }
    : value;
}

/** The value of `$problems`: one entry for every place where a part is missing. */
function problemsOf(degraded: readonly Degradation[]): readonly object[] {
  // The items of a list often miss their parts for the same reason.
  const reasons = new Map<Degradation['error'], object>();
  return degraded.flatMap(({ step, error, pointers, isReplaced }) => {
    const reason = reasons.get(error) ?? reasonFor(error);
    reasons.set(error, reason);
    return pointers.map((pointer) => ({
      pointer,
      step,
      ...reason,
      ...(isReplaced && { instead: true }),
    }));
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
function nameOf(name: string): string {
  return /^[A-Za-z*]/.test(name) ? name : `"${name}"`;
}
