/** The ways in which an upstream goes wrong, as data. */

export type Toxic = Silent | Altered | Forged;

/** Nothing is answered, and the upstream is not asked. */
export type Silent =
  /** The listener is closed: no connection can be made. One that is there is reset by its next request. */
  | { readonly kind: 'refuse' }
  /** RST as soon as the request has arrived whole. */
  | { readonly kind: 'reset-before-headers' }
  /** Reads the request and leaves the connection open. */
  | { readonly kind: 'hang' };

/** The upstream is asked, and what it answers arrives otherwise. */
export type Altered =
  | { readonly kind: 'none' }
  /** Every piece, the head too, arrives `ms` milliseconds after the upstream has sent it. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** The whole answer, the head too, byte by byte, one every `everyMs` milliseconds. */
  | { readonly kind: 'slow-drip'; readonly everyMs: number }
  /** The head and half of the body, at most 16 KiB, then RST. */
  | { readonly kind: 'reset-after-headers' }
  /** The head, which announces the whole body, and half of the body, then FIN. */
  | { readonly kind: 'truncate' }
  /**
   * The whole body under a Content-Length that is `offBy` bytes too large or, below 0, too small. The
   * connection stays open: the peer waits for the rest, or has bytes left in front of the next answer.
   */
  | { readonly kind: 'wrong-length'; readonly offBy: number }
  /**
   * A good answer with `connection: keep-alive`. Then the connection is closed `at-once`, or it is
   * reset `on-next-request`, which is every request that is not the first of its connection.
   */
  | { readonly kind: 'keep-alive-race'; readonly closes: 'at-once' | 'on-next-request' };

/** The upstream is not asked: the answer is made up. */
export type Forged =
  /** `bytes` (1 KiB) that are not HTTP, the same for the same `seed` (1), then FIN. */
  | { readonly kind: 'garbage'; readonly seed?: number; readonly bytes?: number }
  /** A status line and headers of 1 KiB each until there are `bytes` (1 MiB), then FIN: the head has no end. */
  | { readonly kind: 'header-flood'; readonly bytes?: number }
  /** 200 with a JSON string of that many bytes; `chunked` does not announce how many. */
  | { readonly kind: 'huge-body'; readonly bytes: number; readonly chunked?: boolean }
  /** 200 with a small gzip body that expands to so many `bytes` (200 MiB) of zeros. */
  | { readonly kind: 'bomb'; readonly bytes?: number }
  /** 200 with `<html>`, as text/html unless told otherwise. */
  | { readonly kind: 'not-json'; readonly contentType?: string }
  /** That status with the body `{}`, or without a body where the status has none. */
  | { readonly kind: 'status'; readonly code: number };

/** In milliseconds; node fires a longer one at once. */
const longestTimer = 2 ** 31 - 1;

/** Throws a `RangeError` for a number that says nothing. */
export function assertToxic(toxic: Toxic): void {
  const complaint = complaintAbout(toxic);
  if (complaint !== undefined) throw new RangeError(`toxic "${toxic.kind}": ${complaint}.`);
}

function complaintAbout(toxic: Toxic): string | undefined {
  switch (toxic.kind) {
    case 'latency':
      return unlessWithin('ms', toxic.ms, [0, longestTimer]);
    case 'slow-drip':
      return unlessWithin('everyMs', toxic.everyMs, [1, longestTimer]);
    case 'wrong-length':
      if (toxic.offBy === 0) return 'offBy is 0, which is the right length. Give another number';
      return unlessWithin('offBy', toxic.offBy, [
        -Number.MAX_SAFE_INTEGER,
        Number.MAX_SAFE_INTEGER,
      ]);
    case 'huge-body':
      return unlessWithin('bytes', toxic.bytes, [2, Number.MAX_SAFE_INTEGER]);
    case 'status':
      return unlessWithin('code', toxic.code, [200, 599]);
    default:
      return undefined;
  }
}

function unlessWithin(name: string, value: number, [from, to]: [number, number]) {
  if (Number.isInteger(value) && value >= from && value <= to) return undefined;
  return `${name} is ${value}. Give a whole number from ${from} to ${to}`;
}
