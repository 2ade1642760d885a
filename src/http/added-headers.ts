/** Headers that layers add to an answer, written together with its own. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { bindingsOf } from './request-record.ts';
import type { GatewayContext } from './request-record.ts';

/** Names in lower case. */
export type AddedHeaders = Readonly<Record<string, string>>;

const added = Symbol('headers that layers have added');

type Outgoing = (ServerResponse | Http2ServerResponse) & { [added]?: AddedHeaders };

/**
 * Adds to an answer what it does not set itself; `vary` is joined.
 *
 * Added to the `Response`, each would cost microseconds, since it could not be written as it is any
 * more; added by `setHeader`, Node would take those of the `Response` one by one as well.
 */
export function addHeaders(c: GatewayContext, headers: AddedHeaders): void {
  const outgoing: Outgoing | undefined = bindingsOf(c).outgoing;
  if (outgoing !== undefined) outgoing[added] = join(outgoing[added] ?? {}, headers);
  // Without a socket of ours, as with `app.request()`, there is only the response.
  else addToResponse(c.res, headers);
}

function addToResponse({ headers: own }: Response, headers: AddedHeaders): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'vary') own.append(name, value);
    else if (!own.has(name)) own.set(name, value);
  }
}

/** The arguments for `writeHead`, with what layers have added. */
export function withAdded(
  outgoing: ServerResponse | Http2ServerResponse,
  head: readonly unknown[],
): readonly unknown[] {
  const headers = (outgoing as Outgoing)[added];
  if (headers === undefined) return head;
  const own = head.at(-1);
  return typeof own === 'object' && own !== null
    ? // As the adapter gives them: by name, and not as a list.
      [...head.slice(0, -1), join(headers, own as OutgoingHttpHeaders)]
    : [...head, headers];
}

/** Both, where the same is in both that of `over`. */
function join<T extends OutgoingHttpHeaders>(under: AddedHeaders, over: T): T & AddedHeaders {
  const joined: OutgoingHttpHeaders = { ...under };
  for (const name in over) {
    const key = name.toLowerCase();
    const before = joined[key];
    // Names are the same without regard to case; they are written as they are given.
    if (before !== undefined && name !== key) delete joined[key];
    joined[name] = before !== undefined && key === 'vary' ? `${before}, ${over[name]}` : over[name];
  }
  return joined as T & AddedHeaders;
}
