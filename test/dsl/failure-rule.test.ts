/** `missing`, `failure` and `problem`: what is refused when they are declared, with what advice. */
import { ignoredBody, lookup, operation } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { messageOf, things } from '../support/page.ts';

const body = z.object({ ok: z.literal(false), error: z.object({ code: z.int() }) });
const response = z.object({ id: z.string() });

function declare(options: object): string {
  const config = { name: 'x', route: 'GET /x', response, ...options };
  return messageOf(() => operation(things, config as never)); // what tsc refuses, too
}

describe('missing', () => {
  it('is one of two words', () => {
    expect(declare({ missing: true })).toBe('things.x: missing is true. Use "null" or "error".');
  });
});

describe('problem', () => {
  it.each<[string, unknown, string]>([
    ['no object', true, 'problem is true.'],
    ['another option', { errors: 'a', detail: 'b', code: 'c' }, 'unknown option "code" in problem'],
    ['no list', { detail: 'b' }, 'problem.errors is undefined, not a path. Use names of fields'],
    ['no text', { errors: 'a' }, 'problem.detail is undefined, not a path.'],
    ['an empty name', { errors: 'a..b', detail: 'b' }, 'in which a name is empty.'],
    [
      'a place that is no path',
      { errors: 'a', detail: 'b', pointer: ['c'] },
      'problem.pointer is ["c"], not a path.',
    ],
    ['a prototype', { errors: '__proto__', detail: 'b' }, 'but no answer has a "__proto__".'],
  ])('is refused with %s', (_, problem, words) => {
    expect(declare({ problem })).toContain(words);
  });

  it('is refused where answers have no body, and of a lookup', () => {
    const problem = { errors: 'errors', detail: 'detail' };
    expect(declare({ problem, route: 'HEAD /x', response: ignoredBody })).toBe(
      'things.x: problem reads the body of a 400 or 422, but the answer to a HEAD has none. Remove it.',
    );
    const config = { route: 'GET /x', keys: { query: 'ids' }, by: 'id', item: response, problem };
    expect(messageOf(() => lookup(things, config as never))).toContain('unknown option "problem"');
  });
});

describe('a failure rule', () => {
  it.each<[string, unknown, string]>([
    ['another option', { body, status: 400, code: 1 }, 'unknown option "code" in failure'],
    ['no object', true, 'failure is true. Write { body: … }.'],
    ['no schema', { body: {}, status: 400 }, 'failure.body is not a schema. Use zod, as in'],
    [
      'a schema that every object fits',
      { body: z.object({ error: z.string().optional() }), status: 400 },
      'failure.body fits an empty answer, so every answer might be a failure. Name a field that',
    ],
    ['a schema of nothing', { body: z.unknown(), status: 400 }, 'failure.body fits an empty'],
    [
      'an asynchronous schema',
      { body: z.object({ a: z.string().refine(async () => true) }), status: 400 },
      'failure.body has an asynchronous function',
    ],
    [
      'a success',
      { body, status: 200 },
      'failure.status is 200, which is not a failure. Use 400 to',
    ],
    ['no status', { body }, 'failure.status is undefined, not a path.'],
    ['a misspelt path', { body, status: 'error.kode' }, 'failure.status is "error.kode", which'],
    [
      'a table with a success',
      { body, status: { at: 'error.code', values: { a: 302 } } },
      'failure.status.values["a"] is 302, which is not a failure. Use 400 to 599.',
    ],
    [
      'a table without a path',
      { body, status: { values: { a: 404 } } },
      'failure.status is undefined, not a path. Use names of fields with dots between, as in',
    ],
    [
      'a table with another option',
      { body, status: { at: 'error.code', values: {}, default: 500 } },
      'unknown option "default" in failure.status',
    ],
  ])('is refused with %s', (_, failure, words) => {
    expect(declare({ failure })).toContain(words);
  });

  it('is refused where the body does not matter', () => {
    const failure = { body, status: 400 };
    for (const without of [ignoredBody, { status: z.int() }])
      expect(declare({ failure, response: without })).toBe(
        'things.x: failure looks into the body, which the response leaves out. Give it a schema, ' +
          'as z.unknown().',
      );
  });

  it('is checked in lookups, too', () => {
    const config = { name: 'y', route: 'GET /y', keys: { query: 'ids' }, by: 'id', item: response };
    const failure = { body, status: 99 };
    expect(messageOf(() => lookup(things, { ...config, failure } as never))).toBe(
      'things.y: failure.status is 99, which is not a failure. Use 400 to 599.',
    );
  });
});
