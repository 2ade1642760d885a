/** Whether both programs answer the same, and rightly: a figure of a wrong answer says nothing. */
import { isDeepStrictEqual } from 'node:util';
import type { Request } from './load/request-file.ts';
import type { Child } from './process/child.ts';

/** @throws Error with both answers when they differ, or one is not a 200. */
export async function checkAnswers(
  subject: Child,
  baseline: Child,
  requests: readonly Request[],
): Promise<void> {
  for (const request of [requests.at(0), requests.at(-1)]) {
    if (request === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- two requests
    const [ours, theirs] = await Promise.all([ask(subject, request), ask(baseline, request)]);
    if (isDeepStrictEqual(ours, theirs) && ours.status === 200) continue;
    const answers = `${JSON.stringify(ours)}\nbaseline: ${JSON.stringify(theirs)}`;
    throw new Error(`${request.path} is answered differently:\nsubject:  ${answers}`);
  }
}

/** The requests of clients that have the responses already. @throws Error when a response has no tag, or 304 does not come. */
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

async function ask(server: Child, request: Request) {
  const response = await send(server, request);
  const body: unknown = await response.json();
  return { status: response.status, body };
}

function send({ url }: Child, { path, headers = {} }: Request): Promise<Response> {
  return fetch(url + path, { headers });
}
