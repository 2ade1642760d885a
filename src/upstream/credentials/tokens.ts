/** The token sources of a gateway: one for each client of an issuer, scope and audience. */
import type { Clock } from '../../clock.ts';
import type { ClientCredentials } from '../../dsl/client-credentials.ts';
import { nameOfSource } from '../../dsl/source.ts';
import type { Text } from '../../dsl/source.ts';
import { ConfigurationError } from '../../errors.ts';
import { parseTokenUrl, tokenUrlRule } from '../../url.ts';
import type { Secret, Secrets } from './secrets.ts';
import { createTokenSource } from './token.ts';
import type { TokenSource } from './token.ts';
import { createTokenRequest } from './token-request.ts';
import type { TokenRequest } from './token-request.ts';

export interface OpenTokens {
  /** Equal clients share one source. */
  open(auth: ClientCredentials): OpenToken;
  close(): Promise<void>;
}

export interface OpenToken {
  readonly source: TokenSource;
  /** The client at its issuer; no secret. */
  readonly account: string;
}

export function createTokens(secrets: Secrets, clock: Clock): OpenTokens {
  const known = new Map<string, OpenToken>();
  const requests: TokenRequest[] = [];

  function openToken(auth: ClientCredentials): OpenToken {
    const url = urlOf(auth, secrets);
    const id = secretOf(auth.clientId, secrets);
    const account = ['client', id.text(), url.href, auth.scope ?? '', auth.audience ?? ''].join(
      ' ',
    );
    const key = JSON.stringify([account, auth.clientId, auth.clientSecret, auth.sends]);
    const before = known.get(key);
    if (before !== undefined) return before;
    const secret = secrets(auth.clientSecret);
    const request = createTokenRequest({ auth, url, id, secret, clock });
    requests.push(request);
    const opened = { source: createTokenSource(request.ask, clock), account };
    known.set(key, opened);
    return opened;
  }

  return {
    open: openToken,
    close: async () => {
      await Promise.all(requests.map((request) => request.close()));
    },
  };
}

function urlOf({ tokenUrl }: ClientCredentials, secrets: Secrets): URL {
  const url = parseTokenUrl(typeof tokenUrl === 'string' ? tokenUrl : secrets(tokenUrl).text());
  if (url !== undefined) return url;
  const name = typeof tokenUrl === 'string' ? 'tokenUrl' : nameOfSource(tokenUrl);
  throw new ConfigurationError(`${name} is no URL of a token endpoint. Use ${tokenUrlRule}.`);
}

function secretOf(text: Text, secrets: Secrets): Secret {
  if (typeof text !== 'string') return secrets(text);
  return { text: () => text, lookAgain: async () => undefined };
}
