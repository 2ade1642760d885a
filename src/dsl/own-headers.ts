/** `headers` of a service: constants of the gateway's own that go with every request to it. */
import { CompositionError } from '../errors.ts';
import { headerValueProblem } from '../header-value.ts';
import { credentialHeaders, isHeaderName } from '../headers.ts';
import { headerOfAuth, queryOfAuth } from './credentials.ts';
import type { Auth } from './credentials.ts';
import { whyNotOwn } from './forward.ts';
import { checkedSecret, checkedText } from './source.ts';
import type { Text } from './source.ts';
import { shownSecret, shownValue } from '../shown-value.ts';

/** By lower-case name, the text of each header, or where it comes from. */
export type OwnHeaders = Readonly<Record<string, Text>>;

/**
 * Checks names and texts.
 *
 * @throws CompositionError that names a header that cannot be a constant, with the reason.
 */
export function checkedHeaders(headers: OwnHeaders, place: string): OwnHeaders {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
    throw new CompositionError(
      place,
      `headers is ${shownSecret(headers)}. Use an object, as in { "x-tenant": "shop" }.`,
    );
  const entries = Object.entries(headers).map(
    ([name, text]) => [name.toLowerCase(), text] as const,
  );
  const names = entries.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new CompositionError(place, `header "${twice}" is there twice. Remove one.`);
  return Object.freeze(
    Object.fromEntries(entries.map(([name, text]) => [name, checkedHeader(name, text, place)])),
  );
}

function checkedHeader(name: string, text: Text, place: string): Text {
  if (!isHeaderName(name))
    throw new CompositionError(
      place,
      `headers has ${shownValue(name)}, which is not a header name.`,
    );
  const reason = whyNotOwn(name);
  if (reason !== undefined)
    throw new CompositionError(place, `header "${name}" cannot be a constant: ${reason}.`);
  const knob = `headers["${name}"]`;
  const checked = credentialHeaders.has(name)
    ? checkedSecret(text as Exclude<Text, string>, knob, place) // refuses texts itself
    : checkedText(text, knob, place);
  const problem = typeof checked === 'string' ? headerValueProblem(checked) : undefined;
  if (problem === undefined) return checked;
  throw new CompositionError(place, `${knob} ${problem}.`);
}

/** The header of the request id, unless a service has another one. */
export const defaultRequestId = 'x-request-id';

/** Checks the name of the header that carries the request id; `false`: none does. */
export function checkedRequestId(name: string | false, place: string): string | undefined {
  if (name === false) return undefined;
  const lowered = typeof name === 'string' ? name.toLowerCase() : '';
  if (typeof name !== 'string' || !isHeaderName(lowered)) {
    const advice = 'Use a header name, as in "x-correlation-id", or false.';
    throw new CompositionError(place, `requestId is ${shownValue(name)}. ${advice}`);
  }
  const isSecret = credentialHeaders.has(lowered);
  const reason = isSecret ? 'it carries credentials' : whyNotOwn(lowered);
  if (reason === undefined && lowered !== 'accept') return lowered;
  throw new CompositionError(
    place,
    `header "${lowered}" cannot carry the requestId: ${reason ?? 'it is about the answer'}.`,
  );
}

/** The places from which the requests of an operation, or of a service, get their headers. */
export interface HeadersOf {
  readonly headers: OwnHeaders;
  readonly auth: Auth | undefined;
  readonly forward: readonly string[];
  readonly requestId: string | undefined;
  /** Those that an operation declares. */
  readonly ofOperation?: readonly string[];
}

/** Refuses a header that comes from two places, since one would silently win. */
export function refuseHeaderTwice(
  { headers, auth, forward, requestId, ofOperation = [] }: HeadersOf,
  place: string,
): void {
  const ofAuth = auth && headerOfAuth(auth);
  const sentBy = new Map<string, string>();
  const claim = (name: string, owner: string): void => {
    const before = sentBy.get(name);
    if (before !== undefined) {
      const message = `header "${name}" is in ${before} and in ${owner}. Remove one of them.`;
      throw new CompositionError(place, message);
    }
    sentBy.set(name, owner);
  };
  if (ofAuth !== undefined) claim(ofAuth, 'auth');
  if (requestId !== undefined) claim(requestId, 'requestId');
  for (const name of Object.keys(headers)) claim(name, 'the headers of the service');
  for (const name of forward) claim(name, 'forward');
  const others = new Set(forward);
  for (const name of ofOperation)
    if (!others.has(name)) claim(name, 'the headers of the operation');
}

/** Refuses an argument that would be sent under the name of the key in the query. */
export function refuseKeyTwice(
  names: readonly string[],
  auth: Auth | undefined,
  place: string,
): void {
  const ofAuth = queryOfAuth(auth);
  if (ofAuth === undefined || !names.includes(ofAuth)) return;
  const message = `query parameter "${ofAuth}" is sent by auth, and is an argument. Remove one.`;
  throw new CompositionError(place, message);
}
