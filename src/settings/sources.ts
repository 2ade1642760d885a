/** The texts that services take from the environment or from files: keys, passwords, headers. */
import { sourcesOfAuth, use } from '../dsl/credentials.ts';
import type { SourceUse } from '../dsl/credentials.ts';
import type { Service } from '../dsl/service.ts';
import type { Addresses } from './addresses.ts';

/** The sources of all services, and how each is used. */
export function sourcesOf(services: readonly Service[]): readonly SourceUse[] {
  return services.flatMap(({ headers, auth }) => [
    ...Object.values(headers).flatMap((text) => use(text, 'header')),
    ...(auth ? sourcesOfAuth(auth) : []),
  ]);
}

/** Warns of credentials that would go over a network without TLS. */
export function plainTextWarnings(
  services: readonly Service[],
  addresses: Addresses,
): readonly string[] {
  return services.flatMap(({ name, auth }) => {
    const plain = auth && addresses.get(name)?.find(isPlain);
    if (!plain) return [];
    const to = `${plain.protocol}//${plain.host}`;
    return `service "${name}": its credentials go to ${to} without TLS. Use https.`;
  });
}

function isPlain({ protocol, hostname }: URL): boolean {
  const isHere = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  return protocol === 'http:' && !isHere;
}
