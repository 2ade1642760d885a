/** Batching: the door to dataloader. Lookups of one turn of the event loop become few requests. */
import DataLoader from 'dataloader';
import type { Clock } from '../clock.ts';
import type { Lookup } from '../dsl/operation.ts';
import { toError } from '../errors.ts';
import type { Call, Policy, Reply, Send } from './call.ts';
import { callError } from './call.ts';
import { batchKeyOf, keyText } from './key.ts';
import { cacheControlOf, fieldOf, parseValue } from './parse.ts';
import { sharedSignal, untilAborted } from './shared-signal.ts';

/** A longer one would make its whole batch fail. */
const longestKey = 1_024;

/**
 * Collects the lookups of all requests that differ in their key only. Calls of operations that are not
 * lookups pass through.
 *
 * A batch has its own life. It is given up when all that wait for it have gone, and not before; those
 * who went before it was sent are not asked for.
 */
export function batch(clock: Clock): Policy {
  return (next) => {
    const open = new Map<string, DataLoader<Call, Reply>>();
    return (call) => {
      const { lookup } = call.operation;
      if (lookup === undefined) return next(call);
      if (call.signal.aborted) return Promise.reject(call.signal.reason);
      const refusal = refusalOf(call, lookup);
      if (refusal !== undefined) return Promise.reject(refusal);
      const name = batchKeyOf(call, lookup.by);
      const reply = (open.get(name) ?? openLoader(name, lookup)).load(call);
      // A call that is shared ends with the last who waits for it; this one ends with its request.
      return call.operation.coalesce ? reply : untilAborted(reply, call.signal);
    };

    function openLoader(name: string, lookup: Lookup): DataLoader<Call, Reply> {
      const loader = new DataLoader<Call, Reply>((calls) => loadBatch(calls, lookup, next), {
        // Duplicates are gone before they come here, but for calls that are not to be shared.
        cache: false,
        maxBatchSize: lookup.max,
        // Requests that arrived in the same turn are each read by a callback of their own, and what those
        // start is only complete when the turn ends.
        batchScheduleFn(dispatch) {
          const close = (): void => {
            open.delete(name);
            dispatch();
          };
          if (lookup.windowMs === 0) setImmediate(close);
          else clock.after(lookup.windowMs, close);
        },
      });
      open.set(name, loader);
      return loader;
    }
  };
}

async function loadBatch(
  calls: readonly Call[],
  lookup: Lookup,
  next: Send,
): Promise<(Reply | Error)[]> {
  const [first, ...others] = calls.filter(({ signal }) => !signal.aborted);
  if (first === undefined) return calls.map(gone);
  const waiting = [first, ...others] as const;
  // Two forms of one key, 7 and "7", are one.
  const keys = new Map(waiting.map((call) => [keyArgument(call, lookup), call.args[lookup.by]]));
  const shared = sharedSignal(waiting);
  try {
    const { signal } = shared;
    const deadlineAt = Math.max(...waiting.map((call) => call.deadlineAt));
    const reply = await next({
      ...first,
      signal,
      deadlineAt,
      keys: [...keys.values()],
      waiters: waiting,
    });
    return distribute(calls, lookup, reply);
  } catch (error) {
    // An error per key: a rejected batch would reject keys of other chunks too.
    return calls.map(() => toError(error));
  } finally {
    shared.release();
  }
}

function gone(call: Call): Error {
  return callError(call, 'aborted', 'nobody waits any more');
}

/** Gives every call the items of its key. The order of items, and items nobody asked for, do not matter. */
function distribute(calls: readonly Call[], lookup: Lookup, reply: Reply): (Reply | Error)[] {
  const items = reply.value as readonly unknown[]; // the parser of replies gives lookups a list
  const byKey = Map.groupBy(items, (item) => keyText(fieldOf(item, lookup.by)));
  // An item without a readable key belongs to somebody, and nobody can tell to whom.
  const strays = byKey.has(undefined);
  return calls.map((call) => {
    const found = byKey.get(keyArgument(call, lookup)) ?? [];
    const raw = lookup.many ? found : (found[0] ?? null);
    return settle(() => ({
      ...reply,
      raw,
      value: valueFor(call, lookup, { found, strays, reply }),
    }));
  });
}

function valueFor(
  call: Call,
  lookup: Lookup,
  { found, strays, reply }: { found: unknown[]; strays: boolean; reply: Reply },
): unknown {
  const { status, headers } = reply;
  if (strays && (lookup.many || found.length === 0)) {
    throw callError(
      call,
      'invalid-body',
      `answered with an item that has no readable "${lookup.by}"`,
    );
  }
  if (lookup.many && (found.length > 0 || lookup.missing === 'null')) {
    return found.map((item) => parseValue(call, call.operation.response, item, status));
  }
  if (found.length > 0) return parseValue(call, call.operation.response, found[0], status);
  if (lookup.missing === 'null') return null;
  throw callError(call, 'missing', 'answered without an item for the key', cacheControlOf(headers));
}

function refusalOf(call: Call, lookup: Lookup): Error | undefined {
  const key = keyText(call.args[lookup.by]);
  const separated = 'query' in lookup.keys && lookup.keys.repeat !== true;
  const problem = problemOf(key, separated);
  if (problem === undefined) return undefined;
  return callError(call, 'invalid-argument', `argument "${lookup.by}" ${problem}`, {
    argument: lookup.by,
  });
}

function problemOf(key: string | undefined, separated: boolean): string | undefined {
  if (key === undefined || key === '')
    return 'is not a key: use a string or a number that is not empty';
  if (key.length > longestKey) return `is longer than ${longestKey} characters`;
  if (separated && key.includes(',')) return 'contains a comma, which separates keys';
  return key.isWellFormed() ? undefined : 'is not well-formed Unicode';
}

function keyArgument(call: Call, lookup: Lookup): string {
  return keyText(call.args[lookup.by]) ?? '';
}

function settle(make: () => Reply): Reply | Error {
  try {
    return make();
  } catch (error) {
    return toError(error);
  }
}
