/** Settles the keys of a batch that has failed; it is sent again in parts if keys may be why. */
import type { Clock } from '../../clock.ts';
import type { Operation } from '../../dsl/operation.ts';
import { UpstreamError } from '../../errors.ts';
import { createSemaphore } from '../../limit.ts';
import type { Semaphore } from '../../limit.ts';
import type { Dispatch, OnJoin, Send } from '../call.ts';
import { saysAbsent } from '../exchange/absent.ts';
import { isHeldBack, isOfKeys } from '../resilience/failure.ts';
import type { BatchFlight } from './batch-flight.ts';
import type { Asked, LoadKey } from './load.ts';
import { hasMoreTime, mayBeShortOfTime } from './short-time.ts';

/** The most parts of failed batches that are in flight to one service. */
const mostParts = 8;

/** The fewest client requests in a failed batch for which groups save requests. */
const fewestGrouped = 4;

export interface FailedBatchOptions {
  readonly next: Send<Dispatch>;
  readonly clock: Clock;
  /** Takes a retry out of the budget of the operation's service. */
  readonly withdraw: (operation: Operation) => boolean;
  /** Whether keys of a load fit in one request. */
  readonly isOneRequest: (asked: Asked) => boolean;
  readonly onJoin: OnJoin | undefined;
}

export type SettleFailed = (flight: BatchFlight, error: Error) => Promise<void>;

/**
 * Settles the keys of batches that have failed, so that no client request fails because of the keys
 * of another: each gets what it would have got on its own.
 *
 * If the service rejects a batch with the keys of n client requests, or its answer is of no use,
 * which one item or too many can do, these are sent again in about √n groups, and a group that
 * fails likewise is sent once more, each client request on its own. So one bad key costs about 2 √n
 * requests to the service, n of them at most n + √n + 1, and the others wait for at most two more
 * round trips. Parts are not retries and cost no retry budget. Only a few of them run at once, and
 * they wait for the bulkhead as long as their client requests wait for them.
 *
 * If a batch fails otherwise and its shorter time may be why, the keys of loads that have joined it
 * and have time left are sent once more, together, if the retry budget allows it.
 */
export function settleFailed(options: FailedBatchOptions): SettleFailed {
  const { next, clock, withdraw, isOneRequest, onJoin } = options;
  /** By the name of the service. */
  const semaphores = new Map<string, Semaphore>();

  async function settle(flight: BatchFlight, error: Error): Promise<void> {
    if (saysThatNoneExists(flight, error)) return flight.serveNone(error);
    const mayBeOfKeys = isOfKeys(error);
    const shares = mayBeOfKeys ? flight.shares() : [];
    if (shares.length === 0 || isWhole(flight, shares)) {
      // Beside a key that has an item, those of a 404 would just have none.
      if (mayBeOfKeys && !isNotFound(error)) flight.failRelated(error, isOneRequest);
      return failOrSendAgain(flight, error);
    }
    const groups = flight.isPart ? shares.map((share) => [share]) : grouped(shares);
    const parts = groups.map((group) => flight.part(group.flat()));
    flight.end();
    await Promise.all(parts.map((part) => ask(part, { width: flight.width, error })));
  }

  async function failOrSendAgain(flight: BatchFlight, error: Error): Promise<void> {
    const again = flight.isPart ? [] : withTimeLeft(flight, error);
    if (again.length === 0 || !withdraw(flight.operation)) return flight.fail(error);
    const part = flight.part(again);
    flight.fail(error, new Set(again.map(({ load }) => load)));
    const failure = await sendInTurn(part);
    if (failure === undefined) return;
    // The earlier failure says more than that the part was not sent.
    await settle(part, isHeldBack(failure) ? error : failure);
  }

  /** The keys of loads that have joined and would have given the service longer on their own. */
  function withTimeLeft(flight: BatchFlight, error: Error): readonly LoadKey[] {
    const now = clock.now();
    if (!mayBeShortOfTime(error, flight, now)) return [];
    return flight
      .shares()
      .flat()
      .filter(({ load }) => hasMoreTime(load.call, flight, now));
  }

  async function ask(part: BatchFlight, whole: Failed): Promise<void> {
    // A part with all keys of the failed batch would be the same request again.
    const isKnown = part.width === whole.width;
    const failure = isKnown ? whole.error : await sendInTurn(part);
    if (failure !== undefined) await settle(part, failure);
  }

  function sendInTurn(part: BatchFlight): Promise<Error | undefined> {
    const { name } = part.operation.service;
    const semaphore = semaphores.get(name) ?? createSemaphore(mostParts);
    semaphores.set(name, semaphore);
    return new Promise((resolve) => {
      semaphore.acquire((release) => resolve(part.send(next, onJoin).finally(release)));
    });
  }

  return settle;
}

interface Failed {
  readonly width: number;
  readonly error: Error;
}

/** Whether one client request has asked for all keys that were sent, those of others included. */
function isWhole({ width }: BatchFlight, [share = [], ...others]: Shares): boolean {
  if (others.length > 0) return false;
  return new Set(share.map(({ load, index }) => load.texts[index])).size === width;
}

/** The keys of a batch, by the client requests that wait for them. */
type Shares = readonly (readonly LoadKey[])[];

/**
 * A 404 to one key says that it has no item; a 404 to several may be about any of them. A 410 is
 * about a key only where that is in the path.
 */
function saysThatNoneExists({ lookup, width }: BatchFlight, error: Error): error is UpstreamError {
  if (lookup.keys.kind === 'path') return saysAbsent(statusOf(error));
  return isNotFound(error) && (width === 1 || lookup.notFound === 'none');
}

function isNotFound(error: Error): error is UpstreamError {
  return statusOf(error) === 404;
}

function statusOf(error: Error): number | undefined {
  return error instanceof UpstreamError && error.kind === 'status' ? error.status : undefined;
}

/** About √n groups of n shares, of nearly equal size; groups of one if n is small. */
function grouped(shares: Shares): readonly Shares[] {
  const { length } = shares;
  const count = length < fewestGrouped ? length : Math.floor(Math.sqrt(length));
  return Array.from({ length: count }, (_, at) =>
    shares.slice(Math.floor((at * length) / count), Math.floor(((at + 1) * length) / count)),
  );
}
