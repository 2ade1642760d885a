/** An answer → the object of its parts, where the value of an operation is more than its body. */
import { queryOfAuth } from '../../dsl/credentials.ts';
import type { ResponseParts } from '../../dsl/response-parts.ts';
import type { Attempt } from '../call.ts';
import { ownLocation } from './own-location.ts';
import { targetWithQuery } from './request.ts';
import type { RawReply } from './transport.ts';

type Asked = Pick<Attempt, 'operation' | 'args' | 'keys' | 'address'>;

/** An answer whose body is parsed as JSON. */
export interface Answer extends Pick<RawReply, 'status' | 'headers' | 'target'> {
  readonly body: unknown;
}

/** The parts before the schema has parsed them: only those that are declared. */
export function partsOf(parts: ResponseParts, answer: Answer, asked: Asked): object {
  const { status, body } = answer;
  return {
    ...(parts.hasBody && { body }),
    ...(parts.headers && { headers: headersIn(parts.headers, answer, asked) }),
    ...(parts.status && { status }),
  };
}

function headersIn(names: readonly string[], { headers, target }: Answer, asked: Asked): object {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, readHeader(name, value, { ...asked, target })]];
    }),
  );
}

/** Lines of one header are one list with commas (RFC 9110, 5.3), but for cookies. */
function readHeader(
  name: string,
  value: string | string[],
  asked: Asked & Pick<RawReply, 'target'>,
): unknown {
  if (name === 'set-cookie') return typeof value === 'string' ? [value] : value;
  const text = typeof value === 'string' ? value : value.join(', ');
  if (name !== 'location' && name !== 'content-location') return text;
  const { origin, prefix } = asked.address;
  const target = asked.target ?? targetWithQuery(asked);
  const keyParameter = queryOfAuth(asked.operation.auth);
  return ownLocation(text, { origin, prefix, target, keyParameter });
}
