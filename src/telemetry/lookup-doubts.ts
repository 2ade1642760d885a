/**
 * Reports answers that may not be what they are taken for: of lookups, which item a key has or that
 * it has none; of other operations, that their work is done.
 */
import type { Clock } from '../clock.ts';
import { operationName } from '../dsl/operation.ts';
import type { Operation } from '../dsl/operation.ts';
import { UpstreamError } from '../errors.ts';
import { onceAMinute } from '../quiet.ts';
import type { OnAttemptEnd } from '../upstream/attempt.ts';
import type { Doubt } from '../upstream/call.ts';
import type { Observer } from './telemetry.ts';

/** `not-found`: since the start, a lookup, or one with `missing: 'null'`, has answered only 404. */
type AnyDoubt = Doubt | 'not-found';

/** `times`: how often the operation has answered 404 in a row since the start; otherwise 1. */
export type OnDoubt = (operation: Operation, doubt: AnyDoubt, times: number) => void;

/** Calls `onDoubt` for every attempt that ends in a doubtful way. */
export function doubtDetector(onDoubt: OnDoubt): OnAttemptEnd {
  const answered = new WeakSet<Operation>();
  const notFound = new WeakMap<Operation, number>();
  return function detectDoubt({ operation }, { failure, status, doubt }) {
    if (!maySayMissing(operation)) {
      if (doubt !== undefined) onDoubt(operation, doubt, 1);
      return;
    }
    const isMissing = isNotFound(failure) || (failure === undefined && status === 404);
    if (failure === undefined && !isMissing) answered.add(operation);
    if (doubt !== undefined) onDoubt(operation, doubt, 1);
    if (answered.has(operation) || !isMissing) return;
    const times = (notFound.get(operation) ?? 0) + 1;
    notFound.set(operation, times);
    onDoubt(operation, 'not-found', times);
  };
}

/** Whether a 404 is no failure, so that only their number can show a wrong route. */
function maySayMissing({ lookup, missing }: Operation): boolean {
  return lookup !== undefined || missing === 'null';
}

function isNotFound(failure: unknown): boolean {
  return failure instanceof UpstreamError && failure.status === 404;
}

/** A service may be asked for a few unknown keys first: a lookup for several at a time. */
const fewestNotFound = { lookup: 3, operation: 20 };

/**
 * Warns of doubtful answers of lookups and writes, once a minute for each operation and reason.
 * Reads are watched only with `missing: 'null'`, since few of them are ever accepted only.
 */
export function warnOfDoubts(clock: Clock, warn: (message: string) => void): Observer {
  const mayWarn = onceAMinute(clock);
  const detect = doubtDetector((operation, doubt, times) => {
    const kind = asksForMany(operation) ? 'lookup' : 'operation';
    if (doubt === 'not-found' && times < fewestNotFound[kind]) return;
    if (doubt === 'fewer' && operation.lookup?.declaresMissing === true) return;
    const name = operationName(operation);
    if (mayWarn(`${name} ${doubt}`)) warn(`${name}: ${wordsFor(doubt, kind)}`);
  });
  return {
    onAttemptEnd(attempt, ending) {
      const { operation } = attempt;
      if (!operation.safe || maySayMissing(operation)) detect(attempt, ending);
    },
  };
}

/** A lookup with `single` asks for one key, so a 404 is what an unknown one is answered with. */
function asksForMany({ lookup }: Operation): boolean {
  return lookup !== undefined && lookup.keys.kind !== 'path';
}

const words: Readonly<Record<AnyDoubt, string>> = {
  accepted:
    'answered 202 with a Location, so its work is not done yet, and the operation declares ' +
    'neither. Declare response: { status, headers } and pass them on by answer()',
  unmatched:
    'answered with items of keys that were not asked for, while keys that were asked for have ' +
    'none. Case, white space or Unicode form of the keys may differ (see `compare`), or `by` ' +
    'names another field',
  errors: 'answered with errors beside its items, and without items for some keys',
  more: 'says that it has more items than it answered with. Its page may be smaller than `max`',
  several:
    'answered with several items for one key, of which only the first is used. Declare ' +
    '`many: true` to get them all, or a `by` that is unique',
  fewer:
    'answered with fewer items than keys. Declare `missing` if keys without items are expected, ' +
    'or lower `max` if its page is smaller',
  'not-found': 'has answered nothing but 404 since the start. Its route or address may be wrong',
};

function wordsFor(doubt: AnyDoubt, kind: 'lookup' | 'operation'): string {
  const advice = "if it answers so when no key has an item, declare notFound: 'none'";
  return doubt === 'not-found' && kind === 'lookup' ? `${words[doubt]}; ${advice}` : words[doubt];
}
