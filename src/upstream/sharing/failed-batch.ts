/** What becomes of the keys of a batch whose request has failed. */
import { UpstreamError } from '../../errors.ts';
import { createSemaphore } from '../../limit.ts';
import type { Semaphore } from '../../limit.ts';
import type { Dispatch, Send } from '../call.ts';
import { isRefusal } from '../resilience/failure.ts';
import type { BatchFlight } from './batch-flight.ts';
import type { LoadKey } from './load.ts';

/** The most parts of refused batches that one service is sent at once. */
const mostParts = 8;

/** The fewest client requests in a refused batch that are worth asking for in groups first. */
const fewestGrouped = 4;

/**
 * Settles the keys of batches that have failed, so that no client request fails because of the keys
 * of another: what it gets is what it would have got alone.
 *
 * A refused batch of n client requests is taken apart. It is asked for again in about √n groups of
 * whole requests, and a group that is refused again by each of its requests. So one bad request
 * costs about 2 √n requests to the service, n of them at most n + √n + 1, and the others wait for
 * two more round trips at most. These parts are no retries and cost no retry budget; few of them
 * run at once, and they wait for the bulkhead as long as their client requests wait for them.
 */
export function settleFailed(
  next: Send<Dispatch>,
): (flight: BatchFlight, error: Error) => Promise<void> {
  /** By the name of the service. */
  const semaphores = new Map<string, Semaphore>();

  async function settle(flight: BatchFlight, error: Error): Promise<void> {
    if (saysThatNoneExists(flight, error)) return flight.serveNone(error);
    const shares = isRefusal(error) ? flight.shares() : [];
    if (shares.length < 2) return flight.fail(error);
    const groups = flight.isPart ? shares.map((share) => [share]) : grouped(shares);
    const parts = groups.map((group) => flight.part(group.flat()));
    flight.end();
    await Promise.all(parts.map((part) => ask(part, { width: flight.width, error })));
  }

  async function ask(part: BatchFlight, refused: Refused): Promise<void> {
    // A part with all keys of the refused batch would be the same request again.
    const isKnown = part.width === refused.width;
    const failure = isKnown ? refused.error : await sendInTurn(part);
    if (failure !== undefined) await settle(part, failure);
  }

  function sendInTurn(part: BatchFlight): Promise<Error | undefined> {
    const { name } = part.operation.service;
    const semaphore = semaphores.get(name) ?? createSemaphore(mostParts);
    semaphores.set(name, semaphore);
    return new Promise((resolve) => {
      semaphore.acquire((release) => resolve(part.send(next).finally(release)));
    });
  }

  return settle;
}

interface Refused {
  readonly width: number;
  readonly error: Error;
}

/** A 404 says so of a single key; of several, it may be about any of them. */
function saysThatNoneExists({ lookup, width }: BatchFlight, error: Error): error is UpstreamError {
  if (!(error instanceof UpstreamError) || error.kind !== 'status') return false;
  return error.status === 404 && (width === 1 || lookup.notFound === 'none');
}

/** About √n groups of n shares, of nearly equal size; each alone if there are few. */
function grouped(shares: readonly (readonly LoadKey[])[]): readonly (typeof shares)[] {
  const { length } = shares;
  const count = length < fewestGrouped ? length : Math.floor(Math.sqrt(length));
  return Array.from({ length: count }, (_, at) =>
    shares.slice(Math.floor((at * length) / count), Math.floor(((at + 1) * length) / count)),
  );
}
