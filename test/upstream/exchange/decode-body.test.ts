/** Content codings of answers: decoded whole within the bound, or an error. */
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { startServer } from '../../support/servers.ts';
import { failureOf, openShop } from '../../support/upstream-calls.ts';

/** A call of `shop.getOrder`, which is answered with this body. */
async function startAnswering(body: Uint8Array, coding: string | string[]) {
  const { url } = await startServer((_, response) => {
    response.setHeader('content-encoding', coding);
    response.end(body);
  });
  const { service, call } = openShop({ url, clock: createFakeClock() });
  return (response: z.ZodType = z.unknown()) =>
    call(operation(service, { name: 'getOrder', route: 'GET /order', response }), {}, undefined);
}

const value = { id: 'ä', lines: Array.from({ length: 40 }, (_, index) => (index * 7919) % 1_000) };
const plain = Buffer.from(JSON.stringify(value));
const half = plain.length >> 1;
const encoders = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};
const each = Object.entries(encoders);

/** Bodies that were changed after they were encoded: by coding, and how they differ. */
function ofEach(how: string, change: (body: Buffer) => Buffer): [string, string, Buffer][] {
  return each.map(([name, encode]) => [name, how, change(encode(plain))]);
}

describe('an encoded body', () => {
  it.each([
    ['gzip', gzipSync(plain)],
    ['GZIP', gzipSync(plain)],
    ['x-gzip', gzipSync(plain)],
    [
      'gzip',
      Buffer.concat([gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half))]), // RFC 1952
    ],
    ['deflate', deflateSync(plain)],
    ['deflate', deflateRawSync(plain)],
    ['br', brotliCompressSync(plain)],
    ['zstd', zstdCompressSync(plain)],
    ['identity', plain],
    ['none', plain],
    ['None', plain],
    ['', plain],
    [' , ', plain],
    ['identity, gzip', gzipSync(plain)],
    ['gzip, none', gzipSync(plain)],
    ['gzip, gzip', gzipSync(gzipSync(plain))],
    ['deflate,br , zstd', zstdCompressSync(brotliCompressSync(deflateSync(plain)))],
    [['gzip', 'br'], brotliCompressSync(gzipSync(plain))],
  ])('is read if its content encoding is "%s"', async (coding, body) => {
    const getOrder = await startAnswering(body, coding);
    expect(await getOrder()).toMatchObject({ value });
  });

  it.each([
    ['compress', plain],
    ['utf-8', plain],
    ['constructor', plain],
    ['gzip;q=1', gzipSync(plain)],
    ['gzip, lzma', gzipSync(plain)],
    ['gzip, gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(gzipSync(plain))))],
  ])('is an error if its content encoding is "%s"', async (coding, body) => {
    const getOrder = await startAnswering(body, coding);
    expect(await failureOf(getOrder())).toMatchObject({
      kind: 'invalid-body',
      message: 'shop.getOrder: answered in a content encoding that is not supported',
    });
  });

  it.each<[string, string, Buffer]>([
    ['gzip', 'is not encoded', plain],
    ['br', 'is gzip', gzipSync(plain)],
    ['gzip, br', 'was encoded in the other order', gzipSync(brotliCompressSync(plain))],
    ...ofEach('has no more than half', (body) => cut(body, 0.5)),
    ...ofEach('lacks its last byte', (body) => body.subarray(0, -1)),
    ...ofEach('goes on', (body) => Buffer.concat([body, plain])),
    ['gzip', 'lacks its trailer', gzipSync(plain).subarray(0, -8)],
    ['deflate', 'lacks its checksum', deflateSync(plain).subarray(0, -4)],
    ['deflate', 'is raw and lacks its last byte', deflateRawSync(plain).subarray(0, -1)],
    ['gzip', 'has a wrong checksum', wrongAt(gzipSync(plain), -8)],
    ['gzip', 'has half a member more', Buffer.concat([gzipSync(plain), cut(gzipSync(plain), 0.5)])],
    [
      'zstd',
      'takes more memory than RFC 9659 allows',
      zstdCompressSync(Buffer.alloc(9 * 1024 * 1024, ' '), {
        params: { [constants.ZSTD_c_windowLog]: 24 },
      }),
    ],
  ])('is an error, not a part, if it is %s and %s', async (coding, _, body) => {
    const getOrder = await startAnswering(body, coding);
    const name = coding.split(', ').at(-1);
    expect(await failureOf(getOrder())).toMatchObject({
      kind: 'invalid-body',
      message: `shop.getOrder: its body is not valid ${name}`,
    });
  });

  const mebibyte = 1024 * 1024;
  const tooMuch = Buffer.alloc(6 * mebibyte, ' ');

  it.each<[string, Buffer]>([
    ...each.map(([name, encode]): [string, Buffer] => [name, encode(tooMuch)]),
    ['deflate', deflateRawSync(tooMuch)],
    ['gzip', Buffer.concat([gzipSync(tooMuch.subarray(half)), gzipSync(tooMuch)])],
    ['gzip, gzip', gzipSync(gzipSync(tooMuch))],
    ['gzip, br', brotliCompressSync(gzipSync(tooMuch))],
  ])('fails with the kind too-large if it is a bomb of %s', async (coding, body) => {
    const getOrder = await startAnswering(body, coding);
    expect(await failureOf(getOrder())).toMatchObject({
      kind: 'too-large',
      message: 'shop.getOrder: its body decompresses to more than 5242880 bytes',
    });
  });

  it('is read if it has exactly 5 MiB', async () => {
    const long = 'a'.repeat(5 * mebibyte - 2);
    const getOrder = await startAnswering(gzipSync(JSON.stringify(long)), 'gzip');
    expect((await getOrder()).value === long).toBe(true);
  });

  it.each(['gzip', 'br', 'lzma'])('is no body if it is empty and %s', async (coding) => {
    const getOrder = await startAnswering(Buffer.alloc(0), coding);
    expect(await getOrder(z.null())).toMatchObject({ value: null });
  });

  it.each(each)('is no body if nothing was encoded by %s', async (coding, encode) => {
    const getOrder = await startAnswering(encode(Buffer.alloc(0)), coding);
    expect(await getOrder(z.null())).toMatchObject({ value: null });
  });
});

function cut(bytes: Buffer, share: number): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length * share));
}

function wrongAt(bytes: Buffer, index: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bytes.length + index] = (changed.at(index) ?? 0) ^ 1;
  return changed;
}
