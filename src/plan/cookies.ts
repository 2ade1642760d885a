/** Checks the cookies that a composition reads: names, and which of them are credentials. */
import { z } from 'zod';
import { isCookieName } from '../cookie.ts';
import type { AnyConfig } from '../dsl/composition.ts';
import { CompositionError } from '../errors.ts';
import { shownValue } from '../shown-value.ts';

/**
 * @throws CompositionError for cookies that no request can have, and for names that look like
 *   credentials and are not in `credentials`.
 */
export function checkCookies(
  place: string,
  { cookies, credentials = [] }: Pick<AnyConfig, 'cookies' | 'credentials'>,
): void {
  if (!isListOfTexts(credentials))
    throw new CompositionError(
      place,
      `credentials is ${shownValue(credentials)}. Use a list of cookies, as in ["session"].`,
    );
  if (cookies !== undefined) checkSchema(place, cookies);
  const names = Object.keys(cookies?.shape ?? {});
  const unknown = credentials.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new CompositionError(
      place,
      `credentials names "${unknown}", which is not in cookies. Add it there, or remove it here.`,
    );
  for (const name of names) {
    const problem = nameProblem(name, credentials);
    if (problem !== undefined) throw new CompositionError(place, `cookie "${name}" ${problem}`);
  }
}

/** Its fields are the only cookies that exist, so a rest would have no effect. */
function checkSchema(place: string, cookies: NonNullable<AnyConfig['cookies']>): void {
  if (!(cookies instanceof z.ZodObject))
    throw new CompositionError(
      place,
      'cookies is not an object of cookies. Use z.object(), as in z.object({ theme: z.string() }).',
    );
  const rest = cookies.def.catchall;
  if (rest === undefined || rest instanceof z.ZodNever) return;
  throw new CompositionError(
    place,
    'cookies takes unknown names, but only those that it names are read. Use z.object().',
  );
}

function nameProblem(name: string, credentials: readonly string[]): string | undefined {
  if (!isCookieName(name))
    return (
      'is not a valid cookie name. Use letters, digits, hyphens and underscores, as in ' +
      '"theme".'
    );
  if (credentials.includes(name) || !mayBeCredential(name)) return undefined;
  return 'may say who the client is. List it in credentials, or remove it.';
}

function isListOfTexts(given: unknown): given is readonly string[] {
  return Array.isArray(given) && given.every((one) => typeof one === 'string');
}

/**
 * Whether a name looks like that of a credential. Too many are better than too few: listed in
 * `credentials`, a cookie that is none loses nothing but readable keys.
 */
function mayBeCredential(name: string): boolean {
  return anywhere.test(name) || wordsOf(name).some((word) => words.has(word));
}

const anywhere = new RegExp(
  '^__(?:host|secure|http)-|auth|bearer|credential|csrf|xsrf|jwt|passw|passphrase|saml|secret|' +
    'sess|signature|token',
  'i',
);

/** Those that are a part of other words, as in "sidebar" and "monkey". */
const words: ReadonlySet<string> = new Set([
  'account',
  'cred',
  'creds',
  'id',
  'identity',
  'key',
  'apikey',
  'login',
  'otp',
  'pin',
  'pass',
  'pwd',
  'remember',
  'rememberme',
  'sid',
  'sig',
  'sso',
  'ticket',
  'uid',
  'user',
  'userid',
  'username',
  'uuid',
]);

/** `connect.sid` ▸ `connect`, `sid`; `userId` ▸ `user`, `id`. */
function wordsOf(name: string): string[] {
  const apart = name.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2');
  return apart.toLowerCase().split(/[^a-z]+/);
}
