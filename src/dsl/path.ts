/** Paths of field names with dots between, as `data.items`: their types, checks, and reading. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { hasField } from '../plain-object.ts';
import { declaredFields, kindOf, ownField, unwrapped } from '../schema.ts';
import { shownValue } from '../shown-value.ts';

/** A value that can be a key or a code. */
export type Scalar = string | number | bigint;

/** The names of the fields that `T` declares; those of an index signature are not known. */
type Declared<T> = keyof {
  [K in keyof T as K extends string ? (string extends K ? never : K) : never]: 1;
} &
  string;

/** `K` if its value may be `Wanted`, as one whose type is not known may. */
type Leaf<T, K, Wanted> = unknown extends T ? K : NonNullable<T> extends Wanted ? K : never;

/**
 * The paths to values of type `Wanted` in values of type `T`, through objects only and at most five
 * names deep.
 */
export type PathOf<T, Wanted = unknown, Depth extends 0[] = []> = Depth['length'] extends 5
  ? never
  : T extends readonly unknown[]
    ? never
    : T extends object
      ? {
          [K in Declared<T>]:
            | Leaf<T[K], K, Wanted>
            | (NonNullable<T[K]> extends object
                ? `${K}.${PathOf<NonNullable<T[K]>, Wanted, [...Depth, 0]>}`
                : never);
        }[Declared<T>]
      : never;

/** The type of the value at a path. */
export type At<T, P> = T extends object
  ? P extends keyof T
    ? T[P]
    : {
        [K in Declared<T>]: P extends `${K}.${infer Rest}` ? At<NonNullable<T[K]>, Rest> : never;
      }[Declared<T>]
  : never;

/** The last name of a path. */
export type Last<P> = P extends `${string}.${infer Rest}` ? Last<Rest> : P;

/** A path, parsed. */
export interface Path {
  readonly text: string;
  readonly names: readonly string[];
  /** Its beginnings, longest first, since the name of a field may have dots itself. */
  readonly ways: readonly Way[];
}

/** The name of a field, and the path from there on; `undefined` at the end. */
interface Way {
  readonly name: string;
  readonly rest: Path | undefined;
}

/** `knob`: the option whose value it is, as in `keys.body`. */
export function parsePath(text: unknown, knob: string, place: string): Path {
  const refuse = (problem: string): never => {
    throw new CompositionError(place, `${knob} is ${shownValue(text)}, ${problem}`);
  };
  if (typeof text !== 'string') return refuse(`not a path. ${example}`);
  const names = text.split('.');
  if (names.includes('')) return refuse(`in which a name is empty. ${example}`);
  if (names.includes('__proto__')) return refuse('but no answer has a "__proto__". Remove it.');
  return pathFrom(names);
}

const example = 'Use names of fields with dots between, as in "data.items".';

function pathFrom(names: readonly string[]): Path {
  let rest: Path[] = [];
  for (let start = names.length - 1; start >= 0; start -= 1) {
    const after = rest;
    const ways = Array.from({ length: names.length - start }, (_, at) => {
      const end = names.length - at;
      return Object.freeze({
        name: names.slice(start, end).join('.'),
        rest: after[end - start - 1],
      });
    });
    const own = names.slice(start);
    const path = { text: own.join('.'), names: Object.freeze(own), ways: Object.freeze(ways) };
    rest = [Object.freeze(path), ...rest];
  }
  const [whole] = rest;
  if (whole === undefined) throw new Error('a path has at least one name');
  return whole;
}

/**
 * The value at a path; `undefined` if there is none, and `null` if one on the way is `null`. A
 * field whose own name has dots is found first, and inherited fields are not found.
 */
export function readPath(value: unknown, { ways }: Path): unknown {
  if (value === null) return null;
  for (let index = 0; index < ways.length; index += 1) {
    const way = ways[index];
    if (way === undefined || !hasField(value, way.name)) continue;
    const found = way.rest === undefined ? value[way.name] : readPath(value[way.name], way.rest);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether values of a schema can have the path: of a union, say, the fields are not known. */
export function mayHavePath(schema: z.ZodType, path: Path): boolean {
  return schemaAtPath(schema, path) !== undefined;
}

/** The schema at a path; `undefined` if there is none, and `z.unknown()` if it is not known. */
export function schemaAtPath(schema: z.ZodType, { ways }: Path): z.ZodType | undefined {
  const bare = unwrapped(schema);
  if (!(bare instanceof z.ZodObject)) return kindOf(bare) === undefined ? unknown : undefined;
  const fields = declaredFields(bare);
  for (const { name, rest } of ways) {
    const field = ownField(fields, name);
    const found = field && rest ? schemaAtPath(field, rest) : field;
    if (found !== undefined) return found;
  }
  return undefined;
}

const unknown = z.unknown();
