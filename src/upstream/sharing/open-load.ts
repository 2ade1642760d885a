/** Makes a load of the keys of a step, and sends it. Keys that cannot be sent fail on their own. */
import type { Call } from '../call.ts';
import { callError } from '../call.ts';
import { Load, indexesUpTo } from './load.ts';
import type { SendLoad } from './load.ts';
import { readKeys } from './read-keys.ts';
import type { UnusableKeys } from './read-keys.ts';

export interface OpenLoadOptions {
  readonly call: Call;
  readonly keys: readonly unknown[];
  readonly failsAtOnce: boolean;
}

export function openLoad(
  { call, keys: given, failsAtOnce }: OpenLoadOptions,
  send: SendLoad,
): Load {
  const { lookup } = call.operation;
  if (lookup === undefined) throw new Error(`${call.operation.name} is not a lookup`);
  const { keys, texts, unusable } = readKeys(lookup, given);
  const load = new Load({ call, keys, texts, failsAtOnce });
  const all = indexesUpTo(keys.length);
  if (unusable === undefined) {
    if (!call.signal.aborted) send(load, all);
  } else {
    failKeys(load, unusable);
    const rest = all.filter((index) => !load.isSettled(index));
    if (rest.length > 0) send(load, rest);
  }
  return load;
}

function failKeys(load: Load, unusable: NonNullable<UnusableKeys>): void {
  for (const [index, { argument, problem }] of unusable) {
    const message = `argument "${argument}" ${problem}`;
    load.fail(index, callError(load.call, 'invalid-argument', message, { argument }));
  }
}
