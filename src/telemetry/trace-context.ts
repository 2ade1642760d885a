/** Reads `traceparent` and `tracestate` (W3C Trace Context), and decides whose trace continues. */
import type { RequestRecord } from '../http/request-record.ts';
import { trimBlanks } from '../trim-blanks.ts';

/** A span of another process, named by a request. */
export interface RemoteSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
  /** Valid, and at most 512 characters long. */
  readonly tracestate?: string | undefined;
}

/** The span that a request names: one that it continues, or one of a peer that is not trusted. */
export interface Origin {
  readonly parent?: RemoteSpan | undefined;
  readonly foreign?: RemoteSpan | undefined;
}

export interface Trust {
  /** Whether a peer may continue its trace here, and decide that it is recorded. */
  readonly isTrusted: (peer: string) => boolean;
  /** Called for a request that names a span, from a peer that is not trusted. */
  readonly onForeign?: (peer: string) => void;
}

interface Headed {
  header(name: string): string | undefined;
}

const noOrigin: Origin = Object.freeze({});

/**
 * The origin of a request. The trace of a peer that is not trusted is only noted in the record: if
 * it were continued, any client could put spans into the traces of others.
 */
export function originOf(
  request: Headed,
  record: Pick<RequestRecord, 'peer' | 'clientTraceId'>,
  trust: Trust,
): Origin {
  const remote = readTraceparent(request.header('traceparent'));
  if (remote === undefined) return noOrigin;
  if (trust.isTrusted(record.peer)) {
    return { parent: { ...remote, tracestate: readTracestate(request.header('tracestate')) } };
  }
  record.clientTraceId = remote.traceId;
  trust.onForeign?.(record.peer);
  return { foreign: remote };
}

/** The span that a `traceparent` names; `undefined` if it is not valid. */
export function readTraceparent(text: string | undefined): RemoteSpan | undefined {
  if (text === undefined) return undefined;
  const [, version, traceId, spanId, flags = '', rest] = pattern.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  // Only later versions may have more members.
  if (rest !== undefined && (version === '00' || text.length > longestTraceparent)) {
    return undefined;
  }
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** A comma would be the second of two headers. Version `ff` and ids of zeros are invalid. */
const pattern =
  /^((?!ff)[0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-[^,]*)?$/;

const longestTraceparent = 256;
const longestTracestate = 512;
const mostMembers = 32;

/** Members above this length are the first to be left out of a `tracestate` that is too long. */
const longMember = 128;

const member =
  /^([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/** All of it if one member is invalid is left out, as are later members with the same key. */
function readTracestate(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const members = new Map<string, string>();
  for (const one of text.split(',').map(trimBlanks)) {
    if (one === '') continue;
    const key = member.exec(one)?.[1];
    if (key === undefined) return undefined;
    if (!members.has(key)) members.set(key, one);
  }
  if (members.size === 0 || members.size > mostMembers) return undefined;
  return shortened([...members.values()]).join(',') || undefined;
}

function shortened(members: readonly string[]): readonly string[] {
  if (members.join(',').length <= longestTracestate) return members;
  const long = members.findLastIndex(({ length }) => length > longMember);
  return shortened(members.toSpliced(long === -1 ? members.length - 1 : long, 1));
}
