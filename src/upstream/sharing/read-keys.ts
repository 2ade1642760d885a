/** Keys as a step gives them → keys as they are sent and their texts, or why one is unusable. */
import { keyProblem, keyText, textOfAll } from '../../dsl/lookup-by.ts';
import type { Normalise } from '../../dsl/compare.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import { readerOf } from '../../parse.ts';
import type { ParseProblem } from '../../parse.ts';
import { fieldOf } from '../../plain-object.ts';

/** Why a key cannot be sent, as the rest of a sentence about an argument. */
export interface UnusableKey {
  readonly argument: string;
  readonly problem: string;
}

/** By the index of the key; `undefined` if there are none. */
export type UnusableKeys = ReadonlyMap<number, UnusableKey> | undefined;

export interface ReadKeys {
  readonly keys: readonly unknown[];
  readonly texts: readonly string[];
  readonly unusable: UnusableKeys;
}

/** `given`: of a compound key, the list of its parts. */
export function readKeys(lookup: Lookup, given: readonly unknown[]): ReadKeys {
  if (lookup.arguments.length > 1) return readCompound(lookup, given);
  const read = readSingle(lookup, given);
  return lookup.normalise === undefined ? read : normalised(lookup, lookup.normalise, read);
}

/** Keys of one value, which is sent as it is. */
function readSingle(lookup: Lookup, given: readonly unknown[]): ReadKeys {
  const { keys, misfits } =
    lookup.key === undefined ? { keys: given, misfits: undefined } : parsedBy(lookup, given);
  const [argument = ''] = lookup.arguments;
  let unusable = misfits;
  const texts = Array<string>(keys.length);
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index];
    const text = typeof key === 'string' ? key : keyText(key);
    const problem = keyProblem(lookup, text);
    texts[index] = text ?? '';
    if (problem !== undefined && unusable?.has(index) !== true)
      (unusable ??= new Map()).set(index, { argument, problem });
  }
  return { keys, texts, unusable };
}

/** The keys with texts that equal ones have in common. */
function normalised(
  { arguments: [argument = ''] }: Lookup,
  normalise: Normalise,
  { keys, texts, unusable }: ReadKeys,
): ReadKeys {
  const own = new Map(unusable);
  const common = texts.map((text, index) => {
    const one = normalise(text);
    if (one === undefined && !own.has(index)) own.set(index, { argument, problem: notANumber });
    return one ?? text;
  });
  return { keys, texts: common, unusable: own.size === 0 ? undefined : own };
}

const notANumber = 'is not a number, as which keys are compared';

type Misfits = Map<number, UnusableKey> | undefined;

/** The keys as the key schema parses them; keys that do not fit stay as they are. */
function parsedBy(
  { key: schema, arguments: names }: Lookup,
  keys: readonly unknown[],
): { readonly keys: readonly unknown[]; readonly misfits: Misfits } {
  if (schema === undefined) return { keys, misfits: undefined };
  const read = readerOf(schema);
  let misfits: Misfits;
  const parsed = keys.map((key, index) => {
    const result = read(key);
    if (result.ok) return result.value;
    (misfits ??= new Map()).set(index, misfitOf(result.problems[0], names));
    return key;
  });
  return { keys: parsed, misfits };
}

function misfitOf({ path, words }: ParseProblem, names: readonly string[]): UnusableKey {
  const argument = names.find((name) => name === path[0]) ?? names[0] ?? '';
  return { argument, problem: `does not fit its schema: ${words}` };
}

function readCompound(lookup: Lookup, given: readonly unknown[]): ReadKeys {
  const { arguments: names } = lookup;
  const objects = given.map((parts) => {
    const values: readonly unknown[] = Array.isArray(parts) ? parts : [];
    return Object.fromEntries(names.map((name, at) => [name, values[at]]));
  });
  const { keys: parsed, misfits } = parsedBy(lookup, objects);
  const unusable = new Map(misfits);
  const keys: unknown[] = [];
  const texts: string[] = [];
  for (const [index, object] of parsed.entries()) {
    const key = readOne(lookup, object);
    keys.push(key.sent);
    texts.push(key.text);
    if (key.unusable !== undefined && !unusable.has(index)) unusable.set(index, key.unusable);
  }
  return { keys, texts, unusable: unusable.size === 0 ? undefined : unusable };
}

interface CompoundKey {
  readonly sent: unknown;
  readonly text: string;
  readonly unusable?: UnusableKey;
}

function readOne(lookup: Lookup, object: unknown): CompoundKey {
  const { arguments: names, keys } = lookup;
  const parts = names.map((name) => keyText(fieldOf(object, name)));
  for (const [at, part] of parts.entries()) {
    const problem = keyProblem(lookup, part);
    if (problem !== undefined)
      return { sent: object, text: '', unusable: { argument: names[at] ?? '', problem } };
  }
  const common = normaliseAll(lookup, parts);
  const odd = common.indexOf(undefined);
  if (odd !== -1)
    return {
      sent: object,
      text: '',
      unusable: { argument: names[odd] ?? '', problem: notANumber },
    };
  const text = textOfAll(common) ?? '';
  if (keys.join === undefined) return { sent: object, text };
  const sent = parts.join(keys.join);
  if (lookup.textOfSent(sent) === text) return { sent, text };
  const problem = `and the others contain "${keys.join}" when they are joined`;
  return { sent, text, unusable: { argument: names[0] ?? '', problem } };
}

function normaliseAll(
  { normalise }: Lookup,
  parts: readonly (string | undefined)[],
): readonly (string | undefined)[] {
  if (normalise === undefined) return parts;
  return parts.map((part) => (part === undefined ? undefined : normalise(part)));
}
