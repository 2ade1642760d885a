/** The client's cookies: which are read, refused and handed to `compose`. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { serializeCookie } from '../../src/cookie.ts';
import { readCookies } from '../../src/http/cookies.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { assertProperty } from '../support/property.ts';
import { raw } from '../support/raw-http.ts';

const page = defineComposition({
  route: 'GET /page',
  cookies: z.object({
    theme: z.enum(['light', 'dark']).default('light'),
    per: z.coerce.number().optional(),
    'a.b': z.string().optional(),
  }),
  cache: { maxAge: 60, visibility: 'public' },
  compose: ({ cookies }) => ({ theme: cookies.theme, per: cookies.per, ab: cookies['a.b'] }),
});

async function startPage() {
  const { url } = await startWithMocks({ compositions: { page } });
  const ask = async (...headers: readonly string[]) => {
    const lines = headers.map((one) => `cookie: ${one}\r\n`).join('');
    const text = `GET /page HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${lines}\r\n`;
    const answer = await raw(url, text);
    return { ...answer, json: JSON.parse(answer.body) };
  };
  return { ask };
}

describe('the cookies of a request', () => {
  it.each([
    ['none', [], { theme: 'light' }],
    ['an empty header', [''], { theme: 'light' }],
    ['one', ['theme=dark'], { theme: 'dark' }],
    ['several in one header', ['theme=dark; per=20'], { theme: 'dark', per: 20 }],
    ['several headers', ['theme=dark', 'per=20'], { theme: 'dark', per: 20 }],
    [
      'no space, or more of it',
      ['theme=dark;per=20 ;  a.b = x '],
      { theme: 'dark', per: 20, ab: 'x' },
    ],
    ['an empty value', ['a.b='], { theme: 'light', ab: '' }],
    ['a value with =', ['a.b=x=y=='], { theme: 'light', ab: 'x=y==' }],
    ['quotes, which are a part of the value', ['a.b="x y"'], { theme: 'light', ab: '"x y"' }],
    ['percent signs, which are a part of it, too', ['a.b=%20'], { theme: 'light', ab: '%20' }],
    ['other cookies, also twice', ['sid=1; sid=2; theme=dark'], { theme: 'dark' }],
    ['names in other letters, which are others', ['Theme=dark'], { theme: 'light' }],
    ['parts that are no cookies', ['theme; ; =dark; dark'], { theme: 'light' }],
    ['names of the prototype', ['__proto__=x; constructor=y'], { theme: 'light' }],
  ] as const)('are read: %s', async (_, headers, expected) => {
    const { ask } = await startPage();
    const { status, json } = await ask(...headers);
    expect({ status, json }).toEqual({ status: 200, json: expected });
  });

  it.each([
    ['a value that does not fit', ['theme=canary'], 'theme', 'Invalid option'],
    ['a number that is none', ['per=many'], 'per', 'Invalid input'],
    ['a cookie twice', ['theme=dark; theme=dark'], 'theme', 'is given more than once'],
    ['a cookie in two headers', ['theme=dark', 'theme=light'], 'theme', 'is given more than once'],
    ['bytes beyond ASCII', ['a.b=caf\u00e9'], 'a.b', 'has characters that are not ASCII'],
  ] as const)('are refused by name, without the value: %s', async (_, headers, name, detail) => {
    const { ask } = await startPage();
    const { status, body, json } = await ask(...headers);
    expect(status).toBe(400);
    expect(json.errors).toEqual([
      { in: 'cookie', pointer: `/${name}`, detail: expect.stringContaining(detail) },
    ]);
    expect(body).not.toContain('canary');
  });

  it('make the response private, and vary it by all of them', async () => {
    const { ask } = await startPage();
    const { headers } = await ask('theme=dark');
    expect(headers['cache-control']).toMatch(/^private, max-age=60/);
    expect(headers['vary']?.split(', ')).toContain('cookie');
  });

  it('are read as they were written', () => {
    const octets = [...Array(0x7f).keys()]
      .map((code) => String.fromCharCode(code))
      .filter((one) => 'text' in serializeCookie({ name: 'a', value: one }));
    const value = fc.string({ unit: fc.constantFrom(...octets), maxLength: 20 });
    assertProperty(
      fc.property(value, value, (first, second) => {
        const written = [
          ['a', first],
          ['b', second],
        ].map(([name, own]) => {
          const set = serializeCookie({ name, value: own });
          return 'text' in set ? set.text.split(';', 1)[0] : '';
        });
        const read = readCookies(written.join('; '), new Set(['a', 'b']));
        expect([...read]).toEqual([
          ['a', [first]],
          ['b', [second]],
        ]);
      }),
    );
  });
});
