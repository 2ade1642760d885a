/** Errors of the mock services, as RFC 9457 problem documents. */
import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';

export function toProblem(status: number, detail?: string): Response {
  const title = STATUS_CODES[status] ?? 'Unknown status';
  return Response.json(
    { type: 'about:blank', title, status, ...(detail !== undefined && { detail }) },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );
}

/** Turns what zod found into one sentence per mistake, each saying where it is. */
export function toDetail(subject: string, error: z.ZodError): string {
  const mistakes = error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `at ${path.join('.')}: ${message}`,
  );
  return `${subject} is not valid. ${mistakes.join('; ')}`;
}
