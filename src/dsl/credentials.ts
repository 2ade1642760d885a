/** `bearer`, `basic`, `apiKey`: the credentials that the gateway sends to a service. */
import { CompositionError } from '../errors.ts';
import { isHeaderName } from '../headers.ts';
import { shownClient } from './client-credentials.ts';
import type { IssuedAuth } from './client-credentials.ts';
import { whyNotOwn } from './forward.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { isMadeAuth, makeAuth } from './made-auth.ts';
import { checkedSecret, checkedText, shownSource } from './source.ts';
import type { Source, Text } from './source.ts';
import { shownSecret, shownValue } from '../shown-value.ts';

/** Credentials that a service is sent, made by one of the words; it holds no secret. */
export type Auth =
  | { readonly kind: 'bearer'; readonly token: Source }
  | { readonly kind: 'basic'; readonly user: Text; readonly password: Source }
  | {
      readonly kind: 'apiKey';
      readonly key: Source;
      readonly in: 'header' | 'query';
      readonly name: string;
    }
  | IssuedAuth;

/** The place of an API key: a header or a query parameter. */
export type KeyPlace = { readonly header: string } | { readonly query: string };

/**
 * Sends a token: `Authorization: Bearer …` (RFC 6750, 2.1).
 *
 * @example
 * defineService({ name: 'payments', url, auth: bearer({ env: 'PAYMENTS_TOKEN' }) });
 */
export function bearer(token: Source): Auth {
  return makeAuth({ kind: 'bearer', token: checkedSecret(token, 'token', 'bearer()') });
}

/**
 * Sends a name and a password: `Authorization: Basic …` (RFC 7617), in UTF-8.
 *
 * @example
 * auth: basic({ user: 'gateway', password: { file: '/run/secrets/orders' } })
 */
export function basic(config: { readonly user: Text; readonly password: Source }): Auth {
  const place = 'basic()';
  refuseUnknownKnobs(config, ['user', 'password'], place);
  const user = checkedText(config.user, 'user', place);
  if (typeof user === 'string' && user.includes(':'))
    throw new CompositionError(place, 'user contains a colon, which ends it (RFC 7617, 2).');
  return makeAuth({
    kind: 'basic',
    user,
    password: checkedSecret(config.password, 'password', place),
  });
}

/**
 * Sends a key in a header or in a query parameter.
 *
 * @example
 * auth: apiKey({ env: 'GEO_KEY' }, { header: 'x-api-key' })
 */
export function apiKey(key: Source, where: KeyPlace): Auth {
  const place = 'apiKey()';
  const checked = checkedSecret(key, 'its first argument', place);
  refuseUnknownKnobs(where, ['header', 'query'], place);
  const { header, query } = where as { header?: string; query?: string }; // both are checked here
  if ((header === undefined) === (query === undefined)) {
    const count = header === undefined ? 'none' : 'two';
    const advice = 'Write { header: "x-api-key" } or { query: "key" }.';
    throw new CompositionError(
      place,
      `its second argument must name one place, not ${count}. ${advice}`,
    );
  }
  return makeAuth(
    header === undefined
      ? { kind: 'apiKey', key: checked, in: 'query', name: checkedQueryName(query, place) }
      : { kind: 'apiKey', key: checked, in: 'header', name: checkedHeaderName(header, place) },
  );
}

function checkedHeaderName(name: unknown, place: string): string {
  const lowered = typeof name === 'string' ? name.toLowerCase() : '';
  if (!isHeaderName(lowered))
    throw new CompositionError(place, `header is ${shownValue(name)}, which is not a header name.`);
  const reason = whyNotOwn(lowered);
  if (reason === undefined) return lowered;
  throw new CompositionError(place, `header "${lowered}" cannot carry a key: ${reason}.`);
}

function checkedQueryName(name: unknown, place: string): string {
  if (typeof name === 'string' && name !== '' && name.isWellFormed()) return name;
  throw new CompositionError(
    place,
    `query is ${shownValue(name)}, which is not a name of a parameter.`,
  );
}

/** Checks the `auth` of a service. */
export function checkedAuth(auth: Auth | undefined, place: string): Auth | undefined {
  if (auth === undefined || isMadeAuth(auth)) return auth;
  const words = 'bearer(), basic(), apiKey(), clientCredentials() or tokenExchange()';
  throw new CompositionError(place, `auth is ${shownSecret(auth)}. Use ${words}.`);
}

/** The header that carries the credentials; `undefined`: a query parameter does. */
export function headerOfAuth(auth: Auth): string | undefined {
  if (auth.kind !== 'apiKey') return 'authorization';
  return auth.in === 'header' ? auth.name : undefined;
}

/** The query parameter that carries the credentials, if one does. */
export function queryOfAuth(auth: Auth | undefined): string | undefined {
  return auth?.kind === 'apiKey' && auth.in === 'query' ? auth.name : undefined;
}

/** Whether the credentials are made of the client's own, which are in its `Authorization`. */
export function areOfCaller(auth: Auth | undefined): boolean {
  return auth?.kind === 'tokenExchange';
}

/** A source, and the part of a request or a connection that its text becomes. */
export interface SourceUse {
  readonly source: Source;
  readonly carriedBy: 'header' | 'user' | 'text' | 'url' | 'certificate' | 'privateKey';
}

/** The sources of the credentials, and how each is used. */
export function sourcesOfAuth(auth: Auth): readonly SourceUse[] {
  switch (auth.kind) {
    case 'bearer':
      return [{ source: auth.token, carriedBy: 'header' }];
    case 'basic':
      return [...use(auth.user, 'user'), ...use(auth.password, 'text')];
    case 'apiKey':
      return [{ source: auth.key, carriedBy: auth.in === 'header' ? 'header' : 'text' }];
    case 'clientCredentials':
    case 'tokenExchange':
      return [
        ...use(auth.clientId, 'text'),
        ...use(auth.clientSecret, 'text'),
        ...(typeof auth.tokenUrl === 'string' ? [] : use(auth.tokenUrl, 'url')),
      ];
    default:
      return auth satisfies never;
  }
}

/** A text that is written in the composition has no source. */
export function use(text: Text, carriedBy: SourceUse['carriedBy']): readonly SourceUse[] {
  return typeof text === 'string' ? [] : [{ source: text, carriedBy }];
}

/** For people: the kind of credentials, and where they come from. */
export function shownAuth(auth: Auth): string {
  switch (auth.kind) {
    case 'bearer':
      return `bearer from ${shownSource(auth.token)}`;
    case 'basic': {
      const user = typeof auth.user === 'string' ? auth.user : shownSource(auth.user);
      return `basic of ${user} from ${shownSource(auth.password)}`;
    }
    case 'apiKey':
      return `key in ${auth.in} ${auth.name} from ${shownSource(auth.key)}`;
    case 'clientCredentials':
    case 'tokenExchange':
      return shownClient(auth);
    default:
      return auth satisfies never;
  }
}
