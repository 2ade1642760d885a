/** The base URLs of services: from the service itself, or from the variable that it names. */
import { z } from 'zod';
import type { Service } from '../dsl/service.ts';
import { withoutBlank } from '../environment.ts';
import type { Environment } from '../environment.ts';
import { baseUrlRule, parseBaseUrl, splitList } from '../url.ts';
import { linesOf, listOf } from './kinds.ts';

/** The base URLs of every service, by its name. */
export type Addresses = ReadonlyMap<string, readonly URL[]>;

/** The variables that `services` name, each once. */
export function addressVariables(services: readonly Service[]) {
  const variables: Record<string, ReturnType<typeof addressesIn>> = {};
  for (const { url, name } of services) {
    if (typeof url !== 'string') variables[url.env] ??= addressesIn(name);
  }
  return z.object(variables);
}

const advice = `Use ${baseUrlRule}, as in http://127.0.0.1:4001.`;

function addressesIn(service: string) {
  const meaning = `It is the base URL of the service "${service}", as in http://127.0.0.1:4001.`;
  const missing = `is not set. ${meaning}`;
  return z.string(missing).pipe(listOf(parseBaseUrl, advice));
}

/** The problem with the addresses of `services`, as text; `undefined` when there is none. */
export function addressProblem(
  services: readonly Service[],
  environment: Environment,
): string | undefined {
  const set = withoutBlank(environment);
  const { error } = addressVariables(services).safeParse(set);
  if (error === undefined) return undefined;
  const missing = severalMissing(services, set);
  if (missing === undefined) return linesOf(error.issues);
  const others = error.issues.filter(({ path }) => !missing.variables.has(path.join('.')));
  return [missing.problem, ...(others.length > 0 ? [linesOf(others)] : [])].join('\n');
}

/** The variables of addresses that are not set, in one sentence; `undefined` for less than two. */
function severalMissing(
  services: readonly Service[],
  environment: Environment,
): { readonly variables: ReadonlySet<string>; readonly problem: string } | undefined {
  const missing = new Map<string, string>();
  for (const { url, name } of services) {
    if (typeof url !== 'string' && environment[url.env] === undefined && !missing.has(url.env))
      missing.set(url.env, `"${name}"`);
  }
  if (missing.size < 2) return undefined;
  const problem =
    `${listed([...missing.keys()])} are not set. They are the base URLs of the services ` +
    `${listed([...missing.values()])}, as in http://127.0.0.1:4001.`;
  return { variables: new Set(missing.keys()), problem };
}

/** `a, b and c` */
function listed(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), ...words.slice(-1)].join(' and ');
}

/** `variables`: what `addressVariables` read. */
export function toAddresses(
  services: readonly Service[],
  variables: Readonly<Record<string, readonly URL[]>>,
): Addresses {
  return new Map(
    services.map(({ name, url }) => [
      name,
      typeof url === 'string' ? baseUrlsIn(url) : (variables[url.env] ?? []),
    ]),
  );
}

/** `defineService` has checked them. */
function baseUrlsIn(text: string): readonly URL[] {
  return splitList(text).flatMap((part) => parseBaseUrl(part) ?? []);
}
