/** Headers that never go to a service, with the reason; `forward`: the client's that do. */
import { CompositionError } from '../errors.ts';
import { isHeaderName } from '../headers.ts';
import { requestTimeoutHeader } from '../request-timeout.ts';
import { shownValue } from '../shown-value.ts';

const ofConnection = 'it belongs to one connection (RFC 9110, 7.6.1), and not to the request';
const ofGateway = 'the gateway sends one of its own';
const ofBody = 'it describes the body of the client, which is not the one that is sent';
const ofPart =
  'the service would answer with a part or with nothing, which is no answer to the other clients ' +
  'of a shared call. The gateway answers If-None-Match itself';
const ofForm = 'the gateway reads JSON in UTF-8 and says so itself, and the answer may be shared';
const ofMethod = 'it may turn a read into a write. Declare an operation with that method';

/** By name, why a header cannot be forwarded. */
const refused: ReadonlyMap<string, string> = new Map(
  Object.entries({
    [ofConnection]: [
      'connection',
      'expect',
      'http2-settings',
      'keep-alive',
      'max-forwards',
      'proxy-authorization',
      'proxy-connection',
      'te',
      'trailer',
      'transfer-encoding',
      'upgrade',
    ],
    [ofGateway]: ['date', 'host', 'traceparent', 'tracestate', requestTimeoutHeader],
    [ofPart]: ['a-im', 'if-modified-since', 'if-none-match', 'if-range', 'range'],
    [ofForm]: ['accept', 'accept-charset', 'accept-encoding'],
    [ofMethod]: ['x-http-method', 'x-http-method-override', 'x-method-override'],
  }).flatMap(([reason, names]) => names.map((name) => [name, reason])),
);

/** Conditions for a write (RFC 9110, 13.1): a read that fails by them would fail for others. */
const forWrites: ReadonlySet<string> = new Set(['if-match', 'if-unmodified-since']);

/**
 * Names of headers in lower case, each once.
 *
 * @throws CompositionError that names a header which cannot be forwarded, with the reason.
 */
export function checkedForward(
  names: readonly string[],
  place: string,
  { isWrite }: { readonly isWrite: boolean },
): readonly string[] {
  if (!Array.isArray(names))
    throw new CompositionError(
      place,
      `forward is ${shownValue(names)}. Use a list of header names, as in ["authorization"].`,
    );
  const wrong = names.filter((name: unknown) => typeof name !== 'string').map(shownValue);
  if (wrong.length > 0)
    throw new CompositionError(place, `forward has ${wrong[0]}, which is not a header name.`);
  const lowered = names.map((name) => name.toLowerCase());
  for (const name of lowered) {
    const problem = problemOf(name, isWrite);
    if (problem !== undefined)
      throw new CompositionError(place, `header "${name}" cannot be forwarded${problem}.`);
  }
  return [...new Set(lowered)].toSorted();
}

/** Why neither the client nor a composition may decide a header of a request to a service. */
export function unsendableReason(name: string): string | undefined {
  return name.startsWith('content-') ? ofBody : refused.get(name);
}

/** Why a header cannot be a constant of the gateway's own; `undefined` if it can. */
export function whyNotOwn(name: string): string | undefined {
  // A service may want another media type, as long as it is JSON.
  if (name === 'accept') return undefined;
  if (name === 'idempotency-key') return 'it differs for each write';
  if (forWrites.has(name)) return 'it is a condition for one write';
  return unsendableReason(name);
}

/** The rest of a sentence that says that a header cannot be forwarded. */
function problemOf(name: string, isWrite: boolean): string | undefined {
  if (!isHeaderName(name)) return '. Name a request header, as in "authorization"';
  const reason = unsendableReason(name);
  if (reason !== undefined) return `: ${reason}`;
  if (isWrite || !forWrites.has(name)) return undefined;
  return ' to reads: it is a condition for a write. List it in the forward of operations that write';
}
