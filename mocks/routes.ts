/** Finds the route template of a request, for the names of spans. */
import { matchRequestUrl } from 'msw';
import type { HttpHandler } from 'msw';

/** Finds the template, such as `/orders/{orderId}`, of a request. */
export type FindRoute = (method: string, url: URL) => string | undefined;

export function createRouteFinder(handlers: readonly HttpHandler[]): FindRoute {
  const routes = handlers.flatMap(({ info }) =>
    typeof info.path === 'string' ? [{ method: info.method, pattern: info.path }] : [],
  );
  return (method, url) => {
    const route = routes.find(
      (candidate) => candidate.method === method && matchRequestUrl(url, candidate.pattern).matches,
    );
    return route && toTemplate(route.pattern);
  };
}

/** msw writes `*` for any origin and `:name` for a parameter. */
function toTemplate(pattern: string): string {
  return pattern.replace('*', '').replaceAll(/:(\w+)/gu, '{$1}');
}
