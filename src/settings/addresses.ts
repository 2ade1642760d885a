/** The base URLs of services: from the service itself, or from the variable that it names. */
import { z } from 'zod';
import type { Service } from '../dsl/service.ts';
import { baseUrlRule, parseBaseUrl, splitList } from '../url.ts';
import { listOf } from './kinds.ts';

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
