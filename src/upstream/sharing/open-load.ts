/** Makes a load of the keys of a step, and sends it. Keys that cannot be sent fail on their own. */
import { keyProblem, keyText } from '../../dsl/lookup.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import { readerOf } from '../../parse.ts';
import type { Call } from '../call.ts';
import { callError } from '../call.ts';
import { Load, indexesUpTo } from './load.ts';
import type { SendLoad } from './load.ts';

export interface OpenLoadOptions {
  readonly call: Call;
  readonly keys: readonly unknown[];
  readonly failsAtOnce: boolean;
}

/** The problems of keys, by their index; `undefined` if there are none. */
type Problems = Map<number, string> | undefined;

export function openLoad(
  { call, keys: given, failsAtOnce }: OpenLoadOptions,
  send: SendLoad,
): Load {
  const { lookup } = call.operation;
  if (lookup === undefined) throw new Error(`${call.operation.name} is not a lookup`);
  const { keys, misfits } =
    lookup.key === undefined ? { keys: given, misfits: undefined } : parsedBy(lookup.key, given);
  let problems = misfits;
  const texts = Array<string>(keys.length);
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index];
    const text = typeof key === 'string' ? key : keyText(key);
    const problem = keyProblem(lookup, text);
    texts[index] = text ?? '';
    if (problem !== undefined && problems?.has(index) !== true)
      (problems ??= new Map()).set(index, problem);
  }
  const load = new Load({ call, keys, texts, failsAtOnce });
  const all = indexesUpTo(keys.length);
  if (problems === undefined) {
    if (!call.signal.aborted) send(load, all);
  } else {
    failKeys(load, lookup, problems);
    const rest = all.filter((index) => !load.isSettled(index));
    if (rest.length > 0) send(load, rest);
  }
  return load;
}

/** The keys as the key schema parses them; keys that do not fit stay as they are. */
function parsedBy(
  schema: NonNullable<Lookup['key']>,
  keys: readonly unknown[],
): { readonly keys: readonly unknown[]; readonly misfits: Problems } {
  const read = readerOf(schema);
  let misfits: Problems;
  const parsed = keys.map((key, index) => {
    const result = read(key);
    if (result.ok) return result.value;
    const [{ words }] = result.problems;
    (misfits ??= new Map()).set(index, `does not fit its schema: ${words}`);
    return key;
  });
  return { keys: parsed, misfits };
}

function failKeys(load: Load, { argument }: Lookup, problems: ReadonlyMap<number, string>): void {
  for (const [index, problem] of problems) {
    const message = `argument "${argument}" ${problem}`;
    load.fail(index, callError(load.call, 'invalid-argument', message, { argument }));
  }
}
