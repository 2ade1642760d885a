import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call } from '../../src/dsl/steps.ts';
import { etagOf, isNamed } from '../../src/http/etag.ts';
import { assertProperty } from '../support/property.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { localPart, part, serve, value } from '../support/serve.ts';
import type { ServeOptions } from '../support/serve.ts';
import { raw } from '../support/raw-http.ts';

async function startKept(options: ServeOptions = { cache: { maxAge: 60 } }) {
  const app = await serve(() => ({ a: call(localPart, { name: 'a' }) }), options);
  let text = 'A';
  app.upstream.answerAll(() => value(text));
  const first = await app.ask();
  return {
    ...app,
    first,
    etag: first.headers.get('etag') ?? '',
    change: (changed: string) => void (text = changed),
  };
}

describe('ETag', () => {
  it('is strong, and the same as long as the body is the same', async () => {
    const { ask, etag, change } = await startKept();
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    expect((await ask()).headers.get('etag')).toBe(etag);
    change('B');
    expect((await ask()).headers.get('etag')).not.toBe(etag);
  });

  it('is absent where no cache may keep the response', async () => {
    expect((await startKept({})).first.headers.has('etag')).toBe(false);
    const app = await serve(() => ({ a: call(part, { name: 'a' }) }), { cache: { maxAge: 60 } });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', value('A'), 200, { 'cache-control': 'no-store' });
    expect((await answer).headers.has('etag')).toBe(false);
  });
});

describe('If-None-Match', () => {
  it('is answered with a 304 with the headers of a 200 if it names the tag', async () => {
    const { ask, etag, first } = await startKept();
    const { status, headers, json } = await ask({ headers: { 'if-none-match': etag } });
    expect({ status, json }).toEqual({ status: 304, json: undefined });
    for (const name of ['cache-control', 'etag', 'vary'])
      expect(headers.get(name), name).toBe(first.headers.get(name));
    expect(headers.has('content-type')).toBe(false);
  });

  it('applies to HEAD, too', async () => {
    const { ask, etag } = await startKept();
    const asked = (tag: string) => ask({ method: 'HEAD', headers: { 'if-none-match': tag } });
    expect((await asked(etag)).status).toBe(304);
    expect((await asked('"other"')).status).toBe(200);
  });

  it.each<[string, (etag: string) => string]>([
    ['weak', (etag) => `W/${etag}`],
    ['in a list', (etag) => `"a,b" , W/"",${etag},"c"`],
    ['in a list with empty elements', (etag) => `, ,${etag},`],
    ['as anything', () => '*'],
  ])('may name it %s', async (_, toHeader) => {
    const { ask, etag } = await startKept();
    expect((await ask({ headers: { 'if-none-match': toHeader(etag) } })).status).toBe(304);
  });

  it('may come in several lines', async () => {
    const { url, etag } = await startKept();
    const lines = ['if-none-match: "a"', `if-none-match: ${etag}`, 'connection: close'];
    const text = `GET /test HTTP/1.1\r\nhost: gateway\r\n${lines.join('\r\n')}\r\n\r\n`;
    expect((await raw(url, text)).status).toBe(304);
  });

  it.each<[string, (etag: string) => string]>([
    ['another tag', () => '"other"'],
    ['a part of it', (etag) => `${etag.slice(0, -2)}"`],
    ['it without quotes', (etag) => etag.slice(1, -1)],
    ['it in something that is no list', (etag) => `"a" ${etag}`],
    ['it with a small w', (etag) => `w/${etag}`],
    ['a star among others', () => '"a", *'],
  ])('that names %s is a 200', async (_, toHeader) => {
    const { ask, etag } = await startKept();
    const { status, json } = await ask({ headers: { 'if-none-match': toHeader(etag) } });
    expect({ status, json }).toEqual({ status: 200, json: { a: value('A') } });
  });

  it('is answered with a 200 and the present body if it names an earlier tag', async () => {
    const { ask, etag, change } = await startKept();
    change('B');
    const { status, json } = await ask({ headers: { 'if-none-match': etag } });
    expect({ status, json }).toEqual({ status: 200, json: { a: value('B') } });
  });

  it('is ignored where no cache may keep the response', async () => {
    const { ask } = await startKept({});
    expect((await ask({ headers: { 'if-none-match': '*' } })).status).toBe(200);
  });
});

const etagCharacter = fc
  .integer({ min: 0x21, max: 0xff })
  .filter((code) => code !== 0x22 && code !== 0x7f && !(code > 0x7f && code < 0x80))
  .map((code) => String.fromCharCode(code));
/** Characters as lists of tags have them, more often than not. Headers are read as Latin-1. */
const headerCharacter = fc.oneof(
  fc.constantFrom('"', ',', ' ', '*', 'W', '/', 'a'),
  fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
);
const anyTag = fc.string({ unit: etagCharacter, maxLength: 8 }).map((text) => `"${text}"`);
const anyElement = fc.tuple(fc.boolean(), anyTag);
const space = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 2 });

describe('the property: a list names exactly its tags', () => {
  it('holds for all characters and all spacing', () => {
    const separator = fc.tuple(space, space).map(([before, after]) => `${before},${after}`);
    assertProperty(
      fc.property(
        fc.array(anyElement, { minLength: 1, maxLength: 6 }),
        anyTag,
        separator,
        (elements, other, between) => {
          const list = elements.map(([weak, tag]) => (weak ? `W/${tag}` : tag)).join(between);
          for (const [, tag] of elements) expect(isNamed(tag, list)).toBe(true);
          expect(isNamed(other, list)).toBe(elements.some(([, tag]) => tag === other));
        },
      ),
    );
  });

  it('holds for a text that is no list: it names no tag, and is read in little time', () => {
    assertProperty(
      fc.property(fc.string({ unit: headerCharacter }), (text) => {
        expect(isNamed(etagOf('x'), text)).toBe(text.trim() === '*');
      }),
    );
    const spaces = ' '.repeat(200_000);
    for (const text of [`"a",${spaces}x`, `${'"a",'.repeat(40_000)}x`]) {
      expect(isNamed(etagOf('x'), text)).toBe(false);
      expect(cpuMsOf(() => isNamed(etagOf('x'), text))).toBeLessThan(1_000);
    }
  });
});
