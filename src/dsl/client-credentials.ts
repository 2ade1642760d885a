/** `clientCredentials` and `tokenExchange`: tokens of an OAuth 2.0 issuer. */
import { CompositionError } from '../errors.ts';
import { parseTokenUrl, shown, tokenUrlRule } from '../url.ts';
import { makeAuth } from './made-auth.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import { checkedSecret, checkedText, shownSource } from './source.ts';
import type { FromEnvironment, Source, Text } from './source.ts';
import { shownValue } from '../shown-value.ts';

export interface ClientCredentialsConfig {
  /** The issuer's token endpoint, or the environment variable that holds its URL. */
  readonly tokenUrl: string | FromEnvironment;
  readonly clientId: Text;
  readonly clientSecret: Source;
  /** The scopes that are asked for, separated by spaces. Default: the issuer's. */
  readonly scope?: string;
  /** The service that the token is for, where the issuer asks for it. */
  readonly audience?: string;
  /** How id and secret are sent: as `Authorization: Basic`, or in the body. Default `'basic'`. */
  readonly sends?: 'basic' | 'body';
  /** How long the issuer may take, in milliseconds. Default 3,000. */
  readonly timeoutMs?: number;
}

/** Its tokens are the gateway's own. */
export interface ClientCredentials extends IssuerClient {
  readonly kind: 'clientCredentials';
}

/** Its tokens are made of those of callers. */
export interface TokenExchange extends IssuerClient {
  readonly kind: 'tokenExchange';
}

/** Credentials that an issuer gives. */
export type IssuedAuth = ClientCredentials | TokenExchange;

interface IssuerClient {
  readonly tokenUrl: string | FromEnvironment;
  readonly clientId: Text;
  readonly clientSecret: Source;
  readonly scope: string | undefined;
  readonly audience: string | undefined;
  readonly sends: 'basic' | 'body';
  readonly timeoutMs: number;
}

/**
 * Sends a token that the gateway gets for itself (OAuth 2.0 client credentials, RFC 6749, 4.4):
 * fetched once for all calls, and renewed before it expires.
 *
 * @example
 * auth: clientCredentials({
 *   tokenUrl: { env: 'TOKEN_URL' },
 *   clientId: 'gateway',
 *   clientSecret: { file: '/run/secrets/gateway' },
 * })
 */
export function clientCredentials(config: ClientCredentialsConfig): ClientCredentials {
  return makeAuth({ kind: 'clientCredentials', ...checkedClient(config, 'clientCredentials()') });
}

/**
 * Sends a token that the issuer gives for the bearer token of the client (token exchange,
 * RFC 8693): one for each client, kept while it is good. A client without a token, or with one
 * that the issuer refuses, gets a 401.
 *
 * @example
 * auth: tokenExchange({
 *   tokenUrl: { env: 'TOKEN_URL' },
 *   clientId: 'gateway',
 *   clientSecret: { file: '/run/secrets/gateway' },
 *   audience: 'orders',
 * })
 */
export function tokenExchange(config: ClientCredentialsConfig): TokenExchange {
  return makeAuth({ kind: 'tokenExchange', ...checkedClient(config, 'tokenExchange()') });
}

function checkedClient(config: ClientCredentialsConfig, place: string): IssuerClient {
  refuseUnknownKnobs(config, knobs, place);
  const { sends = 'basic', timeoutMs = 3_000 } = config;
  if (sends !== 'basic' && sends !== 'body')
    throw new CompositionError(place, `sends is ${shownValue(sends)}. Use "basic" or "body".`);
  return {
    tokenUrl: checkedTokenUrl(config.tokenUrl, place),
    clientId: checkedText(config.clientId, 'clientId', place),
    clientSecret: checkedSecret(config.clientSecret, 'clientSecret', place),
    scope: checkedWords(config.scope, 'scope', place),
    audience: checkedWords(config.audience, 'audience', place),
    sends,
    timeoutMs: positive(timeoutMs, 'timeoutMs', place),
  };
}

const knobs = [
  'tokenUrl',
  'clientId',
  'clientSecret',
  'scope',
  'audience',
  'sends',
  'timeoutMs',
] satisfies (keyof ClientCredentialsConfig)[];

function checkedTokenUrl(url: string | FromEnvironment, place: string): string | FromEnvironment {
  const example = 'as in "https://id.example/token", or { env: "TOKEN_URL" }';
  if (typeof url !== 'string') {
    refuseUnknownKnobs(url, ['env'], place, 'tokenUrl');
    return checkedText(url, 'tokenUrl', place) as FromEnvironment; // there is no other option
  }
  if (parseTokenUrl(url) !== undefined) return url;
  const found = shown(url);
  throw new CompositionError(place, `tokenUrl is ${found}. Use ${tokenUrlRule}, ${example}.`);
}

function checkedWords(words: string | undefined, knob: string, place: string): string | undefined {
  if (words === undefined) return undefined;
  if (typeof words === 'string' && /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(words)) return words;
  const found = shownValue(words);
  throw new CompositionError(
    place,
    `${knob} is ${found}. Use visible ASCII, spaces between words.`,
  );
}

/** For people: the client and its issuer, or where they come from. */
export function shownClient({ kind, clientId, tokenUrl, scope }: IssuedAuth): string {
  const id = typeof clientId === 'string' ? clientId : shownSource(clientId);
  const issuer = typeof tokenUrl === 'string' ? shownUrl(tokenUrl) : shownSource(tokenUrl);
  const words = kind === 'tokenExchange' ? 'token exchange' : 'client credentials';
  return `${words} of ${id} at ${issuer}${scope === undefined ? '' : ` for ${scope}`}`;
}

/** A query may hold anything. */
function shownUrl(text: string): string {
  return text.replace(/\?.*$/s, '');
}
