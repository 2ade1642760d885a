/** Compositions whose every failure has something secret near it, and the service that answers with secrets. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A word nobody says by accident. */
export function canary(kind: string): string {
  return `canary-${kind}-${randomUUID().replaceAll('-', '')}`;
}

export const secrets = {
  authorization: canary('authorization'),
  cookie: canary('cookie'),
  apiKey: canary('key'),
  query: canary('query'),
  credentials: canary('credentials'),
  requestBody: canary('request'),
  requestKey: canary('field'),
  answerBody: canary('answer'),
  answerKey: canary('property'),
  answerHeader: canary('header'),
  setCookie: canary('setcookie'),
  errorBody: canary('error'),
};

/** Not a secret: it is in `url.path`, and in the `instance` of the client's own problems. Nowhere else. */
export const pathId = canary('id');

type Reply = (response: ServerResponse) => unknown;

const headers = { 'set-cookie': `s=${secrets.setCookie}`, 'x-internal': secrets.answerHeader };

function json(status: number, value: unknown, more: Readonly<Record<string, string>> = {}): Reply {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  return (response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers, ...more })
      .end(body);
}

const { answerBody, answerKey, answerHeader, errorBody, credentials } = secrets;
const failure = { error: errorBody, [errorBody]: errorBody };
const raw =
  (text: string): Reply =>
  ({ socket }) =>
    socket?.end(text);

/** The replies of the service, by the word in the path. */
const replies: Readonly<Record<string, Reply>> = {
  ok: json(200, { value: answerBody }),
  'status-500': json(500, failure),
  'status-503': json(503, failure, { 'retry-after': errorBody, 'cache-control': errorBody }),
  'status-404': json(404, failure),
  'status-422': json(422, failure),
  'status-429': json(429, failure, { 'retry-after': errorBody }),
  redirect: json(302, failure, { location: `http://u:${credentials}@127.0.0.1/${errorBody}` }),
  'not-json': json(200, `{"value": ${answerBody}`),
  'wrong-value': json(200, { value: { deep: answerBody } }),
  'wrong-key': json(200, { value: 'x', [answerKey]: answerBody }),
  'wrong-enum': json(200, { value: 'x', kind: answerBody }),
  'wrong-entry': json(200, { value: 'x', entries: { [answerKey]: answerBody } }),
  'too-large': json(200, { value: answerBody.repeat(500) }),
  'headers-too-large': json(200, {}, { 'x-large': answerHeader.repeat(1_000) }),
  encoding: json(200, answerBody, { 'content-encoding': answerHeader }),
  gzip: json(200, answerBody, { 'content-encoding': 'gzip' }),
  'not-http': raw(`HTTP/1.1 200 OK\r\n${answerHeader}\r\n\r\n${answerBody}`),
  'not-http-at-all': raw(answerBody),
  reset: ({ socket }) => socket?.destroy(),
  'broken-off': raw(`HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{"value":"${answerBody}`),
  hang: () => undefined,
};

/** Words for everything it can do but answer well. */
export const failures = Object.keys(replies).filter((how) => how !== 'ok');

export async function startLeaky(): Promise<string> {
  const server = createServer({ maxHeaderSize: 65_536 }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const [, how = ''] = (request.url ?? '').split(/[/?]/);
  (replies[how] ?? json(404, failure))(response);
}

const upstream = `
  import { defineService, operation } from 'plait';
  import { z } from 'zod';
  const common = { url: { env: 'LEAKY_URL' } };
  const forward = ['authorization', 'cookie', 'x-api-key'];
  const policies = { retry: false, timeoutMs: 300, maxBodyBytes: 10_000 };
  const leaky = defineService({ ...common, name: 'leaky', breaker: false, bulkhead: { concurrency: 64 } });
  const response = z.strictObject({
    value: z.string(),
    kind: z.enum(['a', 'b']).optional(),
    entries: z.record(z.string(), z.number()).optional(),
  });
  const probe = { ...policies, route: 'GET /:how/:id', query: z.object({ token: z.string().optional() }), forward, response };
  export const answer = operation(leaky, { name: 'answer', ...probe });
  const tripping = defineService({ ...common, name: 'tripping', breaker: { volume: 1 } });
  export const tripped = operation(tripping, { name: 'tripped', ...probe });
  const crowded = defineService({ ...common, name: 'crowded', breaker: false, bulkhead: { concurrency: 1, queue: 0 } });
  export const crowd = operation(crowded, { name: 'crowd', ...probe });
  export const anything = operation(leaky, { ...policies, name: 'anything', route: 'GET /ok', response: z.record(z.string(), z.string()) });
  export const write = operation(leaky, {
    ...policies, name: 'write', route: 'POST /:how', response,
    body: z.object({ card: z.string().max(100), extra: z.record(z.string(), z.string()).optional() }),
  });`;

/** A file with a composition that can use everything in here. */
export const composition = (config: string, compose: string): string => `
  import { call, defineComposition, map, operation, optional } from 'plait';
  import { z } from 'zod';
  import * as leaky from './upstreams/leaky.ts';
  const query = z.object({ token: z.string().max(200).optional() });
  const ask = (operation, { params, query }) => call(operation, { how: params.how, id: params.id, token: query.token });
  export default defineComposition({ ${config}, compose: ${compose} });`;

const probing = (name: string, operation: string): string =>
  composition(
    `query, route: 'GET /${name}/:how/:id'`,
    `(i) => ({ part: ask(leaky.${operation}, i) })`,
  );

/** For `folderWith`. */
export const compositions = {
  'upstreams/leaky.ts': upstream,
  'probe.ts': probing('probe', 'answer'),
  'tripped.ts': probing('tripped', 'tripped'),
  'crowded.ts': probing('crowded', 'crowd'),
  'tolerant.ts': composition(
    `query, route: 'GET /tolerant/:how/:id'`,
    `(i) => ({ part: optional(ask(leaky.answer, i)) })`,
  ),
  'throwing.ts': composition(
    `query, route: 'GET /throwing'`,
    `() => ({ never: map(call(leaky.anything, {}), ({ value }) => { throw new Error(value); }) })`,
  ),
  'mismatch.ts': composition(
    `query, route: 'GET /mismatch', response: z.object({ part: z.object({ value: z.number() }) })`,
    `() => ({ part: call(leaky.anything, {}) })`,
  ),
  'posted.ts': composition(
    `route: 'POST /posted/:how', body: z.strictObject({ card: z.string(), extra: z.record(z.string(), z.unknown()).optional() })`,
    `({ params, body }) => ({ part: call(leaky.write, { how: params.how, body }) })`,
  ),
};
