/** Types that the compiler infers, held by equality. Checked by `tsc`; nothing here runs. */
import {
  after,
  answer as respond,
  apiKey,
  basic,
  bearer,
  bytes,
  call,
  clientCredentials,
  tokenExchange,
  defineComposition,
  defineGateway,
  defineService,
  each,
  fallback,
  form,
  given,
  map,
  omit,
  operation,
  optional,
  pages,
  pick,
  text as textBody,
  verifyApiKeys,
  verifyJwt,
} from 'plait';
import type { Bytes, Operation, Ref, ResponseOf, StepFailure } from 'plait';
import { z } from 'zod';
import type { ParamNames } from '../../src/dsl/route.ts';
import type {
  Thing,
  thingAsJson,
  thingAlone,
  thingAt,
  sizeOf,
  thingCalled,
  thingIn,
  thingInside,
  thingNamed,
  thingOwnedBy,
  thingWith,
} from './_things.ts';
import {
  bareThings,
  createThing,
  getThing,
  pageOfThings,
  thingFor,
  thingOf,
  thingsOf,
} from './_things.ts';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles when the two are the same type, not only when one fits the other. */
function same<A, B>(_same: Equal<A, B>): void {}

type ArgsOf<O> = O extends Operation<infer Args> ? Args : never;

// The arguments of an operation: path, query and body side by side; of a lookup: its key, too.
same<
  ArgsOf<typeof getThing>,
  {
    thingId: string | number | bigint;
    ownerId: string | number | bigint;
    since?: string | undefined;
    limit: number;
  }
>(true);
same<ArgsOf<typeof createThing>, { body: { name: string; tags: { label: string }[] } }>(true);
same<ArgsOf<typeof thingOf>, { id: string }>(true);
same<ArgsOf<typeof thingsOf>, { id: string; since?: string | undefined }>(true);
same<ArgsOf<typeof thingWith>, { note: string }>(true);
same<ArgsOf<typeof thingOwnedBy>, { name: string }>(true);
same<
  ArgsOf<typeof thingAt>,
  {
    id: string;
    place: string | number | bigint;
    body: { filter: { active: boolean } };
    headers: { 'x-tenant': string };
  }
>(true);
same<ArgsOf<typeof thingIn>, { name: string; size: number; since?: string | undefined }>(true);
same<ArgsOf<typeof thingCalled>, { called: string }>(true);
same<ArgsOf<typeof thingInside>, { owner: string; thing: 'a' | 'b' }>(true);
same<ArgsOf<typeof thingAlone>, { id: string; place: string | number | bigint }>(true);
same<typeof sizeOf, Operation<{ id: string | number | bigint }, number | null>>(true);
same<ArgsOf<typeof thingNamed>, { id: 'a' | 'b' }>(true);

// A parameter begins a segment and ends at the first character that no name has.
same<
  ParamNames<'GET /:a1_B.json/items:batchGet/:rest+/a%3Ab/:userId:activate/:from-:to/x/:last/'>,
  'a1_B' | 'rest' | 'userId' | 'from' | 'last'
>(true);
same<ParamNames<'POST /orders:search'>, never>(true);
same<ParamNames<'GET /'>, never>(true);
same<ArgsOf<typeof thingAsJson>, { thingId: string | number | bigint }>(true);

export const lookups = defineComposition({
  route: 'GET /lookups/:id',
  compose({ params: { id } }) {
    const found = call(thingOf, { id });
    const sure = call(thingFor, { id });
    const all = call(thingsOf, { id });
    same<typeof found, Ref<Thing | null>>(true);
    same<typeof sure, Ref<Thing>>(true);
    same<typeof all, Ref<Thing[]>>(true);
    return [];
  },
});

export const fields = defineComposition({
  route: 'GET /fields/:id',
  compose({ params }) {
    const thing = call(thingFor, { id: params.id });
    same<typeof params.id, Ref<string>>(true);
    same<typeof thing.count, Ref<number | undefined>>(true);
    same<typeof thing.note, Ref<string | null>>(true);
    same<typeof thing.state, Ref<'on' | 'off'>>(true);
    same<typeof thing.owner.name, Ref<string | null>>(true);
    same<typeof thing.owner.mail, Ref<string | null | undefined>>(true);
    same<typeof thing.tags, Ref<{ label: string }[]>>(true);
    same<typeof thing.size, Ref<number>>(true);
    same<typeof thing.made, Ref<Date>>(true);
    same<typeof thing.place, Ref<[number, number]>>(true);
    same<typeof thing.links, Ref<Record<string, string>>>(true);
    // Of a union: the fields that all of its members have.
    same<typeof thing.price.kind, Ref<'fixed' | 'free'>>(true);
    same<typeof thing.price.amount, Ref<number | null>>(true);
    return [];
  },
});

export const tolerated = defineComposition({
  route: 'GET /tolerated/:id',
  compose({ params: { id } }) {
    const maybe = optional(call(thingFor, { id }));
    same<typeof maybe, Ref<Thing | null>>(true);
    same<typeof maybe.id, Ref<string | null>>(true);
    same<typeof maybe.count, Ref<number | null | undefined>>(true);

    const other = fallback(call(thingFor, { id }), { id: 'none', state: 'off', tags: [] });
    same<typeof other.id, Ref<string>>(true);
    same<typeof other.state, Ref<string>>(true);
    const nothing = fallback(call(thingFor, { id }), null);
    same<typeof nothing, Ref<Thing | null>>(true);
    const empty = fallback(call(thingsOf, { id }), []);
    const labels = each(empty, (thing) => thing.id);
    same<typeof labels, Ref<string[]>>(true);
    return [];
  },
});

// A fallback that is all of a body once made the compiler go round in circles.
export const tolerating = defineComposition({
  route: 'GET /tolerating/:id',
  compose: ({ params: { id } }) => fallback(call(thingsOf, { id }), []),
});
const onlyThings: ResponseOf<typeof tolerating>[number]['state'] = 'on';
export { onlyThings };

export const presence = defineComposition({
  route: 'GET /presence/:id',
  compose({ params: { id } }) {
    const found = call(thingOf, { id });
    const owner = given(found, (present) => {
      same<typeof present, Ref<Thing>>(true);
      return { id: present.id, count: present.count };
    });
    same<typeof owner, Ref<{ id: string; count: number | undefined } | null>>(true);
    const count = given(found.count, (present) => present);
    same<typeof count, Ref<number | null>>(true);
    const always = given(id, (present) => ({ present }));
    same<typeof always, Ref<{ present: string }>>(true);
    return [];
  },
});

export const lists = defineComposition({
  route: 'GET /lists/:id',
  compose({ params: { id } }) {
    const thing = call(thingFor, { id });
    const labels = each(thing.tags, (tag) => tag.label, { concurrency: 2 });
    same<typeof labels, Ref<string[]>>(true);
    const lines = each(thing.tags, (tag) => ({
      tag,
      found: optional(call(thingOf, { id: tag.label })),
      fixed: 1,
    }));
    same<typeof lines, Ref<{ tag: { label: string }; found: Thing | null; fixed: number }[]>>(true);
    const pairs = each(thing.tags, (one) =>
      each(thing.tags, (other) => ({ a: one.label, b: other.label })),
    );
    same<typeof pairs, Ref<{ a: string; b: string }[][]>>(true);
    return [];
  },
});

export const computed = defineComposition({
  route: 'GET /computed/:id',
  compose({ params: { id } }) {
    const thing = call(thingFor, { id });
    const single = map(thing.owner, (owner) => owner?.mail ?? null);
    same<typeof single, Ref<string | null>>(true);
    const tuple = map([thing.id, thing.count], ([text, count]) => {
      same<typeof text, string>(true);
      same<typeof count, number | undefined>(true);
      return text.length;
    });
    same<typeof tuple, Ref<number>>(true);
    const record = map({ thing, deep: { state: thing.state }, unit: 'cm' }, (values) => {
      same<typeof values.thing.made, Date>(true);
      same<typeof values.thing.tags, readonly { readonly label: string }[]>(true);
      same<typeof values.deep.state, 'on' | 'off'>(true);
      same<typeof values.unit, 'cm'>(true);
      return { made: values.thing.made, size: values.thing.count };
    });
    // A date is its ISO text from here on; a field may be absent.
    same<typeof record, Ref<{ made: string; size: number | undefined }>>(true);
    same<typeof record.made, Ref<string>>(true);
    const reached = map(thing.links, (links) => links['self'] ?? null);
    same<typeof reached, Ref<string | null>>(true);
    const date = map(thing.made, (made) => made);
    same<typeof date, Ref<string>>(true);
    const integers = map(thing.tags, (tags) => tags.map(() => 10n));
    same<typeof integers, Ref<bigint[]>>(true);
    const whole = map(thing, (value) => value);
    same<typeof whole.made, Ref<string>>(true);
    same<typeof whole.price.amount, Ref<number | null>>(true);
    const unknown = map(thing, (value): unknown => value);
    same<typeof unknown, Ref<unknown>>(true);
    return [];
  },
});

export const shapes = defineComposition({
  route: 'GET /shapes/:id',
  compose({ params: { id } }) {
    const picked = pick(call(thingFor, { id }), 'id', 'count');
    same<typeof picked, Ref<Pick<Thing, 'id' | 'count'>>>(true);
    const pickedMaybe = pick(call(thingOf, { id }), 'id', 'note');
    same<typeof pickedMaybe, Ref<Pick<Thing, 'id' | 'note'> | null>>(true);
    const pickedAll = pick(call(thingsOf, { id }), 'id');
    same<typeof pickedAll, Ref<Pick<Thing, 'id'>[]>>(true);
    const left = omit(call(thingFor, { id }), 'tags');
    same<typeof left, Ref<Omit<Thing, 'tags'>>>(true);
    const leftAll = omit(optional(call(thingsOf, { id })), 'tags', 'made');
    same<typeof leftAll, Ref<Omit<Thing, 'tags' | 'made'>[] | null>>(true);
    return [];
  },
});

export const wiring = defineComposition({
  route: 'GET /wiring/:thingId',
  query: z.object({ limit: z.coerce.number(), since: z.string().optional() }),
  compose: ({ params, query }) => {
    // A value, a reference, and a reference that may be undefined where the argument may be.
    call(getThing, { thingId: params.thingId, ownerId: 7, limit: query.limit, since: query.since });
    call(getThing, { thingId: 'a', ownerId: query.limit, limit: 1 });
    return [];
  },
});

export const answer = defineComposition({
  route: 'GET /answer/:id',
  compose({ params: { id } }) {
    const thing = call(thingFor, { id });
    return {
      id,
      owner: given(thing.owner, (owner) => owner.name),
      made: thing.made,
      deep: { list: [thing.id, 1] },
      text: 'x',
      nothing: null,
    };
  },
});
same<
  ResponseOf<typeof answer>,
  {
    id: string;
    owner: string | null;
    made: Date;
    deep: { list: [string, 1] };
    text: 'x';
    nothing: null;
  }
>(true);

export const declared = defineComposition({
  route: 'GET /declared/:id',
  response: z.object({
    id: z.string(),
    tags: z.array(z.object({ label: z.string() })),
    state: z.enum(['on', 'off']),
    note: z.string().optional(),
    total: z.string().transform(Number),
  }),
  compose({ params }) {
    const thing = call(thingFor, { id: params.id });
    return {
      id: params.id,
      tags: each(thing.tags, (tag) => ({ label: tag.label })),
      state: 'on',
      total: thing.id,
    };
  },
});
same<
  ResponseOf<typeof declared>,
  {
    id: string;
    tags: { label: string }[];
    state: 'on' | 'off';
    note?: string | undefined;
    total: string;
  }
>(true);

export const inputs = defineComposition({
  route: 'POST /inputs/:page/of/:kind',
  params: z.object({ page: z.coerce.number(), kind: z.enum(['a', 'b']) }),
  query: z.object({ limit: z.coerce.number().default(20), after: z.string().optional() }),
  headers: z.object({ 'accept-language': z.string().optional() }),
  cookies: z.object({ theme: z.enum(['light', 'dark']).optional(), sid: z.string() }),
  credentials: ['sid'],
  unknownQuery: 'ignore',
  rateLimit: { limit: 100, windowS: 60, by: 'address', cost: 'calls' },
  body: z.object({ name: z.string(), labels: z.array(z.string()) }),
  compose({ params, query, headers, cookies, body }) {
    same<typeof cookies.theme, Ref<'light' | 'dark' | undefined>>(true);
    same<typeof params.page, Ref<number>>(true);
    same<typeof params.kind, Ref<'a' | 'b'>>(true);
    same<typeof query.limit, Ref<number>>(true);
    same<typeof query.after, Ref<string | undefined>>(true);
    same<(typeof headers)['accept-language'], Ref<string | undefined>>(true);
    same<typeof body.labels, Ref<string[]>>(true);
    return call(createThing, {
      body: { name: body.name, tags: each(body.labels, (label) => ({ label })) },
    });
  },
});
same<ResponseOf<typeof inputs>, { id: string }>(true);

/** `identity` has the claims of the authenticator; of several, those that all have. */
const customers = verifyJwt({
  issuer: 'https://id.example.com',
  audience: 'shop',
  keys: { url: 'https://id.example.com/jwks' },
});
const partners = verifyJwt({
  issuer: 'https://partners.example.com',
  audience: ['shop', 'stock'],
  keys: { file: '/etc/plait/partners.jwks.json' },
  claims: z.object({ sub: z.string(), tenant: z.string().optional() }),
});
const machines = verifyApiKeys({ env: 'API_KEYS' }, { header: 'api-key' });
export const guarded = [
  defineComposition({
    route: 'GET /me',
    auth: customers,
    scopes: { all: ['orders:read'] },
    compose({ identity }) {
      same<typeof identity.claims, Ref<{ sub: string }>>(true);
      return { sub: identity.claims.sub };
    },
  }),
  defineComposition({
    route: 'GET /tenant',
    auth: partners,
    compose({ identity }) {
      same<typeof identity.claims.tenant, Ref<string | undefined>>(true);
      return { tenant: identity.claims.tenant };
    },
  }),
  defineComposition({
    route: 'GET /either',
    auth: [customers, partners],
    compose({ identity }) {
      same<typeof identity.claims.sub, Ref<string>>(true);
      return { sub: identity.claims.sub };
    },
  }),
  defineComposition({
    route: 'GET /any',
    auth: [customers, machines],
    compose({ identity }) {
      same<typeof identity.claims.sub, Ref<string>>(true);
      return { sub: identity.claims.sub };
    },
  }),
  defineComposition({
    route: 'GET /machine',
    auth: machines,
    compose({ identity }) {
      same<typeof identity.claims.owner, Ref<string | undefined>>(true);
      return { owner: identity.claims.owner };
    },
  }),
];
export const gateway = defineGateway({ authenticators: [customers, partners, machines] });

/** A parameter of several segments is an argument like any other. */
export const fileOf = operation(defineService({ name: 'files', url: 'http://files' }), {
  route: 'GET /files/:path+/versions/:version',
  slash: ['version'],
  response: z.unknown(),
});
same<ArgsOf<typeof fileOf>, { path: string | number | bigint; version: string | number | bigint }>(
  true,
);

/** A query may have objects, which are written in a style of the service. */
export const find = operation(
  defineService({ name: 'search', url: 'http://search', queryStyle: { objects: 'brackets' } }),
  {
    route: 'GET /things',
    query: z.object({ filter: z.object({ status: z.enum(['open', 'shut']) }) }),
    queryStyle: { arrays: 'comma' },
    redirects: 'follow',
    response: z.unknown(),
  },
);
same<ArgsOf<typeof find>, { filter: { status: 'open' | 'shut' } }>(true);

/** The items of all pages are one list. */
export const paged = defineComposition({
  route: 'GET /paged',
  compose() {
    const inObject = pages(pageOfThings, {}, { items: 'data.things', next: 'link' });
    same<typeof inObject, Ref<{ id: string }[]>>(true);
    const next = { cursor: 'data.next', query: 'cursor' } as const;
    same<typeof inObject, typeof byCursor>(true);
    const byCursor = pages(pageOfThings, {}, { items: 'data.things', next, maxPages: 5 });
    const bare = pages(bareThings, { page: 1 }, { next: { page: 'page' } });
    same<typeof bare, Ref<string[]>>(true);
    return { inObject, byCursor, bare };
  },
});

/** A tolerated part may have a limit, which does not change its type. */
export const bounded = defineComposition({
  route: 'GET /bounded/:id',
  compose({ params: { id } }) {
    const found = optional(call(thingOf, { id }), { withinMs: 300 });
    same<typeof found, Ref<Thing | null>>(true);
    const sure = fallback(call(thingFor, { id }), null, { withinMs: 200 });
    same<typeof sure, Ref<Thing | null>>(true);
    const more = fallback(
      given(found, (thing) => call(thingFor, { id: thing.id })),
      { id: 'none' },
      { withinMs: 200 },
    );
    same<typeof more, Ref<Thing | { id: string } | null>>(true);
    const second = fallback(
      call(thingOf, { id }),
      (failure) => ({ why: failure.kind, thing: call(thingFor, { id }) }),
      { withinMs: 200 },
    );
    same<typeof second, Ref<Thing | { why: StepFailure['kind']; thing: Thing } | null>>(true);
    return { found, sure, more, second };
  },
});

/** Headers are an argument, and parts of the answer a result: A's `ETag` is B's `If-Match`. */
const Order = z.object({ id: z.string(), total: z.number() });
const orders = defineService({ name: 'orders', url: 'http://orders' });
export const getOrder = operation(orders, {
  route: 'GET /orders/:id',
  response: { body: Order, headers: z.object({ etag: z.string() }) },
});
export const putOrder = operation(orders, {
  route: 'PUT /orders/:id',
  body: z.object({ total: z.number() }),
  headers: z.object({ 'if-match': z.string(), accept: z.literal('application/vnd.orders+json') }),
  response: { headers: z.object({ etag: z.string().optional() }), status: z.literal([200, 202]) },
});
export const constant = operation(orders, {
  route: 'HEAD /orders',
  headers: z.object({ accept: z.literal('text/plain') }),
  response: { status: z.int() },
});
export const choosy = operation(orders, {
  route: 'GET /orders',
  headers: z.object({ prefer: z.string().nullish() }),
  response: Order,
});
same<
  ArgsOf<typeof putOrder>,
  {
    id: string | number | bigint;
    body: { total: number };
    headers: { 'if-match': string };
  }
>(true);
same<ArgsOf<typeof constant>, {}>(true);
same<ArgsOf<typeof choosy>, { headers?: { prefer?: string | null | undefined } }>(true);

export const renewed = defineComposition({
  route: 'PUT /orders/:id',
  compose({ params }) {
    const order = call(getOrder, { id: params.id });
    const saved = call(putOrder, {
      id: order.body.id,
      body: { total: 1 },
      headers: { 'if-match': order.headers.etag },
    });
    same<typeof order.headers.etag, Ref<string>>(true);
    same<typeof saved.status, Ref<200 | 202>>(true);
    same<typeof saved.headers.etag, Ref<string | undefined>>(true);
    return { before: order.body, saved: saved.status, all: call(constant, {}).status };
  },
});
same<
  ResponseOf<typeof renewed>,
  { before: { id: string; total: number }; saved: 200 | 202; all: number }
>(true);

// A body may be left out if its schema says so; `unknown` does not.
const ofBodies = defineService({ name: 'bodies', url: 'http://bodies' });
const asBody = <Body extends z.ZodType>(body: Body) =>
  operation(ofBodies, { route: 'POST /x', body, response: z.null() });
same<ArgsOf<ReturnType<typeof asBody<z.ZodOptional<z.ZodString>>>>, { body?: string | undefined }>(
  true,
);
same<ArgsOf<ReturnType<typeof asBody<z.ZodDefault<z.ZodString>>>>, { body?: string | undefined }>(
  true,
);
same<ArgsOf<ReturnType<typeof asBody<z.ZodNullable<z.ZodString>>>>, { body: string | null }>(true);
same<ArgsOf<ReturnType<typeof asBody<z.ZodUnknown>>>, { body: unknown }>(true);
/** The type of a response is that of its template, whatever `answer` adds. */
export const placed = defineComposition({
  route: 'POST /orders/:id',
  compose({ params }) {
    const order = call(getOrder, { id: params.id });
    return respond(
      { id: order.body.id },
      {
        status: map(order, ({ body }) => (body.total > 0 ? 201 : 202)),
        headers: {
          location: order.headers.etag,
          link: ['<a>', order.headers.etag, null],
          'set-cookie': [{ name: 'a', value: order.body.id, maxAge: 60, sameSite: 'Strict' }],
        },
      },
    );
  },
});
same<ResponseOf<typeof placed>, { id: string }>(true);

export const declaredToo = defineComposition({
  route: 'POST /orders/:id/declared',
  response: z.object({ id: z.string() }),
  compose: ({ params }) =>
    respond({ id: call(getOrder, { id: params.id }).body.id }, { status: 201 }),
});
same<ResponseOf<typeof declaredToo>, { id: string }>(true);

export const emptied = defineComposition({
  route: 'DELETE /orders/:id',
  compose: () => respond(null, { status: 204 }),
});
same<ResponseOf<typeof emptied>, null>(true);
/** Credentials and headers come from source code, the environment or files. */
export const keyed = [
  bearer({ file: '/run/secrets/payments' }),
  basic({ user: { env: 'NAME' }, password: { env: 'PASSWORD' } }),
  apiKey({ env: 'KEY' }, { query: 'key' }),
  clientCredentials({
    tokenUrl: { env: 'TOKEN_URL' },
    clientId: 'gateway',
    clientSecret: { file: '/run/secrets/gateway' },
    scope: 'shipments:read',
  }),
  tokenExchange({
    tokenUrl: 'https://id/token',
    clientId: { env: 'CLIENT_ID' },
    clientSecret: { env: 'SECRET' },
    audience: 'shipping',
  }),
].map((auth) =>
  defineService({
    name: 'payments',
    url: { env: 'PAYMENTS_URL' },
    headers: { 'x-tenant': 'acme', 'x-region': { env: 'REGION' } },
    auth,
    requestId: 'x-correlation-id',
    tls: { ca: { file: '/run/tls/ca.crt' }, cert: { env: 'CERT' }, key: { env: 'CERT_KEY' } },
  }),
);
/** A 404 that is `null` is in the type; a failure inside a 2xx is not. */
const maybeThing = operation(defineService({ name: 'things', url: 'http://things' }), {
  route: 'GET /maybe/:id',
  response: z.object({ id: z.string() }),
  missing: 'null',
  failure: {
    body: z.object({ ok: z.literal(false), error: z.object({ code: z.string(), at: z.date() }) }),
    status: { at: 'error.code', values: { NO_SUCH_THING: 404 } },
  },
});
export const maybeThere = defineComposition({
  route: 'GET /maybe/:id',
  compose: ({ params }) => call(maybeThing, { id: params.id }),
});
same<ResponseOf<typeof maybeThere>, { id: string } | null>(true);

/** A body of another kind has the types of its schema. */
const formFields = z.object({ q: z.string(), page: z.coerce.number().optional() });
const otherKinds = operation(defineService({ name: 'others', url: 'http://others' }), {
  route: 'POST /others',
  body: form(formFields),
  response: { body: textBody() },
});
export const others = defineComposition({
  route: 'POST /others',
  body: form(formFields),
  compose: ({ body }) => call(otherKinds, { body: { q: body.q, page: body.page } }),
});
same<ResponseOf<typeof others>, { body: string }>(true);

/** Bytes have no fields, are a response as they are, and the body of another call. */
const getBytes = operation(defineService({ name: 'bytes', url: 'http://bytes' }), {
  route: 'GET /bytes',
  response: bytes(),
});
const putBytes = operation(defineService({ name: 'sink', url: 'http://sink' }), {
  route: 'PUT /bytes',
  body: bytes(),
  response: z.null(),
});
export const passedOn = defineComposition({
  route: 'GET /bytes',
  response: bytes(),
  compose: () => after(call(putBytes, { body: call(getBytes, {}) }), () => call(getBytes, {})),
});
same<ResponseOf<typeof passedOn>, Bytes>(true);
