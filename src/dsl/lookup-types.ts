/** The types of lookups: which paths hold a key, and which arguments a call has. */
import type { z } from 'zod';
import type { BodyArg, Flat } from './declaration.ts';
import type { HeadersArg } from './header-arguments.ts';
import type { At, Last, PathOf, Scalar } from './path.ts';
import type { ParamNames } from './route.ts';

type Schema = z.ZodType;

/** A field that can hold a key; a schema may make a `Date` of its text. */
type KeyField = Scalar | Date;

/**
 * `By` if it leads to a text or number of items; otherwise the paths that do, and a sentence for
 * the compiler to show. Of a compound key, for each of its parts. Where items are not matched by
 * it, any name will do.
 */
export type ByOf<Item extends Schema, By, Match> = Match extends 'key' | 'position'
  ? By
  : By extends PathOf<z.output<Item>, KeyField> | readonly PathOf<z.output<Item>, KeyField>[]
    ? By
    : By extends readonly unknown[]
      ? readonly PathFor<z.output<Item>, By[number]>[]
      : PathFor<z.output<Item>, By>;

type PathFor<Value, By> =
  By extends PathOf<Value, KeyField>
    ? By
    : PathOf<Value, KeyField> | `the item has no field "${By & string}" of text or numbers`;

/** The option `argument`: a name, or one for each of `by`. */
export type ArgumentsFor<By> = By extends readonly unknown[]
  ? { readonly [I in keyof By]: string }
  : string;

/** The type of a lookup's key: that of the field of its items, or of an object by arguments. */
export type KeyOf<Item, By, Argument> = By extends readonly unknown[]
  ? {
      -readonly [I in keyof By as I extends `${number}` ? NameAt<By, Argument, I> : never]: PartOf<
        Item,
        By[I]
      >;
    }
  : PartOf<Item, By>;

type PartOf<Item, By> = [At<z.output<Item>, By>] extends [never]
  ? Scalar
  : NonNullable<At<z.output<Item>, By>>;

type NameAt<By, Argument, I extends keyof By> = (Argument extends readonly unknown[]
  ? Argument[I & keyof Argument]
  : Last<By[I]>) &
  string;

/** The arguments of a lookup that make the key: by one name, or the names of its parts. */
export type KeyArg<Item, By, Key, Argument> = By extends readonly unknown[]
  ? Key extends Schema
    ? z.input<Key>
    : KeyOf<Item, By, Argument>
  : {
      [K in (Argument extends string ? Argument : Last<By>) & string]: Key extends Schema
        ? z.input<Key>
        : KeyOf<Item, By, Argument>;
    };

/** The arguments of a lookup: its key, and those that all keys of a request share. */
export type KeyArgs<Argument, Shared> = Flat<Argument & Shared>;

/** The arguments of a lookup that all keys of a request share. */
export type SharedArgs<Text extends string, Key, Query, Body, Headers> = {
  [K in Exclude<ParamNames<Text>, keyof Key>]: string | number | bigint;
} & (Query extends Schema ? z.input<Query> : unknown) &
  BodyArg<Body> &
  HeadersArg<Headers>;
