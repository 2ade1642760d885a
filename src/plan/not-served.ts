/** Compositions that are not served, although their files are there. */
import { parseRoute } from '../dsl/route.ts';
import type { Route } from '../dsl/route.ts';

export interface NotServed {
  /** The name of the composition, or of a file that keeps all of them from being served. */
  readonly name: string;
  /** Absent: it is not known, since not even the file could be read. */
  readonly route?: Route;
  /** The load-time error, or the variables that are not set. */
  readonly reason: string;
}

/** `undefined` if `text` is no route. */
export function routeIfAny(text: unknown, name: string): Route | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return parseRoute(text, name);
  } catch {
    return undefined;
  }
}

/** The route in the text of a file that cannot be imported; `undefined` unless there is one. */
export function routeInSource(text: string, name: string): Route | undefined {
  const found = [...text.matchAll(/\broute:\s*(['"`])([A-Z]+ \/.*?)\1/g)];
  return found.length === 1 ? routeIfAny(found[0]?.[2], name) : undefined;
}
