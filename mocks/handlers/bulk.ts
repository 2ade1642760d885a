/** The rules that bulk endpoints share: at most 100 keys, unknown keys left out, another order. */
import { z } from 'zod';
import { toDetail, toProblem } from '../problem.ts';

const mostKeys = 100;

export const keyList = z
  .array(z.string().min(1, 'is an empty key'))
  .min(1, 'Give at least one key.')
  .max(mostKeys, `More than ${mostKeys} keys. Split the request.`);

/**
 * Reads the keys of a bulk request.
 *
 * @throws a 400 problem response, which msw takes as the answer
 */
export function parseKeys(name: string, value: unknown): ReadonlySet<string> {
  const keys = keyList.safeParse(value);
  if (!keys.success) throw toProblem(400, toDetail(name, keys.error));
  return new Set(keys.data);
}

/** Answers in reverse order, to catch clients that match a bulk answer by position. */
export function findAll<Item>(keys: ReadonlySet<string>, byKey: ReadonlyMap<string, Item>): Item[] {
  const found = [...keys].map((key) => byKey.get(key));
  return found.filter((item): item is Item & {} => item !== undefined).toReversed();
}

export function splitList(value: string | null): string[] {
  return value === null || value === '' ? [] : value.split(',');
}
