/** Misuses of `answer` that are refused at start-up: where, what was found, what to do. */
import {
  answer,
  call,
  defineComposition,
  defineService,
  each,
  given,
  operation,
  optional,
} from 'plait';
import type { Ref } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import * as fc from 'fast-check';
import { serializeCookie } from '../../src/cookie.ts';
import { assertProperty } from '../support/property.ts';
import { getThing, loadErrorOf, messageOf, page } from '../support/page.ts';

const allowed = 'Use 200 to 204, 301, 302, 303, 307, 308, 503, or a 4xx but 405, 407, 408, 411,';

type Thing = { id: string; owner: { name: string } | null };

function part(): unknown {
  return answer({}, { status: 201 });
}

function errorOf(options: object, template: unknown = {}): string {
  return loadErrorOf(page(() => answer(template, options)));
}

describe('answer()', () => {
  it.each<[string, object, string]>([
    [
      'an unknown option',
      { code: 1 },
      'answer(): unknown option "code". Known options: status, he',
    ],
    [
      'headers that are none',
      { headers: 'a' },
      'answer(): headers is not an object. Write headers: {',
    ],
    ['a partial status', { status: 206 }, `answer(): status 206 cannot be given. ${allowed}`],
    ['a 304', { status: 304 }, 'answer(): status 304 cannot be given.'],
    ['a status of the gateway', { status: 413 }, 'answer(): status 413 cannot be given.'],
    ['a failure', { status: 500 }, 'answer(): status 500 cannot be given.'],
    ['a status that is text', { status: '201' }, 'answer(): status of the type string cannot be'],
    ['a redirect to nowhere', { status: 303 }, 'answer(): status 303 needs headers.location.'],
    ['a 401 without a challenge', { status: 401 }, 'status 401 needs headers.www-authenticate.'],
    [
      'a 204 with a body',
      { status: 204 },
      'a 204 has no body. Return answer(null, { status: 204 })',
    ],
    [
      'an upper-case name',
      { headers: { Location: '/' } },
      '"Location" is not in lower case. Write',
    ],
    ['a name that is none', { headers: { 'a b': '/' } }, '"a b" is not a valid header name.'],
    ['one of the connection', { headers: { connection: 'x' } }, 'is set by the connection. Remove'],
    ['one of the gateway', { headers: { vary: 'x' } }, 'header "vary" is set by the gateway. Re'],
    [
      'one of CORS',
      { headers: { 'access-control-max-age': '1' } },
      'is set by the gateway. Remove',
    ],
    ['the lifetime', { headers: { 'cache-control': 'x' } }, 'Use cache of the composition.'],
    ['the lifetime of HTTP/1.0', { headers: { expires: '0' } }, 'Use cache of the composition.'],
    [
      'a type that is no JSON',
      { headers: { 'content-type': 'text/csv' } },
      'is not a type of JSON,',
    ],
    [
      'a line break',
      { headers: { 'x-a': 'a\nb' } },
      'answer(): headers.x-a has a character that a',
    ],
    ['an object', { headers: { 'x-a': { b: 1 } } }, 'headers.x-a is not text.'],
    ['a long text', { headers: { 'x-a': 'a'.repeat(8_193) } }, 'has more than 8192 characters, wh'],
    ['a cookie elsewhere', { headers: { 'x-a': { name: 'a', value: 'b' } } }, 'is not text.'],
    [
      'a cookie without a name',
      { headers: { 'set-cookie': { value: 'b' } } },
      'headers.set-cookie has a cookie without a name.',
    ],
  ])('refuses %s', (_, options, words) => {
    expect(errorOf(options)).toContain(words);
  });

  it('takes a 204 without a body', () => {
    expect(() => loadErrorOf(page(() => answer(null, { status: 204 })))).toThrow('nothing was');
  });

  it('is what compose() returns, and no part of it', () => {
    const words =
      'page: answer() is what compose() returns, not a part of it. Return it at the end.';
    expect(loadErrorOf(page(() => ({ a: part() })))).toBe(words);
    expect(loadErrorOf(page(() => [part()]))).toBe(words);
    expect(loadErrorOf(page(() => answer(part())))).toBe(words);
    expect(
      loadErrorOf(page(({ params }) => each(call(getThing, { id: params.id }).tags, part))),
    ).toBe(words);
    expect(
      loadErrorOf(page(({ params }) => given(call(getThing, { id: params.id }).owner, part))),
    ).toBe(words);
    expect(loadErrorOf(page(() => optional(part() as never)))).toContain('is not a reference but');
    expect(messageOf(() => answer({}))).toContain('answer()');
  });

  it.each<[string, (thing: Ref<Thing>) => object, string]>([
    [
      'a status that is text',
      ({ id }) => ({ status: id }),
      'status is a string, not a number. Com',
    ],
    [
      'an object',
      ({ owner }) => ({ headers: { 'x-a': owner } }),
      'headers.x-a is an object. Give a',
    ],
    [
      'an object in a list',
      ({ owner }) => ({ headers: { link: ['a', owner] } }),
      'headers.link is an object. Give a text: a field of it, or map().',
    ],
    [
      'a cookie with a misspelt field',
      ({ id }) => ({ headers: { 'set-cookie': [{ name: 'a', value: id, maxage: id }] } }),
      'headers.set-cookie has a cookie with an unknown field "maxage". Known: name, value, path,',
    ],
    [
      'a cookie whose prefix browsers would not believe',
      ({ id }) => ({ headers: { 'set-cookie': { name: '__Host-a', value: id, path: '/x' } } }),
      'a "__Host-" cookie, which has the path "/" and no domain.',
    ],
    [
      'a cookie without a value',
      ({ id }) => ({ headers: { 'set-cookie': { name: id } } }),
      'headers.set-cookie has a cookie without a value.',
    ],
  ])('refuses %s behind a reference', (_, options, words) => {
    const composed = page(({ params }) => answer({}, options(call(getThing, { id: params.id }))));
    expect(loadErrorOf(composed)).toContain(words);
  });

  it('is checked in its references like the template', () => {
    const misspelt = page(({ params }) => {
      const thing = call(getThing, { id: params.id });
      return answer(thing, { headers: { 'x-a': (thing as never as { nme: never }).nme } });
    });
    expect(loadErrorOf(misspelt)).toContain('the result of call(getThing) has no field "nme".');
  });
});

describe('a cached response', () => {
  const shop = defineService({ name: 'shop', url: 'http://shop' });
  const cookies = z.object({ 'set-cookie': z.array(z.string()) });
  const login = operation(shop, {
    name: 'login',
    route: 'GET /login',
    response: { headers: cookies },
  });

  it('sets no cookie', () => {
    const composition = defineComposition({
      route: 'GET /x',
      cache: { maxAge: 1 },
      compose: () => answer({}, { headers: { 'set-cookie': 'a=b' } }),
    });
    expect(loadErrorOf(composition)).toBe(
      'page: a response that sets a cookie is never cached. Remove cache, or the cookie.',
    );
  });

  it('is made of no answer that sets cookies', () => {
    const composition = defineComposition({
      route: 'GET /x',
      cache: { maxAge: 1 },
      compose: () => ({ cookies: call(login, {}).headers['set-cookie'] }),
    });
    expect(loadErrorOf(composition)).toBe(
      'page: shop.login sets cookies, so that its answers are for one client: a response with ' +
        'them is never cached. Remove cache.',
    );
  });
});

describe('a cookie', () => {
  const cookie = { name: 'a', value: 'b' };

  it.each<[object, string]>([
    [{}, 'a=b; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ value: '', maxAge: 0 }, 'a=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [
      { domain: 'a.example', path: '/x', httpOnly: false, secure: false, sameSite: 'Strict' },
      'a=b; Domain=a.example; Path=/x; SameSite=Strict',
    ],
    [{ maxAge: undefined, domain: null }, 'a=b; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ name: '__Host-a' }, '__Host-a=b; Path=/; HttpOnly; Secure; SameSite=Lax'],
  ])('with %j is %j', (fields, text) => {
    expect(serializeCookie({ ...cookie, ...fields })).toEqual({ text });
  });

  it.each<[object, string]>([
    [{ name: 'a b' }, 'has a cookie whose name cannot be sent. Use letters, digits, - and _'],
    [{ value: 'a;b' }, 'has a cookie whose value cannot be sent.'],
    [{ value: 1 }, 'has a cookie whose value cannot be sent.'],
    [{ path: 'x' }, 'has a cookie whose path cannot be sent. Use a path, as in "/orders"'],
    [{ path: '/;Domain=x' }, 'has a cookie whose path cannot be sent.'],
    [{ domain: 'a;b' }, 'has a cookie whose domain cannot be sent.'],
    [{ maxAge: 1.5 }, 'has a cookie whose maxAge cannot be sent. Use a whole number of seconds'],
    [{ httpOnly: 'no' }, 'has a cookie whose httpOnly cannot be sent. Use true or false'],
    [{ sameSite: 'lax' }, 'has a cookie whose sameSite cannot be sent. Use "Strict", "Lax" or'],
    [{ sameSite: 'None', secure: false }, 'that browsers take with secure: true only'],
    [{ name: '__secure-a', secure: false }, 'that browsers take with secure: true only'],
    [{ name: '__Host-a', path: '/x' }, 'a "__Host-" cookie, which has the path "/" and no domain'],
    [{ value: 'b'.repeat(4_096) }, 'has a cookie of more than 4096 bytes, which browsers drop'],
    [{ expires: 'x' }, 'has a cookie with an unknown field "expires". Known: name, value, path,'],
    [{ constructor: 'x' }, 'has a cookie with an unknown field "constructor".'],
  ])('with %j is refused', (fields, words) => {
    expect(serializeCookie({ ...cookie, ...fields })).toEqual({
      problem: expect.stringContaining(words),
    });
  });

  it('is never two, whatever its parts are', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab=;, "\\\r\n\0é/-_') });
    assertProperty(
      fc.property(text, text, text, (name, value, path) => {
        const made = serializeCookie({ name, value, path });
        if ('problem' in made) return;
        const [pair, ...attributes] = made.text.split('; ');
        expect(pair).toBe(`${name}=${value}`);
        expect(attributes).toEqual([`Path=${path}`, 'HttpOnly', 'Secure', 'SameSite=Lax']);
        expect(made.text).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });
});
