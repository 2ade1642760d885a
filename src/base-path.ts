/** `basePath`: the path that stands before the routes of all compositions. */
import { reservedPaths } from './reserved-paths.ts';

/** The rule, as messages say it: what `parseBasePath` takes. */
export const basePathRule =
  'a path without a slash at the end, of letters, digits and . _ ~ -, as in /api';

/** The path, empty for `/`; `undefined` for a text that breaks the rule. */
export function parseBasePath(text: string): string | undefined {
  if (text === '/' || text === '') return '';
  const isPath = /^(?:\/[\w.~-]+)+$/.test(text) && !/\/\.{1,2}(?:\/|$)/.test(text);
  return isPath && !reservedPaths.has(text) ? text : undefined;
}
