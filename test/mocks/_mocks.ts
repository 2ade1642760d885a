// Starts the mock services for a test and stops them when it ends.
import { onTestFinished } from 'vitest';
import { type Mocks, type MocksOptions, startMocks } from '../../mocks/server.ts';

export async function startForTest(options: MocksOptions = {}): Promise<Mocks> {
  const mocks = await startMocks(options);
  onTestFinished(() => mocks.close());
  return mocks;
}

export interface Answer {
  status: number;
  type: string | null;
  body: unknown;
}

export async function get(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, type: response.headers.get('content-type'), body };
}

/** The value of one field in every object of a list. */
export function pluck(list: unknown, field: string): unknown[] {
  if (!Array.isArray(list)) throw new TypeError('Not a list.');
  return list.map((item: Record<string, unknown>) => item[field]);
}

export function json(body: unknown, method = 'PUT'): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}
