/** Paths that the gateway itself answers, or will: no composition may have them. */

/** Says that the process is alive. */
export const livePath = '/livez';

/** Says whether the process wants requests. */
export const readyPath = '/readyz';

export const reservedPaths: ReadonlySet<string> = new Set([
  livePath,
  readyPath,
  '/openapi.json',
  '/docs',
]);
