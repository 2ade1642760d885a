/** Answers of the real upstream that arrive late, in part or wrongly announced. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Exchange } from './answer.ts';
import type { Altered } from './toxic.ts';
import type { Whole } from './upstream.ts';

/** Fits every receive window, so the peer has it all before the RST, which drops what is still to be sent. */
const mostBeforeReset = 16 * 1024;

export async function alter(toxic: Altered, { ask, signal }: Exchange): Promise<Answer> {
  const reply = await ask();
  const ending = reply.closes ? 'fin' : 'keep';
  switch (toxic.kind) {
    case 'none':
      return { pieces: reply.pieces, ending };
    case 'latency':
      return { pieces: delayed(reply.pieces, toxic.ms, signal), ending };
    case 'slow-drip':
      return { pieces: dripped(reply.pieces, toxic.everyMs, signal), ending };
    default:
      return spoil(toxic, await reply.whole());
  }
}

type Spoilt = Exclude<Altered, { kind: 'none' | 'latency' | 'slow-drip' }>;

function spoil(toxic: Spoilt, { head, body }: Whole): Answer {
  const half = Math.floor(body.length / 2);
  switch (toxic.kind) {
    case 'reset-after-headers':
      return {
        pieces: [Buffer.concat([head(), body.subarray(0, Math.min(half, mostBeforeReset))])],
        ending: 'reset',
      };
    case 'truncate':
      return { pieces: [head(), body.subarray(0, half)], ending: 'fin' };
    case 'wrong-length':
      return { pieces: [head(Math.max(0, body.length + toxic.offBy)), body], ending: 'keep' };
    case 'keep-alive-race':
      return { pieces: [head(), body], ending: toxic.closes === 'at-once' ? 'fin' : 'keep' };
    default:
      throw toxic satisfies never;
  }
}

/** Reads ahead, so that each piece waits from its own arrival, but never more than 64 pieces. */
function delayed(
  pieces: AsyncIterable<Buffer>,
  ms: number,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  return Readable.from(pieces).map(
    (piece: Buffer, options) => sleep(ms, piece, { signal: options?.signal }),
    { concurrency: 64, signal },
  );
}

async function* dripped(
  pieces: AsyncIterable<Buffer>,
  everyMs: number,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  for await (const piece of pieces) {
    for (const byte of piece) {
      await sleep(everyMs, undefined, { signal });
      yield Buffer.of(byte);
    }
  }
}
