/** The requests that a mock service was sent, in order of arrival. */
import type { IncomingMessage } from 'node:http';

/** More than a test sends, and few enough for the memory of a demonstration that runs for days. */
const mostRecorded = 100_000;

export interface RecordedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names in lower case; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
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
      if (recorded.length === mostRecorded) recorded = recorded.slice(mostRecorded / 2);
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
