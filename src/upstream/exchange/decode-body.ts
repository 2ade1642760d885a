/** Undoes the content codings of an answer (RFC 9110, 8.4.1), within the bound for bodies. */
import { promisify } from 'node:util';
import {
  brotliDecompress,
  constants,
  gunzip,
  inflate,
  inflateRaw,
  zstdDecompress,
} from 'node:zlib';
import { codingsOf } from '../../content-coding.ts';
import type { Call } from '../call.ts';
import { callError } from '../call.ts';

type Called = Pick<Call, 'operation'>;
type Decode = (body: Buffer, bound: { readonly maxOutputLength: number }) => Promise<Buffer>;

/** Bytes after the end of the encoded body make it invalid. */
const whole = { rejectGarbageAfterEnd: true };

/** The largest window that a sender may use (RFC 9659): more could take 128 MiB of memory. */
const window = { params: { [constants.ZSTD_d_windowLogMax]: 23 } };

// By itself it fails at bytes after the end that are not another member (RFC 1952, 2.2).
const ungzip: Decode = promisify(gunzip);
const inflateZlib = promisify(inflate);
const inflateBare = promisify(inflateRaw);
const unbrotli = promisify(brotliDecompress);
const unzstd = promisify(zstdDecompress);

const decoders: Readonly<Record<string, Decode>> = {
  gzip: ungzip,
  'x-gzip': ungzip,
  deflate: (body, bound) =>
    (isZlib(body) ? inflateZlib : inflateBare)(body, { ...bound, ...whole }),
  br: (body, bound) => unbrotli(body, { ...bound, ...whole }),
  zstd: (body, bound) => unzstd(body, { ...bound, ...whole, ...window }),
};

/** Whether it begins with a zlib header (RFC 1950, 2.2): some services leave that out. */
function isZlib([first = 0, second = 0]: Uint8Array): boolean {
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}

/** Nobody needs more, and each takes time and memory. */
const mostCodings = 3;

/**
 * The body as it was before it was encoded; `undefined` if it is not encoded.
 *
 * @throws UpstreamError of kind `invalid-body` or `too-large`.
 */
export function decodeBody(
  call: Called,
  body: Buffer,
  field: string | readonly string[] | undefined,
): Promise<Buffer> | undefined {
  if (field === undefined || body.length === 0) return undefined;
  const codings = codingsOf(field);
  return codings.length === 0 ? undefined : decodeAll(call, body, codings);
}

async function decodeAll(call: Called, body: Buffer, codings: readonly string[]): Promise<Buffer> {
  if (codings.length > mostCodings || !codings.every((name) => Object.hasOwn(decoders, name)))
    throw callError(call, 'invalid-body', 'answered in a content encoding that is not supported');
  let decoded = body;
  for (const name of codings.toReversed()) {
    // oxlint-disable-next-line no-await-in-loop -- each takes the result of the one before
    decoded = await decodeOne(call, decoded, name);
  }
  return decoded;
}

async function decodeOne(call: Called, body: Buffer, name: string): Promise<Buffer> {
  const { maxBodyBytes } = call.operation.policies;
  try {
    return (await decoders[name]?.(body, { maxOutputLength: maxBodyBytes })) ?? body;
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    const message = tooLarge
      ? `decompresses to more than ${maxBodyBytes} bytes`
      : `is not valid ${name}`;
    throw callError(call, tooLarge ? 'too-large' : 'invalid-body', `its body ${message}`, {
      cause: error,
    });
  }
}
