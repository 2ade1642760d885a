/** The status and headers of an answer, from values: at start-up, or from a request's data. */
import { serializeCookie } from '../cookie.ts';
import { StacklessError } from '../errors.ts';
import { headerValueProblem } from '../header-value.ts';
import { isExactNumber } from '../exact-number.ts';
import { isPlainObject } from '../plain-object.ts';

/** A status or header that cannot be sent. The message quotes nothing of a value but a status. */
export class UnsendableError extends StacklessError {
  override readonly name = 'UnsendableError';
}

/** Statuses that are successes, redirects or about the request, and that anybody may give. */
const plain: ReadonlySet<number> = new Set([200, 201, 202, 203, 204, 503]);
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Statuses that the gateway speaks for itself, about the request as it was sent. */
const ofGateway: ReadonlySet<number> = new Set([405, 407, 408, 411, 413, 414, 415, 421, 431, 499]);

/** @throws UnsendableError if no composition can give that status, or not with these headers. */
export function checkStatus(status: unknown, hasHeader: (name: string) => boolean): number {
  const known = typeof status === 'number' && Number.isInteger(status) ? status : 0;
  const isAboutRequest = known >= 400 && known <= 499 && !ofGateway.has(known);
  if (!plain.has(known) && !redirects.has(known) && !isAboutRequest) {
    const found = typeof status === 'number' ? status : `of the type ${typeof status}`;
    throw new UnsendableError(
      `status ${found} cannot be given. Use 200 to 204, 301, 302, 303, 307, 308, 503, or a 4xx ` +
        `but ${[...ofGateway].join(', ')}`,
    );
  }
  const needed = redirects.has(known) ? 'location' : known === 401 ? 'www-authenticate' : undefined;
  if (needed === undefined || hasHeader(needed)) return known;
  throw new UnsendableError(`status ${known} needs headers.${needed}`);
}

/**
 * The lines of a header; none if it is left out. Only cookies have several.
 *
 * @throws UnsendableError for a value that is not text, or has a character that no header can have.
 */
export function linesOf(name: string, value: unknown): readonly string[] {
  const parts = (Array.isArray(value) ? value : [value]).filter(isPresent);
  const texts = parts.map((part) => toText(name, part));
  return name === 'set-cookie' || texts.length < 2 ? texts : [texts.join(', ')];
}

/** A cookie without a value is left out, too. */
function isPresent(part: unknown): boolean {
  if (part === null || part === undefined) return false;
  return !isPlainObject(part) || !('value' in part) || isPresent(part['value']);
}

function toText(name: string, part: unknown): string {
  if (isPlainObject(part) && name === 'set-cookie') {
    const serialized = serializeCookie(part);
    if ('text' in serialized) return serialized.text;
    throw new UnsendableError(`headers.${name} ${serialized.problem}`);
  }
  const isText = typeof part === 'string' || typeof part === 'number' || typeof part === 'bigint';
  const text = isText || isExactNumber(part) ? String(part) : undefined;
  const problem = text === undefined ? 'is not text' : textProblem(text);
  if (text !== undefined && problem === undefined) return text;
  throw new UnsendableError(`headers.${name} ${problem}`);
}

/** Of all headers together, many clients and proxies take no more. */
const mostCharacters = 8_192;

function textProblem(text: string): string | undefined {
  return text.length > mostCharacters
    ? `has more than ${mostCharacters} characters, which many clients do not take`
    : headerValueProblem(text);
}
