/** The credentials of all services of a gateway, and what they share: the tokens of issuers. */
import type { Clock } from '../../clock.ts';
import type { Operation } from '../../dsl/operation.ts';
import type { Service } from '../../dsl/service.ts';
import { createCredential } from './credential.ts';
import type { Credential } from './credential.ts';
import type { Secrets } from './secrets.ts';
import { createTls } from './tls.ts';
import type { Tls } from './tls.ts';
import { createTokens } from './tokens.ts';

export interface Credentials {
  /** `undefined` for a service that is sent nothing of the gateway's own. */
  of(service: Service): Credential | undefined;
  /** The certificates of a service; `undefined` if it has none of its own. */
  tlsOf(service: Service): Tls | undefined;
  /** The name of the account that an operation is called with; empty if there is none. */
  accountOf(operation: Operation): string;
  /** The bytes that credentials add to the request line of an operation. */
  queryBytes(operation: Operation): number;
  close(): Promise<void>;
}

export interface CredentialsOptions {
  readonly services: readonly Service[];
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** @throws ConfigurationError when a secret was not read. */
export function createCredentials({ services, secrets, clock }: CredentialsOptions): Credentials {
  const tokens = createTokens(secrets, clock);
  const known = new Map(
    services.map((service) => [service, createCredential(service, { secrets, tokens, clock })]),
  );
  const certificates = new Map(
    services.map((service) => [service, service.tls && createTls(service.tls, secrets)]),
  );
  const of = (service: Service): Credential | undefined => known.get(service);
  return {
    of,
    tlsOf: (service) => certificates.get(service),
    accountOf: ({ service, auth }) => (auth === undefined ? '' : (of(service)?.account ?? '')),
    queryBytes: (operation) => of(operation.service)?.queryBytes(operation) ?? 0,
    close: () => tokens.close(),
  };
}
