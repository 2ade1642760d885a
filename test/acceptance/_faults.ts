/** Every way in which a service goes wrong, and what is documented to come of it. */
import type { Toxic } from '../support/toxic-proxy.ts';

export interface Fault {
  readonly name: string;
  readonly toxic: Toxic;
  readonly status: number;
  readonly type: string;
  /** The reason in `Plait-Degraded`. */
  readonly reason: string;
  /** It may pass: what may be asked twice is. */
  readonly passes?: boolean;
  /** Nothing arrives. */
  readonly silent?: boolean;
}

export const faults: readonly Fault[] = [
  {
    name: 'answers later than an attempt may take',
    toxic: { kind: 'latency', ms: 300 },
    ...timedOut(),
  },
  {
    name: 'refuses connections',
    toxic: { kind: 'refuse' },
    status: 502,
    type: 'upstream-connect',
    reason: 'connect',
    passes: true,
    silent: true,
  },
  {
    name: 'breaks the connection before it answers',
    toxic: { kind: 'reset-before-headers' },
    ...broken(),
    passes: true,
  },
  {
    name: 'breaks the connection in the middle of its answer',
    toxic: { kind: 'reset-after-headers' },
    ...broken(),
  },
  { name: 'hangs after it has taken the request', toxic: { kind: 'hang' }, ...timedOut() },
  { name: 'answers half of the body', toxic: { kind: 'truncate' }, ...broken() },
  {
    name: 'announces more than it sends',
    toxic: { kind: 'wrong-length', offBy: 10 },
    ...timedOut(),
  },
  {
    name: 'announces less than it sends',
    toxic: { kind: 'wrong-length', offBy: -10 },
    ...invalid(),
  },
  { name: 'answers byte by byte', toxic: { kind: 'slow-drip', everyMs: 5 }, ...timedOut() },
  { name: 'answers what is not HTTP', toxic: { kind: 'garbage' }, ...invalid() },
  { name: 'answers headers without end', toxic: { kind: 'header-flood' }, ...tooLarge() },
  {
    name: 'announces a body that is too large',
    toxic: { kind: 'huge-body', bytes: 1024 * 1024 },
    ...tooLarge(),
  },
  {
    name: 'sends a body that is too large in chunks',
    toxic: { kind: 'huge-body', bytes: 1024 * 1024, chunked: true },
    ...tooLarge(),
  },
  {
    name: 'answers a small body that is a large one',
    toxic: { kind: 'bomb', bytes: 32 * 1024 * 1024 },
    ...tooLarge(),
  },
  { name: 'answers HTML', toxic: { kind: 'not-json' }, ...invalid() },
  {
    name: 'answers HTML and calls it JSON',
    toxic: { kind: 'not-json', contentType: 'application/json' },
    ...invalid(),
  },
  { name: 'answers 500', ...answered(500, 502, 'upstream-status') },
  { name: 'answers 503', ...answered(503, 502, 'upstream-status'), passes: true },
  { name: 'answers 429', ...answered(429, 503, 'upstream-overloaded') },
];

function timedOut() {
  return { status: 504, type: 'upstream-timeout', reason: 'timeout', passes: true };
}

function broken() {
  return { status: 502, type: 'upstream-reset', reason: 'reset' };
}

function invalid() {
  return { status: 502, type: 'upstream-invalid-body', reason: 'invalid-body' };
}

function tooLarge() {
  return { status: 502, type: 'upstream-too-large', reason: 'too-large' };
}

function answered(code: number, status: number, type: string) {
  return {
    toxic: { kind: 'status', code } as const,
    status,
    type,
    reason: `status;status=${code}`,
  };
}
