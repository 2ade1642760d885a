/** Authenticators as data → what verifies the credentials of a request. */
import type { Clock } from '../../clock.ts';
import { headerOfAuthenticator } from '../../dsl/authenticators.ts';
import type {
  ApiKeyAuthenticator,
  Authenticator,
  JwtAuthenticator,
} from '../../dsl/authenticators.ts';
import { nameOfSource, shownSource } from '../../dsl/source.ts';
import { ConfigurationError, UpstreamError } from '../../errors.ts';
import type { IssuerStatus } from '../../http/admin.ts';
import type { Secrets } from '../../upstream/credentials/secrets.ts';
import { parseTokenUrl, tokenUrlRule } from '../../url.ts';
import { createApiKeyVerifier } from './api-keys.ts';
import { openKeyAddress } from './fetch-keys.ts';
import { createJwtVerifier } from './jwt.ts';
import { createFileKeys, createRemoteKeys } from './key-set.ts';
import type { KeySet } from './key-set.ts';
import type { Invalid, Verified } from './verified.ts';

export interface OpenAuthenticator {
  /** The header that its credentials come in, in lower case. */
  readonly header: string;
  /** The credentials in it, malformed or not; `undefined` if they are of another scheme. */
  read(sent: string): string | undefined;
  /** `undefined` for credentials that are not valid, when `invalid` was told why. */
  verify(
    credentials: string,
    invalid: Invalid,
  ): Verified | undefined | Promise<Verified | undefined>;
  /** The challenge (RFC 9110, 11.6.1) with further parameters. */
  challenge(parameters: string): string;
  /** How it is with the keys of its issuer; absent: none are fetched. */
  readonly status?: (() => IssuerStatus) | undefined;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly onKeysError: (error: Error) => void;
}

export function openAuthenticator(
  authenticator: Authenticator,
  options: OpenOptions,
): OpenAuthenticator {
  switch (authenticator.kind) {
    case 'jwt':
      return openJwt(authenticator, options);
    case 'apiKeys':
      return openApiKeys(authenticator, options);
    default:
      return authenticator satisfies never;
  }
}

function openJwt(authenticator: JwtAuthenticator, options: OpenOptions): OpenAuthenticator {
  const { keys, status, close } = openKeys(authenticator, options);
  return {
    header: headerOfAuthenticator(authenticator),
    read: (sent) => /^bearer +(.*)$/i.exec(sent)?.[1],
    verify: createJwtVerifier(authenticator, { keys, clock: options.clock }),
    challenge: (parameters) => ['Bearer realm="plait"', parameters].filter(Boolean).join(', '),
    status,
    close,
  };
}

/** The scheme of the challenge is not registered: the parameters of others mean nothing in it. */
function openApiKeys(
  { list, header }: ApiKeyAuthenticator,
  { secrets, clock }: OpenOptions,
): OpenAuthenticator {
  return {
    header,
    read: (sent) => sent,
    verify: createApiKeyVerifier({ source: secrets(list), name: shownSource(list), clock }),
    challenge: () => `ApiKey realm="plait", header="${header}"`,
    close: async () => undefined,
  };
}

function openKeys(
  { keys, issuers }: JwtAuthenticator,
  { secrets, clock, onKeysError }: OpenOptions,
): Pick<OpenAuthenticator, 'status' | 'close'> & { readonly keys: KeySet } {
  if ('file' in keys) {
    return { keys: createFileKeys(secrets(keys), clock), close: async () => undefined };
  }
  const text = typeof keys.url === 'string' ? keys.url : secrets(keys.url).text();
  const url = parseTokenUrl(text);
  if (url === undefined) {
    const name = typeof keys.url === 'string' ? 'keys.url' : nameOfSource(keys.url);
    throw new ConfigurationError(`${name} is not the URL of a JWK set. Use ${tokenUrlRule}.`);
  }
  const { fetch, close } = openKeyAddress(url, clock);
  const address = url.origin + url.pathname;
  const onError = (error: Error): void =>
    onKeysError(new Error(`no keys from ${address}: ${whyNoKeys(error)}`, { cause: error }));
  const remote = createRemoteKeys({ fetch, clock, onError });
  return { keys: remote, status: () => ({ issuers, address, ...remote.status() }), close };
}

/** Other errors are those of a parser, whose messages may quote what the issuer has answered. */
function whyNoKeys(error: Error): string {
  if (!(error instanceof UpstreamError)) return 'the answer is not a JWK set (RFC 7517, 5)';
  const { message, service, operation } = error;
  return message.replace(`${service}.${operation}: `, '');
}
