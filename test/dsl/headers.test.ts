/** Headers of operations: what is refused when they are declared or given, with what advice. */
import { call, ignoredBody, lookup, operation } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { headerValueProblem } from '../../src/header-value.ts';
import * as fc from 'fast-check';
import { assertProperty } from '../support/property.ts';
import { loadErrorOf, messageOf, page, things } from '../support/page.ts';

const text = z.string();
const body = z.object({ id: text });

function declare(options: object, route = 'GET /x'): string {
  const config = { name: 'x', route, response: body, ...options };
  return messageOf(() => operation(things, config as never)); // what tsc refuses, too
}

function named(name: string) {
  return { headers: z.object({ [name]: text }) };
}

describe('headers of an operation', () => {
  it.each<[string, object, string]>([
    ['no object', text, 'headers is not an object of headers. Use z.object(), as in'],
    ['an upper-case name', z.object({ 'If-Match': text }), '"If-Match" is not in lower case.'],
    [
      'a name that is none',
      z.object({ 'if match': text }),
      '"if match" is not a valid header name.',
    ],
    ['one of the connection', z.object({ te: text }), '"te" cannot be sent: it belongs to one con'],
    ['one of the gateway', z.object({ host: text }), '"host" cannot be sent: the gateway sends'],
    [
      'one of the body',
      z.object({ 'content-length': text }),
      '"content-length" cannot be sent: it',
    ],
    ['a range', z.object({ range: text }), '"range" cannot be sent: the service would answer with'],
    [
      'an object',
      z.object({ 'x-a': body }),
      '"x-a" is an object, but is sent as text. Use z.string',
    ],
    ['a list', z.object({ 'x-a': z.array(text) }), '"x-a" is an array, but is sent as text.'],
    [
      'a constant with a line break',
      z.object({ accept: z.literal('a\r\nb: c') }),
      '"accept" has a character that a header cannot carry, at position 2. Use visible ASCII.',
    ],
  ])('refuses %s', (_, headers, words) => {
    expect(declare({ headers })).toContain(words);
  });

  it('refuses a header that something else sends', () => {
    expect(declare({ ...named('x-tenant'), forward: ['x-tenant'] })).toBe(
      'things.x: header "x-tenant" is an argument, and is listed in forward. Remove one of them.',
    );
    const derived = { ...named('idempotency-key'), idempotencyKey: 'derived' };
    expect(declare(derived, 'POST /x')).toContain('is sent by idempotencyKey. Remove one of them.');
  });

  it('share one list of names with the other arguments', () => {
    const headers = z.object({ 'x-a': text });
    expect(declare({ headers, query: z.object({ headers: text }) })).toContain(
      'argument "headers" is declared twice',
    );
  });

  it('are checked in calls that tsc has not seen', () => {
    const put = operation(things, {
      name: 'put',
      route: 'PUT /x',
      headers: z.object({ 'if-match': text, accept: z.literal('text/x'), 'x-a': text.optional() }),
      response: body,
    });
    const errorOf = (args: object) => loadErrorOf(page(() => call(put, args as never)));
    const takes = 'It takes: if-match, x-a.';
    expect(errorOf({})).toBe(
      'page: call(put) is missing its argument "headers". It takes: headers.',
    );
    expect(errorOf({ headers: {} })).toBe(
      `page: call(put) is missing its header "if-match". ${takes}`,
    );
    expect(errorOf({ headers: { 'if-match': 'a', accept: 'text/y' } })).toBe(
      `page: call(put) has no header "accept". ${takes}`,
    );
  });
});

describe('response with parts', () => {
  it.each<[string, unknown, string]>([
    ['no schema', undefined, 'response is undefined. Use a schema, as z.object({ … }).'],
    ['no part', {}, 'response has no part. Declare body, headers or status.'],
    [
      'an unknown part',
      { body, trailers: body },
      'unknown option "trailers" in response. Known options: body, headers, status.',
    ],
    [
      'fields without z.object()',
      { id: text },
      'unknown option "id" in response. Known options: body, headers, status. The schema of an ' +
        'object is z.object({ … }).',
    ],
    ['a part that is no schema', { body: {} }, 'response.body is not a schema. Use zod'],
    ['headers without names', { headers: text }, 'response.headers is not an object of headers.'],
    ['an upper-case name', { headers: z.object({ ETag: text }) }, '"ETag" is not in lower case.'],
    [
      'a number that is not coerced',
      { headers: z.object({ 'x-count': z.number() }) },
      'response header "x-count" expects a number, but arrives as text. Use z.coerce, as in',
    ],
    [
      'a list that is no cookies',
      { headers: z.object({ link: z.array(text) }) },
      'response header "link" expects an array, but arrives as text. Use z.string(): a header',
    ],
    [
      'cookies that are no list',
      { headers: z.object({ 'set-cookie': text }) },
      'response header "set-cookie" expects a string, but is a list of texts. Use z.array(',
    ],
    [
      'a status of no success',
      { status: z.literal(404) },
      'response.status fits no success, which',
    ],
  ])('refuses %s', (_, response, words) => {
    expect(declare({ response })).toContain(words);
  });

  it.each([
    ['cache', { cache: { ttlMs: 1_000 } }, 'cached'],
    ['coalesce', { coalesce: true }, 'shared'],
    ['hedge', { hedge: {} }, 'asked for twice at once'],
  ])('refuses %s where answers set cookies', (option, config, done) => {
    const response = { headers: z.object({ 'set-cookie': z.array(text) }) };
    expect(declare({ response, ...config })).toBe(
      `things.x: an answer that sets cookies is for one client, so it is never ${done}. ` +
        `Remove ${option}.`,
    );
  });

  it('belongs to no key of a lookup', () => {
    const config = { route: 'GET /x', keys: { query: 'ids' }, by: 'id' };
    const declared = (parts: object) => () => lookup(things, { ...config, ...parts } as never);
    const words =
      'things.getX: a lookup answers many keys, so headers and status belong to none. Use operation().';
    const headers = z.object({ 'set-cookie': z.array(text) });
    expect(messageOf(declared({ item: { body, headers } }))).toBe(words);
    expect(messageOf(declared({ item: body, response: { headers } }))).toBe(words);
  });

  it('has no body for a HEAD, which only operations send', () => {
    expect(declare({ response: body }, 'HEAD /x')).toBe(
      'things.x: the answer to a HEAD has no body. Use response: { headers, status }, or ' +
        'ignoredBody.',
    );
    expect(operation(things, { route: 'HEAD /y', response: ignoredBody }).safe).toBe(true);
  });
});

describe('a value of a header', () => {
  const ascii = fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code));

  it('has no line break, nothing beyond ASCII, and no white space around it', () => {
    assertProperty(
      fc.property(fc.string({ unit: fc.oneof(ascii, fc.string()), maxLength: 8 }), (value) => {
        const isSendable = /^[\t\x20-\x7e]*$/.test(value) && value.trim() === value;
        expect(headerValueProblem(value) === undefined).toBe(isSendable);
      }),
    );
  });

  it.each(['a\r\nb: c', 'a\nb', 'a\0', ' a', 'a\t', 'é', '\u{1f600}'])('is not %j', (value) => {
    expect(headerValueProblem(value)).toMatch(/ a header cannot carry/);
  });
});
