/**
 * The answer that a toxic makes of one request: bytes, and the end of the connection after them.
 */
import { alter } from './altered.ts';
import { forge } from './forged.ts';
import type { Request } from './request.ts';
import type { Toxic } from './toxic.ts';
import type { Reply } from './upstream.ts';

export interface Answer {
  readonly pieces: AsyncIterable<Buffer> | Iterable<Buffer>;
  readonly ending: Ending;
}

/** `hang` sends nothing more and keeps the connection from answering further requests. */
export type Ending = 'keep' | 'fin' | 'reset' | 'hang';

export interface Exchange {
  readonly request: Request;
  /** The connection has brought a request before. */
  readonly reused: boolean;
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal;
  /** Sends the request to the upstream. */
  ask(): Promise<Reply>;
}

const reset: Answer = { pieces: [], ending: 'reset' };

export async function toAnswer(toxic: Toxic, exchange: Exchange): Promise<Answer> {
  switch (toxic.kind) {
    case 'refuse':
    case 'reset-before-headers':
      return reset;
    case 'hang':
      return { pieces: [], ending: 'hang' };
    case 'garbage':
    case 'header-flood':
    case 'huge-body':
    case 'bomb':
    case 'not-json':
    case 'status':
      return forge(toxic);
    case 'keep-alive-race':
      return toxic.closes === 'on-next-request' && exchange.reused ? reset : alter(toxic, exchange);
    default:
      return alter(toxic, exchange);
  }
}
