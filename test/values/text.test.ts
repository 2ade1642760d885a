/** Text of bodies: what is not UTF-8 is an error that names the byte, and never U+FFFD. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import { call } from '../../src/dsl/steps.ts';
import { utf8Text } from '../../src/utf8.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { assertProperty } from '../support/property.ts';
import { serve } from '../support/serve.ts';

const service = defineService({ name: 'upstream', url: { env: 'UPSTREAM_URL' } });
const texts = operation(service, { route: 'GET /texts', response: z.unknown() });

/** `["…"]` with these bytes between the quotes. */
const quoted = (...bytes: number[]) => Buffer.from([0x5b, 0x22, ...bytes, 0x22, 0x5d]);

const invalid: [string, Buffer, number][] = [
  ['a byte of Latin-1', quoted(0x61, 0xfc, 0x61), 3],
  ['a lone continuation', quoted(0x80), 2],
  ['an overlong slash', quoted(0xc0, 0xaf), 2],
  ['an overlong slash of three bytes', quoted(0xe0, 0x80, 0xaf), 2],
  ['an overlong one of four', quoted(0xf0, 0x80, 0x80, 0xaf), 2],
  ['an encoded surrogate', quoted(0x61, 0xed, 0xa0, 0x80), 3],
  ['what is beyond U+10FFFF', quoted(0xf4, 0x90, 0x80, 0x80), 2],
  ['a character that breaks off', quoted(0xe2, 0x82), 2],
  ['a byte that is never used', quoted(0xff), 2],
  ['UTF-16', Buffer.from('["a"]', 'utf16le').subarray(0, 3).fill(0xfe, 1), 1],
];

function outcomeOf(bytes: Buffer): unknown {
  try {
    return utf8Text(bytes);
  } catch (error) {
    return (error as { at?: number }).at;
  }
}

const ask = async (type: string, body: Buffer) => {
  const app = await serve(() => call(texts, {}));
  void app.upstream.answer('GET /texts', body, 200, { 'content-type': type });
  return app.ask();
};

describe('a text that is not UTF-8', () => {
  it('is found exactly where the platform finds it', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const isValid = (bytes: Uint8Array): boolean => {
      try {
        decoder.decode(bytes);
        return true;
      } catch {
        return false;
      }
    };
    const byte = fc.oneof(
      fc.constantFrom(0x61, 0x80, 0xbf, 0xc2, 0xe0, 0xa0, 0xed, 0x9f, 0xef, 0xf0, 0x90, 0xf4, 0x8f),
      fc.nat(255),
    );
    assertProperty(
      fc.property(fc.array(byte, { maxLength: 12 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        const outcome = outcomeOf(buffer);
        const at = typeof outcome === 'number' ? outcome : bytes.length;
        expect(typeof outcome === 'string').toBe(isValid(buffer));
        expect(isValid(buffer.subarray(0, at))).toBe(true);
      }),
      { full: 20_000 },
    );
  });

  it.each(invalid)(
    'from a service, as %s, is an error that names the byte',
    async (_, body, at) => {
      const app = await serve(() => call(texts, {}));
      app.upstream.answerAll(() => body);
      const { status, json } = await app.ask();
      expect([status, json.type]).toEqual([502, 'urn:plait:problem:upstream-invalid-body']);
      expect(() => utf8Text(body)).toThrow(`is not UTF-8 at byte ${at} (RFC 8259, 8.1)`);
    },
  );

  it.each(invalid)('from a client, as %s, is a 400 that names the byte', async (_, body, at) => {
    const test = defineComposition({
      route: 'POST /test',
      body: z.unknown(),
      compose: (inputs) => ({ body: inputs.body }),
    });
    const app = await startWithMocks({ compositions: { test } });
    for (const sent of [body, ReadableStream.from([body])]) {
      const init = { method: 'POST', body: sent, headers: { 'content-type': 'application/json' } };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, json } = await app.get('/test', { ...init, duplex: 'half' } as RequestInit);
      expect(status).toBe(400);
      expect(json.errors).toEqual([
        { in: 'body', pointer: '', detail: `is not UTF-8 at byte ${at} (RFC 8259, 8.1)` },
      ]);
    }
  });
});

describe('the charset that a service declares', () => {
  it.each([
    ['application/json', 'ü€', Buffer.from('["ü€"]')],
    ['application/json; charset=UTF-8', 'ü€', Buffer.from('["ü€"]')],
    ['application/json;charset="utf8"', 'ü€', Buffer.from('["ü€"]')],
    ['application/json; charset=', 'ü€', Buffer.from('["ü€"]')],
    ['application/json; v="; charset=latin1"; charset=UTF8', 'ü€', Buffer.from('["ü€"]')],
    ['application/json; charset="utf\\-8"', 'ü€', Buffer.from('["ü€"]')],
    ['application/json; v=1; Charset = us-ascii', 'ue', Buffer.from('["ue"]')],
    ['application/json; charset=utf-8', 'ü', Buffer.from('\uFEFF["ü"]')],
    [
      'application/json; charset=ISO-8859-1',
      'ü\u0080',
      Buffer.from([0x5b, 0x22, 0xfc, 0x80, 0x22, 0x5d]),
    ],
    [
      'application/json; charset=windows-1252',
      'ü€',
      Buffer.from([0x5b, 0x22, 0xfc, 0x80, 0x22, 0x5d]),
    ],
    ["application/json; charset='utf-8'", 'ü€', Buffer.from('["ü€"]')],
    ['application/json; charset=utf-8, application/json', 'ü€', Buffer.from('["ü€"]')],
    ['application/json; charset=ISO8859-1', 'ü', Buffer.from('["ü"]', 'latin1')],
    ['application/json; charset=iso_8859-1', 'ü', Buffer.from('["ü"]', 'latin1')],
    ['application/json; charset=cp1252', '€', Buffer.from([0x5b, 0x22, 0x80, 0x22, 0x5d])],
    ['application/json; charset=ascii', 'ue', Buffer.from('["ue"]')],
  ])('%s is decoded by it', async (type, text, body) => {
    expect(await ask(type, body)).toMatchObject({ status: 200, json: [text] });
  });

  it.each(['utf-16', 'iso-8859-15', 'shift_jis', 'no such "thing'])(
    '%s is an error',
    async (charset) => {
      const { status, json } = await ask(`application/json; charset=${charset}`, Buffer.from('[]'));
      expect([status, json.type]).toEqual([502, 'urn:plait:problem:upstream-invalid-body']);
    },
  );
});
