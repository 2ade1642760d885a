/** The headers and credentials of the gateway's own that are added to requests to a service. */
import type { Auth } from '../../dsl/credentials.ts';
import type { Operation } from '../../dsl/operation.ts';
import type { Service } from '../../dsl/service.ts';
import type { Text } from '../../dsl/source.ts';
import type { HttpRequest } from '../exchange/request.ts';
import type { Secrets } from './secrets.ts';

export interface Credential {
  /** The name of the account, as part of the names of stored answers; never a secret. */
  readonly account: string;
  /**
   * Adds to a request. It is the last thing before the exchange, and the result goes nowhere else:
   * spans, logs and keys are made of the request before.
   */
  attach(request: HttpRequest, call: { readonly operation: Operation }): HttpRequest;
  /** An upper bound for the bytes that are added to the request line of an operation. */
  queryBytes(operation: Operation): number;
}

/** Gives the text that goes into a request now. */
type Value = () => string;

/** `undefined` for a service that is sent nothing of the gateway's own. */
export function createCredential(service: Service, secrets: Secrets): Credential | undefined {
  const { auth } = service;
  const headers = Object.entries(service.headers).map(
    ([name, text]) => [name, valueOf(text, secrets)] as const,
  );
  if (auth === undefined && headers.length === 0) return undefined;
  const ofAuth = auth && partOf(auth, secrets);

  return {
    account: auth === undefined ? '' : accountOf(auth, secrets),
    attach(request, { operation }) {
      const own = { ...request.headers };
      for (const [name, value] of headers) own[name] = value();
      if (ofAuth === undefined || operation.auth === undefined) return { ...request, headers: own };
      const text = ofAuth.value();
      if (ofAuth.header === undefined)
        return { ...request, headers: own, target: withQuery(request.target, text) };
      own[ofAuth.header] = text;
      return { ...request, headers: own };
    },
    queryBytes: ({ auth: used }) =>
      used === undefined || ofAuth === undefined || ofAuth.header !== undefined
        ? 0
        : ofAuth.value().length + 1,
  };
}

function valueOf(text: Text, secrets: Secrets): Value {
  return typeof text === 'string' ? () => text : secrets(text).text;
}

interface Part {
  /** `undefined`: the value is a part of the query. */
  readonly header: string | undefined;
  readonly value: Value;
}

function partOf(auth: Auth, secrets: Secrets): Part {
  switch (auth.kind) {
    case 'bearer': {
      const token = valueOf(auth.token, secrets);
      return { header: 'authorization', value: () => `Bearer ${token()}` };
    }
    case 'basic': {
      const user = valueOf(auth.user, secrets);
      const password = valueOf(auth.password, secrets);
      return { header: 'authorization', value: () => basicOf(user(), password()) };
    }
    case 'apiKey': {
      const key = valueOf(auth.key, secrets);
      if (auth.in === 'header') return { header: auth.name, value: key };
      const name = encodeURIComponent(auth.name);
      return { header: undefined, value: () => `${name}=${encodeURIComponent(key())}` };
    }
    default:
      return auth satisfies never;
  }
}

/** `Authorization: Basic` (RFC 7617, 2), in UTF-8. */
export function basicOf(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Tokens and keys name no account. */
function accountOf(auth: Auth, secrets: Secrets): string {
  return auth.kind === 'basic' ? `basic ${valueOf(auth.user, secrets)()}` : '';
}

function withQuery(target: string, pair: string): string {
  return `${target}${target.includes('?') ? '&' : '?'}${pair}`;
}
