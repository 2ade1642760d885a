/** The request for a token (RFC 6749, 4.4.2; RFC 8693, 2.1): a POST, on connections of its own. */
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import type { IssuedAuth } from '../../dsl/client-credentials.ts';
import { UpstreamError } from '../../errors.ts';
import { parsePlainJson } from '../../json.ts';
import type { HttpRequest } from '../exchange/request.ts';
import type { RawReply } from '../exchange/transport.ts';
import { basicOf } from './basic.ts';
import { openIssuer } from './issuer.ts';
import type { Secret } from './secrets.ts';
import { RefusedTokenError, TokenError } from './token-error.ts';

/** A token, and how long it is good for; the time is absent if the issuer does not say it. */
export interface Granted {
  readonly token: string;
  readonly livesMs: number | undefined;
}

export interface TokenRequestOptions {
  readonly auth: IssuedAuth;
  readonly url: URL;
  readonly id: Secret;
  readonly secret: Secret;
  readonly clock: Clock;
}

export interface TokenRequest {
  /**
   * `subject`: the token of a caller, to be exchanged.
   *
   * @throws TokenError
   */
  ask(subject?: string): Promise<Granted>;
  close(): Promise<void>;
}

/** Tokens are short. An answer of more bytes is something else. */
const maxBodyBytes = 65_536;

/** A day: beyond that, an expiry is of no use to a process. */
const longestMs = 86_400_000;

export function createTokenRequest(options: TokenRequestOptions): TokenRequest {
  const { auth, url, id, secret, clock } = options;
  const { timeoutMs } = auth;
  const issuer = openIssuer({
    name: 'token',
    method: 'POST',
    url,
    timeoutMs,
    maxBodyBytes,
    connections: auth.kind === 'tokenExchange' ? 32 : 2,
    clock,
  });
  const where = url.origin + url.pathname;

  return {
    async ask(subject) {
      // Both may have been replaced, with an issuer that knows the new ones only.
      await Promise.all([id.lookAgain(), secret.lookAgain()]);
      let code = '';
      try {
        const texts = { id: id.text(), secret: secret.text(), subject };
        const reply = await issuer.send(toTokenRequest(auth, url, texts));
        if (reply.status >= 200 && reply.status <= 299) return toGranted(reply);
        code = errorCodeOf(reply);
        throw issuer.errorOf(reply);
      } catch (error) {
        if (subject !== undefined && ofSubject.has(code)) throw refused(where, code);
        throw toTokenError(error, { where, timeoutMs, code });
      }
    },
    close: () => issuer.close(),
  };
}

interface Texts {
  readonly id: string;
  readonly secret: string;
  readonly subject: string | undefined;
}

/** RFC 6749, 2.3.1: id and secret are form-encoded, in `Authorization: Basic`, too. */
function toTokenRequest(
  { scope, audience, sends }: IssuedAuth,
  url: URL,
  { id, secret, subject }: Texts,
): HttpRequest {
  const body = new URLSearchParams({
    ...grantOf(subject),
    ...(scope !== undefined && { scope }),
    ...(audience !== undefined && { audience }),
    ...(sends === 'body' && { client_id: id, client_secret: secret }),
  });
  return {
    method: 'POST',
    target: url.pathname + url.search,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...(sends === 'basic' && { authorization: basicOf(formEncoded(id), formEncoded(secret)) }),
    },
    body: body.toString(),
  };
}

/** RFC 6749, 4.4.2, or RFC 8693, 2.1. */
function grantOf(subject: string | undefined): Record<string, string> {
  if (subject === undefined) return { grant_type: 'client_credentials' };
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subject,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/** RFC 6749, 5.1; a token is a `b64token` (RFC 6750, 2.1). */
const answer = z.object({
  access_token: z.string().regex(/^[\w.~+/-]+=*$/),
  token_type: z.string().regex(/^bearer$/i),
  // Some issuers write it as a text; one that is unusable is as good as none.
  expires_in: z.coerce.number().positive().optional().catch(undefined),
});

function toGranted({ body }: RawReply): Granted {
  const { access_token: token, expires_in: seconds } = answer.parse(
    parsePlainJson(body.toString('utf8')),
  );
  return {
    token,
    livesMs: seconds === undefined ? undefined : Math.min(seconds * 1_000, longestMs),
  };
}

/** RFC 6749, 5.2; RFC 6750, 3.1; RFC 8693, 2.2.2. Others are not repeated. */
const errorCodes: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
]);

/** Those that are about the token to be exchanged. */
const ofSubject: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_grant',
  'invalid_token',
]);

const failure = z.object({ error: z.string() });

/** The error code of a refusal; empty if there is none that is known. */
function errorCodeOf({ status, body }: RawReply): string {
  if (status > 499) return '';
  try {
    const { error } = failure.parse(parsePlainJson(body.toString('utf8')));
    return errorCodes.has(error) ? error : '';
  } catch {
    return '';
  }
}

function refused(where: string, code: string): RefusedTokenError {
  const message = `no token from ${where}: it refuses the client's (${code})`;
  return new RefusedTokenError(message, 'Bearer error="invalid_token"');
}

interface FailedRequest {
  /** The address of the issuer, without its query. */
  readonly where: string;
  readonly timeoutMs: number;
  /** The error code of the issuer's answer; empty if there is none. */
  readonly code: string;
}

function toTokenError(error: unknown, { where, timeoutMs, code }: FailedRequest): TokenError {
  const noToken = `no token from ${where}`;
  if (!(error instanceof UpstreamError))
    return new TokenError(`${noToken}: its answer is not a bearer token`, true);
  const { kind, status = 0, retryAfterSeconds } = error;
  switch (kind) {
    case 'status': {
      const isDown = status >= 500 || [408, 425, 429].includes(status);
      const words = code === '' ? '' : ` (${code})`;
      return new TokenError(`${noToken}: answered ${status}${words}`, !isDown, retryAfterSeconds);
    }
    case 'timeout':
      return new TokenError(`${noToken}: did not answer within ${timeoutMs} ms`, false);
    case 'connect':
    case 'reset':
    case 'aborted':
      return new TokenError(
        `${noToken}: ${kind === 'connect' ? 'no' : 'broken'} connection`,
        false,
      );
    default:
      return new TokenError(`${noToken}: its answer cannot be read (${kind})`, true);
  }
}
