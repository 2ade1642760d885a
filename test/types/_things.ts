/** A service with a field of every kind that types have to keep apart. */
import { defineService, lookup, operation } from 'plait';
import { z } from 'zod';

const service = defineService({ name: 'things', url: 'http://things' });

export const Thing = z.object({
  id: z.string(),
  count: z.int().optional(),
  note: z.string().nullable(),
  state: z.enum(['on', 'off']),
  owner: z.object({ name: z.string(), mail: z.string().optional() }).nullable(),
  tags: z.array(z.object({ label: z.string() })),
  size: z.string().transform((text) => text.length),
  made: z.coerce.date(),
  price: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('fixed'), amount: z.number() }),
    z.object({ kind: z.literal('free'), amount: z.null(), until: z.string() }),
  ]),
  links: z.record(z.string(), z.string()),
  place: z.tuple([z.number(), z.number()]),
});

export type Thing = z.output<typeof Thing>;

export const getThing = operation(service, {
  route: 'GET /things/:thingId/of/:ownerId',
  query: z.object({ since: z.string().optional(), limit: z.number() }),
  response: Thing,
});

export const thingAsJson = operation(service, {
  route: 'GET /things/:thingId.json',
  slash: ['thingId'],
  response: Thing,
});

export const createThing = operation(service, {
  route: 'POST /things',
  body: z.object({ name: z.string(), tags: z.array(z.object({ label: z.string() })) }),
  response: z.object({ id: z.string() }),
});

export const thingOf = lookup(service, {
  route: 'GET /things',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
});

export const thingsOf = lookup(service, {
  route: 'GET /all',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  query: z.object({ since: z.string().optional() }),
  many: true,
});

export const thingFor = lookup(service, {
  route: 'GET /one',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  missing: 'error',
});

/** A lookup with arguments that all keys of a request share. */
export const thingAt = lookup(service, {
  route: 'POST /places/:place/things',
  keys: { body: 'filter.ids' },
  by: 'id',
  item: Thing,
  body: z.object({ filter: z.object({ active: z.boolean() }) }),
  headers: z.object({ 'x-tenant': z.string(), accept: z.literal('application/x+json') }),
});

/** A lookup of a service without an endpoint for many keys. */
export const thingAlone = lookup(service, {
  single: 'GET /places/:place/things/:id',
  by: 'id',
  item: Thing,
  concurrency: 4,
});

/** A lookup of which not every text is a key. */
export const thingNamed = lookup(service, {
  route: 'GET /things',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  key: z.enum(['a', 'b']),
});

/** A lookup whose key is in an object of the item. */
export const thingOwnedBy = lookup(service, {
  route: 'GET /owned',
  keys: { query: 'names' },
  by: 'owner.name',
  item: Thing,
});

/** A lookup with a compound key. */
export const thingIn = lookup(service, {
  route: 'GET /in',
  keys: { query: 'ids', join: ':' },
  by: ['owner.name', 'size'],
  item: Thing,
  query: z.object({ since: z.string().optional() }),
});

/** Lookups whose arguments have names of their own. */
export const thingCalled = lookup(service, {
  route: 'GET /called',
  keys: { query: 'names' },
  by: 'owner.name',
  argument: 'called',
  item: Thing,
});
export const thingInside = lookup(service, {
  name: 'thingInside',
  route: 'POST /in',
  keys: { body: 'ids' },
  by: ['owner.name', 'id'],
  argument: ['owner', 'thing'],
  key: z.object({ owner: z.string(), thing: z.enum(['a', 'b']) }),
  item: Thing,
});

/** A lookup whose items do not have their key. */
export const sizeOf = lookup(service, {
  route: 'GET /sizes',
  keys: { query: 'ids' },
  match: 'key',
  by: 'id',
  item: z.number(),
});

/** A lookup by a field that some items do not have. */
export const thingWith = lookup(service, {
  route: 'GET /noted',
  keys: { query: 'notes' },
  by: 'note',
  item: Thing,
});

export const pageOfThings = operation(service, {
  route: 'GET /pages',
  query: z.object({ cursor: z.string().optional(), limit: z.number().optional() }),
  response: z.object({
    data: z.object({
      things: z.array(z.object({ id: z.string() })).nullable(),
      next: z.string().nullish(),
    }),
    total: z.int(),
  }),
});

export const bareThings = operation(service, {
  route: 'GET /bare',
  query: z.object({ page: z.number().optional() }),
  response: z.array(z.string()),
});
