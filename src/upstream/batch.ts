/** Batching: the door to dataloader. Lookups of one turn of the event loop become few requests. */
import DataLoader from 'dataloader';
import type { Lookup } from '../dsl/operation.ts';
import type { Call, Policy, Reply, Send } from './call.ts';
import { callError } from './call.ts';
import { canonical, keyText } from './key.ts';
import { fieldOf, parseValue } from './parse.ts';

/** A longer one would make its whole batch fail. */
const longestKey = 1_024;

/** One instance serves one request. Calls of operations that are not lookups pass through. */
export function batch(): Policy {
  return (next) => {
    const loaders = new Map<string, DataLoader<Call, Reply>>();
    return async (call) => {
      const { lookup } = call.operation;
      if (lookup === undefined) return next(call);
      refuseKey(call, lookup);
      return loaderFor(loaders, call, lookup, next).load(call);
    };
  };
}

/** Calls share a loader when they differ in their key only. */
function loaderFor(
  loaders: Map<string, DataLoader<Call, Reply>>,
  call: Call,
  lookup: Lookup,
  next: Send,
) {
  const { operation, args, headers } = call;
  const shared = canonical({ ...args, [lookup.by]: undefined });
  const name = `${operation.service.name}.${operation.name} ${shared} ${canonical(headers)}`;
  const known = loaders.get(name);
  if (known !== undefined) return known;
  // Duplicates are gone before they come here, so the loader needs no memory of its own.
  const loader = new DataLoader<Call, Reply>((calls) => loadBatch(calls, lookup, next), {
    cache: false,
    maxBatchSize: lookup.max,
  });
  loaders.set(name, loader);
  return loader;
}

async function loadBatch(
  calls: readonly Call[],
  lookup: Lookup,
  next: Send,
): Promise<(Reply | Error)[]> {
  const [first] = calls;
  if (first === undefined) return [];
  const keys = [...new Set(calls.map((call) => keyArgument(call, lookup)))];
  try {
    const reply = await next({ ...first, keys, waiters: calls.flatMap((call) => call.waiters) });
    return distribute(calls, lookup, reply);
  } catch (error) {
    // An error per key: a rejected batch would reject keys of other chunks too.
    return calls.map(() => (error instanceof Error ? error : new Error(String(error))));
  }
}

/** Gives every call the items of its key. The order of items, and items nobody asked for, do not matter. */
function distribute(calls: readonly Call[], lookup: Lookup, reply: Reply): (Reply | Error)[] {
  const items = reply.value as readonly unknown[]; // the parser of replies gives lookups a list
  const byKey = Map.groupBy(items, (item) => keyText(fieldOf(item, lookup.by)));
  // An item without a readable key belongs to somebody, and nobody can tell to whom.
  const strays = byKey.has(undefined);
  return calls.map((call) => {
    const found = byKey.get(keyArgument(call, lookup)) ?? [];
    return settle(() => ({ ...reply, value: valueFor(call, lookup, { found, strays }) }));
  });
}

function valueFor(
  call: Call,
  lookup: Lookup,
  { found, strays }: { found: unknown[]; strays: boolean },
): unknown {
  if (strays && (lookup.many || found.length === 0)) {
    throw callError(
      call,
      'invalid-body',
      `answered with an item that has no readable "${lookup.by}"`,
    );
  }
  if (lookup.many && (found.length > 0 || lookup.missing === 'null')) {
    return found.map((item) => parseValue(call, call.operation.response, item));
  }
  if (found.length > 0) return parseValue(call, call.operation.response, found[0]);
  if (lookup.missing === 'null') return null;
  throw callError(call, 'missing', 'answered without an item for the key');
}

function refuseKey(call: Call, lookup: Lookup): void {
  const key = keyText(call.args[lookup.by]);
  const separated = 'query' in lookup.keys && lookup.keys.repeat !== true;
  const problem = problemOf(key, separated);
  if (problem === undefined) return;
  throw callError(call, 'invalid-argument', `argument "${lookup.by}" ${problem}`, {
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
    return error instanceof Error ? error : new Error(String(error));
  }
}
