/** Answers that no upstream gave. */
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Answer } from './answer.ts';
import type { Forged } from './toxic.ts';
import { toChunk, toHead } from './upstream.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

export async function forge(toxic: Forged): Promise<Answer> {
  switch (toxic.kind) {
    case 'garbage':
      return { pieces: [garbage(toxic.seed ?? 1, toxic.bytes ?? kibibyte)], ending: 'fin' };
    case 'header-flood':
      return { pieces: headersWithoutEnd(toxic.bytes ?? mebibyte), ending: 'fin' };
    case 'huge-body':
      return { pieces: hugeBody(toxic.bytes, toxic.chunked ?? false), ending: 'keep' };
    case 'bomb': {
      const body = await bombOf(toxic.bytes);
      return {
        pieces: [okHead(body.length, json, 'content-encoding', 'gzip'), body],
        ending: 'keep',
      };
    }
    case 'not-json': {
      const body = Buffer.from('<html>');
      const type = toxic.contentType ?? 'text/html';
      return { pieces: [okHead(body.length, type), body], ending: 'keep' };
    }
    case 'status':
      return { pieces: [bare(toxic.code)], ending: 'keep' };
    default:
      throw toxic satisfies never;
  }
}

const json = 'application/json';

function okHead(length: number, type: string, ...rest: string[]): Buffer {
  return toHead(200, ['content-type', type, 'content-length', String(length), ...rest]);
}

function bare(status: number): Buffer {
  if (status === 204 || status === 304) return toHead(status, []);
  return Buffer.concat([
    toHead(status, ['content-type', json, 'content-length', '2']),
    Buffer.from('{}'),
  ]);
}

/** The first byte is none that HTTP begins with, whatever the seed. */
function garbage(seed: number, length: number): Buffer {
  const next = randomBytes(seed);
  const bytes = Buffer.from(Array.from({ length }, next));
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

/** The generator mulberry32, of which a byte at a time is used. */
function randomBytes(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) & 0xff;
  };
}

function* headersWithoutEnd(bytes: number): Iterable<Buffer> {
  const start = Buffer.from('HTTP/1.1 200 OK\r\n');
  yield start;
  for (let sent = start.length, count = 0; sent < bytes; sent += kibibyte, count += 1) {
    yield Buffer.from(`${`x-flood-${count}: `.padEnd(kibibyte - 2, 'x')}\r\n`);
  }
}

function* hugeBody(bytes: number, chunked: boolean): Iterable<Buffer> {
  const frame = chunked ? toChunk : (piece: Buffer) => piece;
  yield chunked
    ? toHead(200, ['content-type', json, 'transfer-encoding', 'chunked'])
    : okHead(bytes, json);
  yield frame(Buffer.from('"'));
  const filler = Buffer.alloc(64 * kibibyte, 'x');
  for (let left = bytes - 2; left > 0; left -= filler.length) yield frame(filler.subarray(0, left));
  yield frame(Buffer.from('"'));
  if (chunked) yield toChunk(Buffer.alloc(0));
}

/** By size. Kept for the life of the process: a build takes half a second, and a bomb does not change. */
const bombs = new Map<number, Promise<Buffer>>();

/** Zeros, compressed to about a thousandth. */
export function bombOf(bytes = 200 * mebibyte): Promise<Buffer> {
  const bomb = bombs.get(bytes) ?? buffer(Readable.from(zeros(bytes)).pipe(createGzip()));
  bombs.set(bytes, bomb);
  return bomb;
}

function* zeros(bytes: number): Iterable<Buffer> {
  const filler = Buffer.alloc(mebibyte);
  for (let left = bytes; left > 0; left -= filler.length) yield filler.subarray(0, left);
}
