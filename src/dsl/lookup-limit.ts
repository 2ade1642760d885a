/** `limit` of a lookup: says how much an answer may have, where a service's own page is smaller. */
import type { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import { bareName } from './lookup-keys.ts';
import type { LookupKeys } from './lookup-keys.ts';

export interface LimitConfig {
  /** The query parameter that has the limit. */
  readonly query: string;
  /** The limit. Default: the number of keys in the request. */
  readonly value?: number;
}

/** The option, checked. */
export interface Limit {
  readonly query: string;
  /** `undefined`: the number of keys in the request. */
  readonly value: number | undefined;
}

/** The options that `limit` must not conflict with. */
export interface LimitPlace {
  readonly max: number;
  readonly many: boolean;
  readonly keys: LookupKeys;
  readonly query: z.ZodObject | undefined;
  readonly place: string;
}

export function checkedLimit(
  config: Partial<Record<keyof LimitConfig, unknown>> | undefined,
  { max, many, keys, query, place }: LimitPlace,
): Limit | undefined {
  if (config === undefined) return undefined;
  refuseUnknownKnobs(config, ['query', 'value'], place, 'limit');
  const { query: name, value } = config;
  if (typeof name !== 'string' || name === '')
    throw new CompositionError(
      place,
      'limit.query does not name a parameter. Use { query: "limit" }.',
    );
  const isOfKeys = keys.kind !== 'body' && bareName(keys) === name;
  if (isOfKeys || Object.hasOwn(query?.shape ?? {}, name))
    throw new CompositionError(
      place,
      `query parameter "${name}" is ${isOfKeys ? 'that of the keys' : 'an argument'}, so limit ` +
        'cannot send it, too. Rename one.',
    );
  return Object.freeze({ query: name, value: checkedValue(value, { max, many, place }) });
}

function checkedValue(
  value: unknown,
  { max, many, place }: Pick<LimitPlace, 'max' | 'many' | 'place'>,
): number | undefined {
  if (value === undefined) {
    if (!many) return undefined;
    const problem = 'limit needs a value: with many, the number of keys bounds no items.';
    throw new CompositionError(place, `${problem} Add one, as in { query: "limit", value: 1000 }.`);
  }
  const limit = positive(value as number, 'limit.value', place); // it rejects all but numbers
  if (limit >= max) return limit;
  throw new CompositionError(
    place,
    `limit.value is ${limit}, but a request has up to ${max} keys. Lower max, or raise it.`,
  );
}

/** The parameter in the query of a request with so many keys. */
export function limitInQuery({ query, value }: Limit, count: number): string {
  return `${encodeURIComponent(query)}=${value ?? count}`;
}

/** The bytes by which the limit of a full request exceeds that of one without keys. */
export function moreBytesOfLimit(limit: Limit | undefined, max: number): number {
  return limit === undefined || limit.value !== undefined ? 0 : String(max).length - 1;
}
