/** Call → HTTP request. */
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Call } from './call.ts';
import { callError } from './call.ts';
import { targetOf } from './target.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

/** @throws UpstreamError of kind `invalid-argument` when the arguments do not fit the operation. */
export function toHttpRequest(call: Call, clock: Clock): HttpRequest {
  const { operation } = call;
  const query = operation.query ? parsed(call, operation.query, queryArguments(call), 'query') : {};
  const body = bodyOf(call);
  return {
    method: operation.route.method,
    target: targetOf(call, query as Record<string, unknown>), // an object schema gives an object
    headers: {
      accept: 'application/json',
      ...(body !== null && { 'content-type': 'application/json' }),
      'x-request-timeout-ms': String(Math.max(0, Math.floor(call.deadlineAt - clock.now()))),
      ...call.headers,
    },
    body,
  };
}

/** The arguments that do not go elsewhere: a strict schema would refuse them, a loose one let them in. */
function queryArguments({ operation, args }: Call): Record<string, unknown> {
  const elsewhere = new Set([...operation.route.params, operation.lookup?.by]);
  if (operation.body !== undefined) elsewhere.add('body');
  return Object.fromEntries(Object.entries(args).filter(([name]) => !elsewhere.has(name)));
}

function bodyOf(call: Call): string | null {
  const { body, lookup } = call.operation;
  if (call.keys !== undefined && lookup !== undefined && 'body' in lookup.keys) {
    return JSON.stringify({ [lookup.keys.body]: call.keys });
  }
  if (body === undefined) return null;
  const value = parsed(call, body, call.args['body'], 'body');
  return value === undefined ? null : JSON.stringify(value);
}

function parsed(call: Call, schema: z.ZodType, value: unknown, part: 'query' | 'body'): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [...(part === 'body' ? ['body'] : []), ...(issue?.path.map(String) ?? [])];
  throw callError(
    call,
    'invalid-argument',
    `argument "${path.join('.') || part}": ${issue?.message ?? 'does not fit'}`,
    { argument: path[0] ?? part },
  );
}
