/** The token sources of a gateway: one for each client of an issuer, scope and audience. */
import type { Clock } from '../../clock.ts';
import type { ClientCredentials, IssuedAuth, TokenExchange } from '../../dsl/client-credentials.ts';
import { nameOfSource } from '../../dsl/source.ts';
import type { Text } from '../../dsl/source.ts';
import { ConfigurationError } from '../../errors.ts';
import { parseTokenUrl, tokenUrlRule } from '../../url.ts';
import type { Secret, Secrets } from './secrets.ts';
import type { OpenTokenExchange } from './caller-token.ts';
import { createTokenSource } from './token.ts';
import { createTokenExchange } from './token-exchange.ts';
import type { TokenSource } from './token.ts';
import { createTokenRequest } from './token-request.ts';
import type { TokenRequest } from './token-request.ts';

export interface OpenTokens {
  /** Equal clients share one source. */
  open(auth: ClientCredentials): OpenToken;
  /** Equal clients share the tokens for their callers, too. */
  openTokenExchange(auth: TokenExchange): OpenTokenExchange;
  close(): Promise<void>;
}

export interface OpenToken {
  readonly source: TokenSource;
  /** The client at its issuer; no secret. */
  readonly account: string;
}

export function createTokens(secrets: Secrets, clock: Clock): OpenTokens {
  const known = new Map<string, OpenToken>();
  const exchanges = new Map<string, OpenTokenExchange>();
  const requests: TokenRequest[] = [];

  function clientOf(auth: IssuedAuth) {
    const url = urlOf(auth, secrets);
    const id = secretOf(auth.clientId, secrets);
    // As JSON: scopes and audiences may have spaces.
    const account = `client ${JSON.stringify([id.text(), url.href, auth.scope, auth.audience])}`;
    const key = JSON.stringify([account, auth.clientId, auth.clientSecret, auth.sends]);
    return { url, id, account, key };
  }

  function request(auth: IssuedAuth, { url, id }: ReturnType<typeof clientOf>): TokenRequest {
    const secret = secrets(auth.clientSecret);
    const made = createTokenRequest({ auth, url, id, secret, clock });
    requests.push(made);
    return made;
  }

  return {
    open(auth) {
      const client = clientOf(auth);
      return kept(known, client.key, () => {
        const { ask } = request(auth, client);
        return { source: createTokenSource(() => ask(), clock), account: client.account };
      });
    },
    openTokenExchange(auth) {
      const client = clientOf(auth);
      return kept(exchanges, client.key, () => {
        const { ask } = request(auth, client);
        const account = `of callers, ${client.account}`;
        return { exchangeToken: createTokenExchange(ask, clock), account };
      });
    },
    close: async () => {
      await Promise.all(requests.map((one) => one.close()));
    },
  };
}

/** The value under `key`, made when it is asked for first. */
function kept<T>(all: Map<string, T>, key: string, make: () => T): T {
  const before = all.get(key);
  if (before !== undefined) return before;
  const made = make();
  all.set(key, made);
  return made;
}

function urlOf({ tokenUrl }: IssuedAuth, secrets: Secrets): URL {
  const url = parseTokenUrl(typeof tokenUrl === 'string' ? tokenUrl : secrets(tokenUrl).text());
  if (url !== undefined) return url;
  const name = typeof tokenUrl === 'string' ? 'tokenUrl' : nameOfSource(tokenUrl);
  throw new ConfigurationError(`${name} is not the URL of a token endpoint. Use ${tokenUrlRule}.`);
}

function secretOf(text: Text, secrets: Secrets): Secret {
  if (typeof text !== 'string') return secrets(text);
  return { text: () => text, lookAgain: async () => undefined };
}
