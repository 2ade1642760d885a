/** The texts that services take from the environment or from files: keys, passwords, headers. */
import { sourcesOfAuth, use } from '../dsl/credentials.ts';
import type { Service } from '../dsl/service.ts';
import { sourcesOfTls } from '../dsl/tls.ts';
import type { NeededSource, Secrets } from '../upstream/credentials/secrets.ts';
import { tlsProblem } from '../upstream/credentials/tls.ts';
import type { Addresses } from './addresses.ts';

/** The sources of all services, and how each is used. */
export function sourcesOf(services: readonly Service[]): readonly NeededSource[] {
  return services.flatMap(({ name, headers, auth, tls }) => {
    const uses = [
      ...Object.values(headers).flatMap((text) => use(text, 'header')),
      ...(auth ? sourcesOfAuth(auth) : []),
      ...(tls ? sourcesOfTls(tls) : []),
    ];
    return uses.map((one) => ({ ...one, service: name }));
  });
}

/** The problems with certificates, once their sources were read. */
export function tlsProblems(
  services: readonly Service[],
  addresses: Addresses,
  secrets: Secrets,
): readonly string[] {
  return services.flatMap(({ name, url, tls }) => {
    if (tls === undefined) return [];
    const isHttp = addresses.get(name)?.some(({ protocol }) => protocol === 'http:') === true;
    const where = typeof url === 'string' ? 'its url' : url.env;
    const ofAddress = isHttp ? `tls is for https, but ${where} has an http address` : undefined;
    const problems = [ofAddress, tlsProblem(tls, secrets)].filter((one) => one !== undefined);
    return problems.map((problem) => `service "${name}": ${problem}.`);
  });
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
