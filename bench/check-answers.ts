/** Checks that all programs answer the same, and rightly: no figure of a wrong answer counts. */
import { isDeepStrictEqual } from 'node:util';
import type { Request } from './load/request-file.ts';
import type { Child } from './process/child.ts';
import type { Program } from './programs.ts';
import type { Traffic } from './row.ts';

/** A program that has been started. */
export interface Running {
  readonly program: Program;
  readonly server: Child;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * @throws Error with both answers when one differs from the subject's, or has another status than
 * it should.
 */
export async function checkAnswers(
  [subject, ...others]: readonly Running[],
  load: Traffic,
): Promise<void> {
  if (subject === undefined) return;
  const status = (load.kind === 'full' ? load.status : undefined) ?? 200;
  for (const request of [load.requests.at(0), load.requests.at(-1)]) {
    if (request === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- two requests
    const expected = await ask(subject, request);
    if (expected.status !== status) throw new Error(describe(request, subject, expected));
    // oxlint-disable-next-line no-await-in-loop -- two requests
    await Promise.all(others.map((other) => checkAnswer(other, request, expected)));
  }
}

async function checkAnswer(other: Running, request: Request, expected: Answer): Promise<void> {
  const answer = await ask(other, request);
  if (isDeepStrictEqual(answer, expected)) return;
  throw new Error(`${describe(request, other, answer)}\nexpected: ${JSON.stringify(expected)}`);
}

function describe({ path }: Request, { program }: Running, answer: Answer): string {
  return `${path} is answered wrongly by ${program.name}: ${JSON.stringify(answer)}`;
}

/** The answer as Plait would give it, but for the id of the request, which is always another. */
async function ask({ program, server }: Running, request: Request): Promise<Answer> {
  const response = await send(server, program.toRequest?.(request) ?? request);
  const body: unknown = await response.json();
  const answer = program.toAnswer?.(body) ?? body;
  return { status: response.status, body: withoutId(answer) };
}

function withoutId(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('requestId' in answer)) return answer;
  const { requestId: _, ...rest } = answer;
  return rest;
}

/**
 * The requests of clients that have the responses already.
 * @throws Error when a response has no tag, or 304 does not come.
 */
export function revalidating(
  server: Child,
  requests: readonly Request[],
): Promise<readonly Request[]> {
  return Promise.all(
    requests.map(async (request) => {
      const first = await send(server, request);
      const tag = first.headers.get('etag');
      if (tag === null) throw new Error(`${request.path} has no entity tag.`);
      const again = { ...request, headers: { ...request.headers, 'if-none-match': tag } };
      const { status } = await send(server, again);
      if (status === 304) return again;
      throw new Error(`${request.path} is answered with ${status} to its own tag, not with 304.`);
    }),
  );
}

function send({ url }: Child, { path, headers = {}, body }: Request): Promise<Response> {
  return fetch(url + path, { headers, ...(body !== undefined && { method: 'POST', body }) });
}
