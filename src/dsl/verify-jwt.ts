/** `verifyJwt`: takes JSON Web Tokens of issuers. Data only; `edge/identity/jwt` verifies. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { parseTokenUrl, shown, tokenUrlRule } from '../url.ts';
import { algorithms, toAuthenticator } from './authenticators.ts';
import type { Algorithm, JwtAuthenticator, KeySetPlace } from './authenticators.ts';
import { refuseAsynchronous } from './given-schemas.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import { checkedSource } from './source.ts';
import type { FromEnvironment, FromFile } from './source.ts';

export interface JwtConfig<Claims> {
  /** The `iss` of tokens, exactly, or several. */
  readonly issuer: string | readonly string[];
  /** The `aud` of tokens, or several, of which a token needs one. */
  readonly audience: string | readonly string[];
  /** The issuer's public keys. */
  readonly keys: KeySetPlace;
  /** The algorithms of signatures. Default: RS256, PS256, ES256 and EdDSA. */
  readonly algorithms?: readonly Algorithm[];
  /** The claims that `identity.claims` has; a token they do not fit is refused. Default: `sub`. */
  readonly claims?: z.ZodType<Claims>;
  /** The `typ` that tokens must have. Default: `JWT`, `at+jwt`, or none. */
  readonly type?: string;
  /** By how much clocks may differ, in seconds, at most 300. Default 5. */
  readonly clockToleranceS?: number;
}

/** The claim that every token has by default. */
interface Subject {
  sub: string;
}

const subject: z.ZodType<Subject> = z.object({ sub: z.string() });

/**
 * Takes JSON Web Tokens (RFC 7519) of an issuer, sent as `Authorization: Bearer …` (RFC 6750).
 *
 * @example
 * export const customers = verifyJwt({
 *   issuer: 'https://id.example.com',
 *   audience: 'shop',
 *   keys: { url: 'https://id.example.com/jwks' },
 *   claims: z.object({ sub: z.string(), tenant: z.string() }),
 * });
 *
 * @throws CompositionError when an option is missing, unknown or cannot be used.
 */
export function verifyJwt<Claims = Subject>(config: JwtConfig<Claims>): JwtAuthenticator<Claims> {
  const place = 'verifyJwt()';
  refuseUnknownKnobs(config, jwtKnobs, place);
  // Without a schema, `Claims` is the subject.
  const claims = config.claims ?? (subject as z.ZodType<unknown> as z.ZodType<Claims>);
  if (!(claims instanceof z.ZodType))
    throw new CompositionError(place, 'claims is not a schema. Use z.object({ sub: z.string() }).');
  refuseAsynchronous({ claims }, place);
  const { clockToleranceS = 5 } = config;
  return toAuthenticator({
    kind: 'jwt',
    issuers: checkedTexts(config.issuer, 'issuer', place),
    audiences: checkedTexts(config.audience, 'audience', place),
    keys: checkedKeys(config.keys, place),
    algorithms: checkedAlgorithms(config.algorithms ?? usualAlgorithms, place),
    claims,
    type: config.type === undefined ? undefined : checkedType(config.type, place),
    clockToleranceS: positive(clockToleranceS, 'clockToleranceS', place, { least: 0, most: 300 }),
  });
}

const usualAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

const jwtKnobs = [
  'issuer',
  'audience',
  'keys',
  'algorithms',
  'claims',
  'type',
  'clockToleranceS',
] satisfies (keyof JwtConfig<unknown>)[];

function checkedTexts(
  given: string | readonly string[],
  knob: string,
  place: string,
): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(given) ? given : [given];
  const areTexts = texts.every((text): text is string => typeof text === 'string' && text !== '');
  if (areTexts && texts.length > 0) return Object.freeze([...texts]);
  throw new CompositionError(
    place,
    `${knob} is ${given === undefined ? 'missing' : JSON.stringify(given)}. Use a text, or a ` +
      `list of texts: tokens of any other ${knob} are refused.`,
  );
}

function checkedKeys(keys: KeySetPlace, place: string): KeySetPlace {
  const example = '{ url: "https://id.example.com/jwks" }, { url: { env: "JWKS_URL" } }';
  const advice = `Use ${example} or { file: "/etc/jwks.json" }.`;
  if (typeof keys !== 'object' || keys === null)
    throw new CompositionError(place, `keys is ${String(keys)}. ${advice}`);
  refuseUnknownKnobs(keys, ['url', 'file'], place, 'keys');
  const { url, file } = keys as { url?: string | FromEnvironment; file?: string }; // checked here
  if ((url === undefined) === (file === undefined))
    throw new CompositionError(
      place,
      `keys must name one URL or one file, not ${url === undefined ? 'none' : 'both'}. ${advice}`,
    );
  if (file !== undefined) return checkedSource({ file }, 'keys', place) as FromFile; // as given
  if (typeof url === 'string') {
    if (parseTokenUrl(url) !== undefined) return Object.freeze({ url });
    const found = shown(url);
    throw new CompositionError(place, `keys.url is ${found}. Use ${tokenUrlRule}, or ${example}.`);
  }
  refuseUnknownKnobs(url ?? {}, ['env'], place, 'keys.url');
  const source = checkedSource(url as FromEnvironment, 'keys.url', place);
  return Object.freeze({ url: source as FromEnvironment }); // there is no other option
}

function checkedAlgorithms(given: readonly Algorithm[], place: string): readonly Algorithm[] {
  const known: readonly unknown[] = algorithms;
  const wrong = Array.isArray(given) ? given.find((one) => !known.includes(one)) : given;
  if (wrong === undefined && given.length > 0) return Object.freeze([...given]);
  const found = given.length === 0 ? 'is empty' : `has ${JSON.stringify(wrong)}`;
  throw new CompositionError(place, `algorithms ${found}. Use some of ${algorithms.join(', ')}.`);
}

/** A media type without `application/` (RFC 8725, 3.11). */
function checkedType(type: string, place: string): string {
  if (typeof type === 'string' && /^[\w.+-]+$/.test(type)) return type;
  const found = JSON.stringify(type);
  throw new CompositionError(place, `type is ${found}. Use the typ of tokens, as in "at+jwt".`);
}
