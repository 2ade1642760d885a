/** Arguments → the request target, so that no argument can reach another path than the one declared. */
import { segmentProblem } from '../../path-segment.ts';
import { keysInQuery } from '../../dsl/lookup.ts';
import type { Dispatch } from '../call.ts';
import { callError } from '../call.ts';

type Targeted = Pick<Dispatch, 'operation' | 'args' | 'keys'>;

/** The path and query of a call, without the address's prefix. */
export function targetOf(call: Targeted, query: Readonly<Record<string, unknown>>): string {
  const { segments } = call.operation.route;
  let path = '';
  // By index: V8 makes an object for every step through a frozen array.
  for (let index = 0; index < segments.length; index += 1) {
    const segment = segments[index];
    if (segment === undefined) break;
    path += `/${segment.kind === 'text' ? segment.text : encodeSegment(call, segment.name)}`;
  }
  const search = searchOf(call, query);
  return `${path === '' ? '/' : path}${search === '' ? '' : `?${search}`}`;
}

/**
 * Encodes one path segment (RFC 3986, 3.3). Encoding alone is not enough: `..` encodes to itself.
 */
function encodeSegment(call: Targeted, name: string): string {
  const value = call.args[name];
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw refusal(call, name, `is ${value === null ? 'null' : typeof value}, not text`);
  }
  const text = String(value);
  const problem =
    typeof value === 'number' && !Number.isFinite(value) ? `is ${text}` : segmentProblem(text);
  if (problem !== undefined) throw refusal(call, name, problem);
  return encodeURIComponent(text);
}

function searchOf(call: Targeted, query: Readonly<Record<string, unknown>>): string {
  const keys = keysOf(call);
  const fields = Object.entries(query);
  // Making it costs as much as all the rest of a target.
  if (fields.length === 0) return keys;
  const search = new URLSearchParams();
  for (const [name, value] of fields) {
    for (const item of Array.isArray(value) ? value : [value])
      appendValue(search, call, name, item);
  }
  const rest = search.toString();
  return rest === '' || keys === '' ? rest + keys : `${rest}&${keys}`;
}

function appendValue(search: URLSearchParams, call: Targeted, name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  if (value instanceof Date) return search.append(name, dateText(call, name, value));
  if (typeof value === 'object')
    throw refusal(call, name, 'is an object, which has no form in a query');
  const text = String(value);
  if (!text.isWellFormed()) throw refusal(call, name, 'is not well-formed Unicode');
  search.append(name, text);
}

function dateText(call: Targeted, name: string, date: Date): string {
  if (Number.isNaN(date.getTime())) throw refusal(call, name, 'is not a valid date');
  return date.toISOString();
}

function keysOf({ keys, operation: { lookup } }: Targeted): string {
  return keys === undefined || lookup === undefined ? '' : keysInQuery(lookup, keys);
}

function refusal(call: Targeted, argument: string, problem: string): Error {
  return callError(call, 'invalid-argument', `argument "${argument}" ${problem}`, { argument });
}
