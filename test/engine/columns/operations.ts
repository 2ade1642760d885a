/** The operations that generated programs call: one for each way through engine and sharing. */
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { defineService } from '../../../src/dsl/service.ts';

const service = defineService({ name: 'world', url: 'http://world' });

const Leaf = z.object({
  id: z.string().nullable(),
  ref: z.string().nullable(),
  other: z.string().nullish(),
});

export const Thing = z.object({
  id: z.string(),
  ref: z.string().nullable(),
  other: z.string().nullish(),
  echo: z.string().nullish(),
  part: Leaf.nullable(),
  list: z.array(Leaf).nullable(),
});

export type Thing = z.infer<typeof Thing>;
type Leaf = z.infer<typeof Leaf>;

/** A value that a schema has made: one field cannot be read, another has no form in JSON. */
class Odd {
  readonly id: string;
  readonly other = Object.freeze({ toJSON: unreadable });
  readonly part: Leaf | null;

  constructor({ id, part }: Thing) {
    this.id = id;
    this.part = part;
    Object.defineProperty(this, 'ref', { get: unreadable, enumerable: true });
  }
}

function unreadable(): never {
  throw new Error('cannot be read');
}

const query = z.object({ other: z.string().nullish() });
const ordinary = { response: Thing.nullable(), query };
const keyed = { by: 'id', item: Thing, query } as const;

export const operations: readonly Operation[] = [
  operation(service, { name: 'thing', route: 'GET /things/:id', ...ordinary }),
  operation(service, { name: 'alone', route: 'GET /alone/:id', coalesce: false, ...ordinary }),
  operation(service, {
    name: 'kept',
    route: 'GET /kept/:id',
    cache: { ttlMs: 60_000 },
    ...ordinary,
  }),
  operation(service, {
    name: 'list',
    route: 'GET /lists/:id',
    query,
    response: Thing.array().nullable(),
  }),
  operation(service, {
    name: 'odd',
    route: 'GET /odd/:id',
    query,
    response: Thing.nullable().transform((thing) => (thing?.id === 'd' ? new Odd(thing) : thing)),
  }),
  operation(service, { name: 'write', route: 'POST /writes/:id', ...ordinary }),
  lookup(service, { name: 'byId', route: 'GET /by-id', keys: { query: 'ids' }, ...keyed }),
  lookup(service, {
    name: 'byTwo',
    route: 'GET /by-two',
    keys: { query: 'ids' },
    max: 2,
    ...keyed,
  }),
  lookup(service, {
    name: 'byOne',
    route: 'GET /by-one',
    keys: { query: 'id', repeat: true },
    max: 1,
    ...keyed,
  }),
  lookup(service, {
    name: 'strictly',
    route: 'POST /strictly',
    keys: { body: 'ids' },
    max: 3,
    missing: 'error',
    ...keyed,
  }),
  lookup(service, {
    name: 'many',
    route: 'GET /many',
    keys: { query: 'ids' },
    max: 3,
    many: true,
    ...keyed,
  }),
  lookup(service, {
    name: 'manyStrictly',
    route: 'GET /many-strictly',
    keys: { query: 'ids' },
    many: true,
    missing: 'error',
    ...keyed,
  }),
  lookup(service, {
    name: 'keptById',
    route: 'GET /kept-by-id',
    keys: { query: 'ids' },
    max: 3,
    cache: { ttlMs: 60_000, negativeTtlMs: 60_000 },
    ...keyed,
  }),
  lookup(service, {
    name: 'unsharedById',
    route: 'GET /unshared',
    keys: { query: 'id', repeat: true },
    coalesce: false,
    ...keyed,
  }),
  lookup(service, {
    name: 'patiently',
    route: 'GET /patiently',
    keys: { query: 'ids' },
    windowMs: 2,
    ...keyed,
  }),
];
