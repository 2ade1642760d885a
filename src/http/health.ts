/** Where whoever runs the process asks how it is: `/livez` whether it lives, `/readyz` whether it wants requests. */
export const healthPaths: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/** Whoever runs the process asks all the time; an id that looks the same is no health check. */
export function isHealthCheck(url: string): boolean {
  // Most requests are told apart by their end, without reading the whole address.
  return /\/(?:livez|readyz)(?:\?|$)/.test(url) && healthPaths.has(new URL(url).pathname);
}
