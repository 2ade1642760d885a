/** Reasons why there is no token to send. */

/** There is no token. The message says why, and quotes nothing of the issuer's answer. */
export class TokenError extends Error {
  override readonly name: string = 'TokenError';
  /** Whether only a change of the configuration helps: the issuer is there, and gives no token. */
  readonly isMisconfigured: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, isMisconfigured: boolean, retryAfterSeconds?: number) {
    super(message);
    this.isMisconfigured = isMisconfigured;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The client has sent no bearer token, or one that the issuer refuses. */
export class RefusedTokenError extends TokenError {
  override readonly name = 'RefusedTokenError';
  /** The `WWW-Authenticate` for the client (RFC 6750, 3). */
  readonly challenge: string;

  constructor(message: string, challenge: string) {
    super(message, false);
    this.challenge = challenge;
  }
}
