/** The addresses, keys and headers of services and authenticators: from variables or from files. */
import { systemClock } from '../clock.ts';
import { sourcesOfAuth, use } from '../dsl/credentials.ts';
import type { Auth } from '../dsl/credentials.ts';
import type { Service } from '../dsl/service.ts';
import { sourcesOfTls } from '../dsl/tls.ts';
import { withoutBlank } from '../environment.ts';
import type { Environment } from '../environment.ts';
import { readSecrets } from '../upstream/credentials/secrets.ts';
import type { NeededSource, ReadSecrets, Secrets } from '../upstream/credentials/secrets.ts';
import { tlsProblem } from '../upstream/credentials/tls.ts';
import type { Authenticator } from '../dsl/authenticators.ts';
import { keyUrlsOf, sourcesOfAuthenticators } from '../edge/identity/sources.ts';
import { parseTokenUrl } from '../url.ts';
import { isHere } from './admin.ts';
import { addressProblem, addressVariables, toAddresses } from './addresses.ts';
import type { Addresses } from './addresses.ts';

/** For texts that were just read: files are not looked at again. */
export const atStart = { clock: systemClock, onWarning: () => undefined };

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
    const other = addresses.get(name)?.find(({ protocol }) => protocol !== 'https:');
    const where = typeof url === 'string' ? 'its url' : url.env;
    const kind = other?.protocol === 'unix:' ? 'a unix socket' : 'an http address';
    const ofAddress = other && `tls is for https, but ${where} has ${kind}`;
    const problems = [ofAddress, tlsProblem(tls, secrets)].filter((one) => one !== undefined);
    return problems.map((problem) => `service "${name}": ${problem}.`);
  });
}

/** The texts of services that were read at start-up. */
export interface ReadOfServices {
  readonly addresses: Addresses;
  readonly openSecrets: ReadSecrets['open'];
}

interface Needing {
  readonly services: readonly Service[];
  readonly authenticators?: readonly Authenticator[];
}

/** The addresses and secrets of services, or else the problems with them. */
export function readServices(
  { services, authenticators = [] }: Needing,
  set: Environment,
  environment: Environment,
): { readonly problems: readonly string[]; readonly read?: ReadOfServices } {
  const found = addressVariables(services).safeParse(set);
  const secrets = readSecrets(
    [...sourcesOf(services), ...sourcesOfAuthenticators(authenticators)],
    environment,
  );
  if (!found.success || secrets.problems.length > 0) {
    const ofAddresses = addressProblem(services, set);
    return { problems: [...(ofAddresses === undefined ? [] : [ofAddresses]), ...secrets.problems] };
  }
  const addresses = toAddresses(services, found.data);
  const problems = tlsProblems(services, addresses, secrets.open(atStart));
  if (problems.length > 0) return { problems };
  return { problems, read: { addresses, openSecrets: secrets.open } };
}

/** The problem with the addresses and secrets of `services`, as text. */
export function serviceProblem(
  services: readonly Service[],
  environment: Environment,
): string | undefined {
  const { problems } = readServices({ services }, withoutBlank(environment), environment);
  return problems.length === 0 ? undefined : problems.join('\n');
}

/** Warns of credentials that would go over a network without TLS, to a service or to an issuer. */
export function plainTextWarnings(
  services: readonly Service[],
  { addresses, openSecrets }: ReadOfServices,
  authenticators: readonly Authenticator[] = [],
): readonly string[] {
  const secrets = openSecrets(atStart);
  const warnings = services.flatMap(({ name, auth }) => {
    if (auth === undefined) return [];
    const urls = [...(addresses.get(name) ?? []), ...issuersOf(auth, secrets)];
    return urls.filter(isPlain).map(({ protocol, host }) => {
      const to = `${protocol}//${host}`;
      return `service "${name}": its credentials go to ${to} without TLS. Use https.`;
    });
  });
  const ofKeys = keyUrlsOf(authenticators, (source) => secrets(source).text())
    .filter(isPlain)
    .map(({ origin }) => `the keys of tokens come from ${origin} without TLS. Use https.`);
  return [...new Set([...warnings, ...ofKeys])];
}

function issuersOf(auth: Auth, secrets: Secrets): readonly URL[] {
  if (!('tokenUrl' in auth)) return [];
  const { tokenUrl } = auth;
  const url = parseTokenUrl(typeof tokenUrl === 'string' ? tokenUrl : secrets(tokenUrl).text());
  return url === undefined ? [] : [url];
}

function isPlain({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !isHere(hostname.replace(/^\[|\]$/g, ''));
}
