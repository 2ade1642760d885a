/** Cookies → values of `Set-Cookie` (RFC 6265, 4.1.1). */

/** A cookie as a composition describes it. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** Default `/`. */
  readonly path?: string;
  /** Default: the host of the request alone. */
  readonly domain?: string;
  /** In seconds; 0 deletes the cookie. Default: until the browser is closed. */
  readonly maxAge?: number;
  /** Default `true`. */
  readonly httpOnly?: boolean;
  /** Default `true`. */
  readonly secure?: boolean;
  /** Default `Lax`. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None';
}

export type Serialized = { readonly text: string } | { readonly problem: string };

/** Serializes a cookie whose fields may be anything. The problem quotes nothing of the value. */
export function serializeCookie(cookie: Readonly<Record<string, unknown>>): Serialized {
  const set = { ...defaults, ...withoutAbsent(cookie) };
  const problem = problemOf(set);
  if (problem !== undefined) return { problem };
  const { name, value, path, domain, maxAge, httpOnly, secure, sameSite } = set;
  if (`${name}${value}`.length > mostBytes)
    return { problem: `has a cookie of more than ${mostBytes} bytes, which browsers drop` };
  return {
    text: [
      `${name}=${value}`,
      ...(maxAge === undefined ? [] : [`Max-Age=${maxAge}`]),
      ...(domain === undefined ? [] : [`Domain=${domain}`]),
      `Path=${path}`,
      ...(httpOnly === true ? ['HttpOnly'] : []),
      ...(secure === true ? ['Secure'] : []),
      `SameSite=${sameSite}`,
    ].join('; '),
  };
}

/** Of a name and its value together (RFC 6265bis, 5.7). */
const mostBytes = 4_096;

const defaults: Readonly<Record<string, unknown>> = {
  path: '/',
  httpOnly: true,
  secure: true,
  sameSite: 'Lax',
};

function withoutAbsent(cookie: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const present = Object.entries(cookie).filter(([, part]) => part !== undefined && part !== null);
  return Object.fromEntries(present);
}

type Test = (part: unknown) => boolean;

const isBoolean: Test = (part) => typeof part === 'boolean';

/** A token (RFC 9110, 5.6.2). */
const namePattern = /^[\w!#$%&'*+.^`|~-]+$/;

export function isCookieName(name: string): boolean {
  return namePattern.test(name);
}

/** By field, whether a value can be there, and which values can be. */
const fields: Readonly<Record<string, readonly [Test, string]>> = {
  name: [matches(namePattern), 'letters, digits, - and _'],
  value: [
    // cookie-octets
    matches(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/),
    'visible ASCII without quotes, commas, semicolons and backslashes; encode others',
  ],
  path: [matches(/^\/[\x21-\x3a\x3c-\x7e]*$/), 'a path, as in "/orders"'],
  domain: [matches(/^\.?[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i), 'a host, as in "example.com"'],
  maxAge: [(part) => Number.isSafeInteger(part), 'a whole number of seconds'],
  httpOnly: [isBoolean, 'true or false'],
  secure: [isBoolean, 'true or false'],
  sameSite: [matches(/^(?:Strict|Lax|None)$/), '"Strict", "Lax" or "None"'],
};

export function isCookieField(name: string): boolean {
  return Object.hasOwn(fields, name);
}

function matches(pattern: RegExp): Test {
  return (part) => typeof part === 'string' && pattern.test(part);
}

function problemOf(cookie: Readonly<Record<string, unknown>>): string | undefined {
  for (const field of ['name', 'value'])
    if (cookie[field] === undefined) return `has a cookie without a ${field}`;
  for (const [field, part] of Object.entries(cookie)) {
    const [isUsable, what] = isCookieField(field) ? (fields[field] ?? []) : [];
    if (isUsable === undefined)
      return `has a cookie with an unknown field "${field}". Known: ${Object.keys(fields).join(', ')}`;
    if (!isUsable(part)) return `has a cookie whose ${field} cannot be sent. Use ${what}`;
  }
  return prefixProblem(cookie);
}

/** Browsers ignore cookies that do not keep to these rules (RFC 6265bis, 4.1.2 and 4.1.3). */
function prefixProblem(cookie: Readonly<Record<string, unknown>>): string | undefined {
  const { secure, path, domain, sameSite } = cookie;
  const name = String(cookie['name']).toLowerCase();
  const isHost = name.startsWith('__host-');
  if (secure !== true && (isHost || name.startsWith('__secure-') || sameSite === 'None'))
    return 'has a cookie that browsers take with secure: true only';
  if (!isHost || (path === '/' && domain === undefined)) return undefined;
  return 'has a "__Host-" cookie, which has the path "/" and no domain';
}
