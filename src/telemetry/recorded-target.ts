/** The parts of a request's target that a span may have. */
import { readQuery } from '../http/query.ts';

/** So that a client cannot fill the traces. */
const longest = 1_024;

/** The beginning of a path, as far as it is not very long. */
export function recordedPath(path: string): string {
  return path.slice(0, longest);
}

/**
 * The parameters with the given names, as `limit=25&page=2`; `undefined` if there are none of them.
 * Nothing shows the others, since even a name may be a secret.
 */
export function recordedQuery(url: string, names: ReadonlySet<string>): string | undefined {
  const start = names.size === 0 ? -1 : url.indexOf('?');
  if (start === -1) return undefined;
  const all = readQuery(url.slice(start + 1));
  const some = new URLSearchParams([...all].filter(([name]) => names.has(name)));
  return some.size === 0 ? undefined : some.toString().slice(0, longest);
}
