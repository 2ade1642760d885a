/** Arguments → request target. Prevents path traversal: no argument can reach another path. */
import type { Segment } from '../../dsl/route.ts';
import { isExactNumber } from '../../exact-number.ts';
import { fieldOf } from '../../plain-object.ts';
import { segmentProblem, traversalProblem } from '../../path-segment.ts';
import { argumentError, searchOf } from './query.ts';
import type { Targeted } from './query.ts';

/** The path and query of a call, without the address's prefix. */
export function targetOf(call: Targeted, query: Readonly<Record<string, unknown>>): string {
  const { segments, trailingSlash } = call.operation.route;
  let path = '';
  // By index: iterating over a frozen array makes V8 allocate an object for every step.
  for (let index = 0; index < segments.length; index += 1) {
    const segment = segments[index];
    if (segment === undefined) break;
    path += `/${encodeSegment(call, segment)}`;
  }
  const search = searchOf(call, query);
  if (path === '' || trailingSlash) path += '/';
  return `${path}${search === '' ? '' : `?${search}`}`;
}

/** Encodes a path segment (RFC 3986, 3.3), or each of the segments of a `:name+`. */
function encodeSegment(call: Targeted, segment: Segment): string {
  switch (segment.kind) {
    case 'text':
      return segment.text;
    case 'param': {
      const text = textOf(call, segment.name);
      refuseTraversal(call, segment.name, text, call.operation.slash.includes(segment.name));
      return encodeURIComponent(text);
    }
    case 'mixed': {
      const text = textOf(call, segment.name);
      refuseTraversal(call, segment.name, text, call.operation.slash.includes(segment.name));
      const whole = encodeURIComponent(text) + segment.text;
      // Neither part may be harmless only by itself. Slashes are in the parts already.
      refuseTraversal(call, segment.name, whole, true);
      return whole;
    }
    case 'params': {
      const text = textOf(call, segment.name);
      refuseTraversal(call, segment.name, text, true);
      return text.split('/').map(encodeURIComponent).join('/');
    }
    default:
      return segment satisfies never;
  }
}

function refuseTraversal(call: Targeted, name: string, text: string, slash: boolean): void {
  const problem = traversalProblem(text, { slash });
  if (problem !== undefined) throw argumentError(call, name, problem);
}

/** The key of a lookup with `single` is not among the arguments that its calls have in common. */
function argumentOf({ operation: { lookup }, args, keys }: Targeted, name: string): unknown {
  if (lookup?.keys.kind !== 'path' || !lookup.arguments.includes(name)) return args[name];
  return lookup.arguments.length === 1 ? keys?.[0] : fieldOf(keys?.[0], name);
}

function textOf(call: Targeted, name: string): string {
  const value = argumentOf(call, name);
  if (typeof value !== 'string' && typeof value !== 'number' && !isExactNumber(value)) {
    throw argumentError(call, name, `is ${value === null ? 'null' : typeof value}, not text`);
  }
  const text = String(value);
  const problem =
    typeof value === 'number' && !Number.isFinite(value) ? `is ${text}` : segmentProblem(text);
  if (problem !== undefined) throw argumentError(call, name, problem);
  return text;
}
