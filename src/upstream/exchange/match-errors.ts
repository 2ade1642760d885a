/** Which keys of a batch its answer says have failed, and with which status. */
import type { ErrorRule } from '../../dsl/key-errors.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import { readPath } from '../../dsl/path.ts';
import { statusIn } from '../../dsl/status-rule.ts';
import { parseJsonBy } from '../../parse.ts';
import { isPlainObject } from '../../plain-object.ts';

/** By the text of the key; errors whose key cannot be read are under `undefined`. */
export type Failed = ReadonlyMap<string | undefined, number>;

export const noneFailed: Failed = new Map();

/** The failures that are beside the items. */
export function failedBeside({ errors, textOfSent }: Lookup, body: unknown): Failed {
  if (errors?.items === undefined) return noneFailed;
  const found = readPath(body, errors.items);
  if (found === undefined || found === null) return noneFailed;
  const { textOf } = errors;
  if (textOf === undefined && isPlainObject(found))
    return new Map(
      Object.entries(found).map(([name, entry]) => [textOfSent(name), statusIn(errors, entry)]),
    );
  return new Map([found].flat().map((entry) => [textOf?.(entry), statusIn(errors, entry)]));
}

/** The status of an item that is an error; `undefined` if it is none. */
export function statusOfItem(errors: ErrorRule | undefined, item: unknown): number | undefined {
  if (errors?.when === undefined) return undefined;
  const parsed = parseJsonBy(errors.when, item);
  return parsed.ok ? statusIn(errors, parsed.value) : undefined;
}
