// What a mock service was asked, in order of arrival.
import type { IncomingMessage } from 'node:http';

// A demonstration may run for days. This is more than a test sends, and still fits in memory.
const MAX_RECORDED = 100_000;

export interface RecordedRequest {
  method: string;
  /** With the query. */
  path: string;
  /** Names in lower case; repeated headers joined with a comma. */
  headers: Record<string, string>;
}

export interface RequestLog {
  list(): RecordedRequest[];
  add(request: IncomingMessage): void;
  clear(): void;
}

export function createRequestLog(): RequestLog {
  let recorded: RecordedRequest[] = [];
  return {
    list: () => [...recorded],
    add(request) {
      if (recorded.length === MAX_RECORDED) recorded = recorded.slice(MAX_RECORDED / 2);
      recorded.push(toRecord(request));
    },
    clear() {
      recorded = [];
    },
  };
}

function toRecord({ method = '', url = '', headersDistinct }: IncomingMessage): RecordedRequest {
  const headers = Object.entries(headersDistinct).map(([name, values]) => [
    name,
    values?.join(', ') ?? '',
  ]);
  return { method, path: url, headers: Object.fromEntries(headers) };
}
