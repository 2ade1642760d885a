/** The headers and credentials of the gateway's own that are added to requests to a service. */
import { sourcesOfAuth } from '../../dsl/credentials.ts';
import type { Auth } from '../../dsl/credentials.ts';
import type { Operation } from '../../dsl/operation.ts';
import type { Service } from '../../dsl/service.ts';
import type { Text } from '../../dsl/source.ts';
import { untilAborted } from '../../own-signal.ts';
import type { Signal } from '../../signal.ts';
import type { Gate } from '../attempt.ts';
import type { Dispatch, Policy } from '../call.ts';
import type { HttpRequest } from '../exchange/request.ts';
import { attachmentOf, valueOf } from './attach.ts';
import type { AttachmentOptions } from './attach.ts';
import type { Attachment, Sending } from './attachment.ts';
import { longEnough, repeats } from './echo.ts';
import { renew } from './renew.ts';
import { tokenGate } from './token-gate.ts';
import type { TokenSource } from './token.ts';

export interface Credential {
  /** The name of the account, as part of the names of stored answers; never a secret. */
  readonly account: string;
  /** Lets attempts wait for a token; absent: there is nothing to wait for. */
  readonly gate: Gate | undefined;
  /** Sends a call once more after a 401; absent: there are never other credentials. */
  readonly renew: Policy<Dispatch> | undefined;
  /**
   * Adds to a request. It is the last thing before the exchange, and the result goes nowhere else:
   * spans, logs and keys are made of the request before.
   */
  attach(request: HttpRequest, call: Sending): HttpRequest;
  /** Whether a text that the service has answered a call with repeats a secret that it was sent. */
  isIn(text: string, call: Sending): boolean;
  /** Without what only headers carry, which may be a word like any other: a tenant, or a region. */
  isKeyIn(text: string, call: Sending): boolean;
  /** An upper bound for the bytes that are added to the request line of an operation. */
  queryBytes(operation: Operation): number;
  /** Waits for a token, on behalf of a health check; resolves to whether there is one. */
  isReady(signal: Signal): Promise<boolean>;
}

/** `undefined` for a service that is sent nothing of the gateway's own. */
export function createCredential(
  service: Service,
  options: AttachmentOptions,
): Credential | undefined {
  const { auth } = service;
  const headers = Object.entries(service.headers).map(
    ([name, text]) => [name, valueOf(text, options.secrets)] as const,
  );
  if (auth === undefined && headers.length === 0) return undefined;
  const attached = auth && attachmentOf(auth, options);
  /** The credentials of the latest attempt of each dispatch. */
  const sent = new WeakMap<object, string>();

  const readAll = (texts: readonly Text[]): readonly string[] =>
    texts.flatMap((text) => (typeof text === 'string' ? [] : [options.secrets(text).text()]));

  /** The secrets of `auth`, and what is made of them: a token, or a pair in Base64. */
  function keyTexts(call: Sending): readonly string[] {
    const made = attached?.value(call)?.split(' ').at(-1) ?? '';
    return [...readAll(auth === undefined ? [] : textsOf(auth)), made];
  }

  return {
    account: attached?.account ?? '',
    gate: attached?.tokens && tokenGate(attached.tokens, options.clock),
    renew: attached?.renewal && renew(attached.renewal, ({ tried }) => sent.get(tried)),
    attach(request, call) {
      const { operation, tried } = call;
      const own = { ...request.headers };
      for (const [name, value] of headers) own[name] = value();
      const plain = { ...request, headers: own };
      if (attached === undefined || operation.auth === undefined) return plain;
      const value = attached.value(call);
      if (value === undefined) return plain;
      if (tried !== undefined && attached.renewal !== undefined) sent.set(tried, value);
      return withCredentials(plain, attached, value);
    },
    isIn: (text, call) =>
      repeats(text, [...keyTexts(call), ...longEnough(readAll(Object.values(service.headers)))]),
    isKeyIn: (text, call) => repeats(text, longEnough(keyTexts(call))),
    queryBytes: ({ auth: used }) =>
      used === undefined || attached === undefined || attached.header !== undefined
        ? 0
        : attached.prefix.length + (attached.value()?.length ?? 0) + 1,
    async isReady(signal) {
      const source = attached?.tokens?.();
      return source === undefined || hasToken(source, signal);
    },
  };
}

function textsOf(auth: Auth): readonly Text[] {
  return sourcesOfAuth(auth).map(({ source }) => source);
}

/** `request`: with headers of its own, which are changed. */
function withCredentials(request: HttpRequest, { header, prefix }: Attachment, value: string) {
  if (header !== undefined) {
    request.headers[header] = prefix + value;
    return request;
  }
  const { target } = request;
  return { ...request, target: `${target}${target.includes('?') ? '&' : '?'}${prefix}${value}` };
}

async function hasToken(source: TokenSource, signal: Signal): Promise<boolean> {
  try {
    const renewal = source.ready();
    if (renewal !== undefined) await untilAborted(renewal, signal);
    return true;
  } catch {
    return false;
  }
}
