/** Credentials of the scheme Bearer (RFC 6750, 2.1). */

/** The token of `Authorization: Bearer …`; the scheme has no case (RFC 9110, 11.1). */
export function bearerTokenIn(authorization = ''): string | undefined {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
}
