/** Finds out who asks: the authenticators of the gateway, and what plans demand of them. */
import type { Clock } from '../../clock.ts';
import type { Authenticator } from '../../dsl/authenticators.ts';
import { ConfigurationError } from '../../errors.ts';
import type { Denial, Identify, IdentifyFor } from '../../http/admission.ts';
import type { IssuerStatus } from '../../http/admin.ts';
import type { PlanAuth } from '../../plan/plan.ts';
import type { Secrets } from '../../upstream/credentials/secrets.ts';
import { openAuthenticator } from './authenticator.ts';
import type { OpenAuthenticator } from './authenticator.ts';
import { lackOf } from './verified.ts';
import type { Invalidity, Verified } from './verified.ts';

export interface IdentityOptions {
  readonly authenticators: readonly Authenticator[];
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Called when the keys of an issuer cannot be fetched. */
  readonly onKeysError: (error: Error) => void;
}

export interface OpenIdentity {
  readonly identifyFor: IdentifyFor;
  /** How it is with the issuers whose keys are fetched. */
  issuers(): readonly IssuerStatus[];
  close(): Promise<void>;
}

export function openIdentity({ authenticators, ...options }: IdentityOptions): OpenIdentity {
  const opened = new Map(
    [...new Set(authenticators)].map((one) => [one, openAuthenticator(one, options)] as const),
  );
  return {
    identifyFor: (auth) =>
      createIdentify(
        auth,
        auth.authenticators.map((one) => known(opened.get(one))),
      ),
    issuers: () => [...opened.values()].flatMap(({ status }) => status?.() ?? []),
    close: async () => {
      await Promise.all([...opened.values()].map((one) => one.close()));
    },
  };
}

function known(opened: OpenAuthenticator | undefined): OpenAuthenticator {
  if (opened !== undefined) return opened;
  throw new ConfigurationError('a plan names an authenticator that defineGateway() does not list.');
}

function createIdentify(auth: PlanAuth, opened: readonly OpenAuthenticator[]): Identify {
  const missing = because(denial('unauthenticated', opened, ''), 'no credentials');
  const invalid = denial('unauthenticated', opened, 'error="invalid_token"');
  const forbidden = denial('insufficient-scope', opened, insufficient(auth));
  const byHeader = Map.groupBy(opened, ({ header }) => header);
  return async function identify(request) {
    let asks: Verified | undefined;
    let hasCredentials = false;
    // A service that is sent one of the headers may take it for verified, so each has to be,
    // although one suffices to say who asks.
    let areValid = true;
    const why = new Set<Invalidity>();
    for (const [header, those] of byHeader) {
      const sent = request.header(header);
      if (sent === undefined) continue;
      const credentials = those[0]?.read(sent);
      hasCredentials ||= credentials !== undefined;
      if (credentials === undefined) {
        areValid = false;
        why.add('another scheme');
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop -- one after the other: most often there is one
      const verified = await verifyBy(those, credentials, why);
      areValid &&= verified !== undefined;
      asks ??= verified;
    }
    if (!hasCredentials) return missing;
    if (asks === undefined || !areValid) return because(invalid, [...why].join(', '));
    const lack = lackOf(asks, auth);
    return lack === undefined ? asks : because(forbidden, lack);
  };
}

/** As the first of them does that takes the credentials; else adds to `why` what each found. */
async function verifyBy(
  those: readonly OpenAuthenticator[],
  credentials: string,
  why: Set<Invalidity>,
): Promise<Verified | undefined> {
  const reasons: Invalidity[] = [];
  for (const { verify } of those) {
    // oxlint-disable-next-line no-await-in-loop -- the others are asked only if it does not
    const verified = await verify(credentials, (reason) => void reasons.push(reason));
    if (verified !== undefined) return verified;
  }
  for (const reason of reasons) why.add(reason);
  return undefined;
}

function because(denied: Denial, why: string): Denial {
  return { ...denied, why };
}

/** With a challenge (RFC 6750, 3) for each way to prove an identity. */
function denial(
  denied: Denial['denied'],
  opened: readonly OpenAuthenticator[],
  parameters: string,
): Denial {
  const challenges = opened.map(({ challenge }) => challenge(parameters));
  return Object.freeze({ denied, challenges: [...new Set(challenges)].join(', ') });
}

function insufficient({ scopes }: PlanAuth): string {
  const needed = scopes?.mode === 'all' ? `, scope="${scopes.names.join(' ')}"` : '';
  return `error="insufficient_scope"${needed}`;
}
