/** What the compiler infers, held by equality. Checked by `tsc`; nothing here runs. */
import {
  call,
  defineComposition,
  defineService,
  each,
  fallback,
  given,
  lookup,
  map,
  omit,
  operation,
  optional,
  pick,
} from 'plait';
import type { Ref, ResponseOf } from 'plait';
import { z } from 'zod';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
export function same<A, B>(_same: Equal<A, B>): void {}

const service = defineService({ name: 'things', url: 'http://things' });
const Thing = z.object({
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
    z.object({ kind: z.literal('free'), amount: z.null() }),
  ]),
});
const getThing = operation(service, {
  route: 'GET /things/:thingId/of/:ownerId',
  query: z.object({ since: z.string().optional(), limit: z.number() }),
  response: Thing,
});
const createThing = operation(service, {
  route: 'POST /things',
  body: z.object({ name: z.string(), tags: z.array(z.object({ label: z.string() })) }),
  response: z.object({ id: z.string() }),
});
const thingOf = lookup(service, {
  route: 'GET /things',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
});
const thingsOf = lookup(service, {
  route: 'GET /all',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  many: true,
});
const thingFor = lookup(service, {
  route: 'GET /one',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  missing: 'error',
});

export const fields = defineComposition({
  route: 'GET /a/:thingId',
  query: z.object({ limit: z.coerce.number(), since: z.string().optional() }),
  compose({ params, query }) {
    const thing = call(getThing, {
      thingId: params.thingId,
      ownerId: 7,
      limit: query.limit,
      since: query.since,
    });
    const id: Ref<string> = thing.id;
    const nested: Ref<string | null> = map(thing.owner, (o) => o?.name ?? null);
    same<typeof thing.count, Ref<number | undefined>>(true);
    same<typeof thing.owner.name, Ref<string | null>>(true);
    same<typeof thing.owner.mail, Ref<string | null | undefined>>(true);
    same<typeof thing.size, Ref<number>>(true);
    same<typeof thing.made, Ref<Date>>(true);
    same<typeof thing.state, Ref<'on' | 'off'>>(true);
    same<typeof thing.price.amount, Ref<number | null>>(true);
    const maybe = optional(thing);
    same<typeof maybe.id, Ref<string | null>>(true);
    const labels = each(thing.tags, (tag) =>
      each(thing.tags, (other) => ({ a: tag.label, b: other.label })),
    );
    const many = call(thingsOf, { id });
    same<typeof many, Ref<z.output<typeof Thing>[]>>(true);
    same<ReturnType<typeof one>, Ref<z.output<typeof Thing> | null>>(true);
    function one() {
      return call(thingOf, { id });
    }
    same<ReturnType<typeof sure>, Ref<z.output<typeof Thing>>>(true);
    function sure() {
      return call(thingFor, { id });
    }
    const picked = pick(one(), 'id', 'note');
    same<typeof picked, Ref<Pick<z.output<typeof Thing>, 'id' | 'note'> | null>>(true);
    const left = omit(many, 'tags', 'made', 'price', 'owner', 'size');
    same<
      typeof left,
      Ref<Omit<z.output<typeof Thing>, 'tags' | 'made' | 'price' | 'owner' | 'size'>[]>
    >(true);
    const other = fallback(thing, { id: 'none', state: 'off' });
    const otherId: Ref<string> = other.id;
    const both = map([thing.id, thing.count], ([a, b]) => `${a}${b ?? 0}`);
    return {
      id,
      nested,
      labels,
      made: thing.made,
      both,
      otherId,
      owner: given(thing.owner, (owner) => owner.name),
      literal: 'x',
      list: [thing.id, 1] as const,
    };
  },
});
same<
  ResponseOf<typeof fields>,
  {
    id: string;
    nested: string | null;
    labels: { a: string; b: string }[][];
    made: Date;
    both: string;
    otherId: string;
    owner: string | null;
    literal: string;
    list: [string, 1];
  }
>(true);

export const declared = defineComposition({
  route: 'GET /b/:id',
  response: z.object({
    id: z.string(),
    tags: z.array(z.object({ label: z.string() })),
    note: z.string().optional(),
  }),
  compose({ params }) {
    const thing = call(thingFor, { id: params.id });
    return { id: params.id, tags: each(thing.tags, (tag) => ({ label: tag.label })) };
  },
});
same<
  ResponseOf<typeof declared>,
  { id: string; tags: { label: string }[]; note?: string | undefined }
>(true);

export const writing = defineComposition({
  route: 'POST /c',
  body: z.object({ name: z.string(), labels: z.array(z.string()) }),
  compose({ body }) {
    const created = call(createThing, {
      body: { name: body.name, tags: each(body.labels, (label) => ({ label })) },
    });
    return created;
  },
});
same<ResponseOf<typeof writing>, { id: string }>(true);

export const refusals = defineComposition({
  route: 'GET /d/:thingId',
  compose({ params }) {
    // @ts-expect-error unknown route parameter
    const wrong = params.thingid;
    // @ts-expect-error missing argument
    call(getThing, { thingId: params.thingId, limit: 1 });
    // @ts-expect-error wrong type
    const thing = call(getThing, { thingId: params.thingId, ownerId: true, limit: 1 });
    // @ts-expect-error unknown argument
    call(thingOf, { id: 'a', idd: 'b' });
    // @ts-expect-error misspelt field
    const misspelt = thing.idd;
    const maybe = optional(thing);
    // @ts-expect-error a field of an optional step, used as required
    call(thingOf, { id: maybe.id });
    // @ts-expect-error nullable used as present
    call(thingOf, { id: thing.note });
    // @ts-expect-error a whole nullable where its fields would match
    call(createThing, { body: maybe });
    // @ts-expect-error not a list
    each(thing.owner, (owner) => owner);
    // @ts-expect-error a list that may be absent
    each(optional(call(thingsOf, { id: 'a' })), (item) => item);
    // @ts-expect-error a reference is not a value
    const text: string = thing.id;
    // @ts-expect-error used before it is there: a cycle
    const first = call(thingOf, { id: second.id });
    const second: Ref<{ id: string }> = call(thingFor, {
      id: map(first, (value) => value?.id ?? ''),
    });
    // @ts-expect-error asynchronous map
    map(thing, async (value) => value.id);
    // @ts-expect-error pick of an unknown field
    pick(thing, 'id', 'nope');
    return { wrong, misspelt, text };
  },
});

export const mismatch = defineComposition({
  route: 'GET /e/:id',
  response: z.object({ id: z.string(), owner: z.object({ name: z.string() }) }),
  compose: ({ params }) => ({
    id: params.id,
    // @ts-expect-error the exact property that may be null
    owner: call(thingFor, { id: params.id }).owner,
  }),
});

export const mismatchInBlock = defineComposition({
  route: 'GET /e2/:id',
  response: z.object({ id: z.string(), owner: z.object({ name: z.string() }) }),
  // @ts-expect-error for a body with statements the compiler points here and names the property in its message
  compose({ params }) {
    const thing = call(thingFor, { id: params.id });
    return { id: params.id, owner: thing.owner };
  },
});

defineComposition({
  // @ts-expect-error not a route
  route: 'FETCH /x',
  compose: () => ({}),
});

defineComposition({
  route: 'GET /f/:id',
  // @ts-expect-error params without the route's parameter
  params: z.object({ other: z.string() }),
  compose: ({ params }) => ({ id: params }),
});
