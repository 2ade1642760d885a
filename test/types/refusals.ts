/**
 * Mistakes that the compiler refuses. Checked by `tsc`: a line that it accepts is an error. Nothing
 * here runs.
 */
import {
  answer,
  apiKey,
  basic,
  bearer,
  call,
  clientCredentials,
  tokenExchange,
  defineComposition,
  defineService,
  each,
  fallback,
  form,
  given,
  json,
  lookup,
  map,
  omit,
  operation,
  optional,
  pages,
  pick,
  verifyApiKeys,
  verifyJwt,
} from 'plait';
import type { Ref } from 'plait';
import { z } from 'zod';
import {
  Thing,
  bareThings,
  createThing,
  getThing,
  pageOfThings,
  thingFor,
  thingOf,
  thingsOf,
} from './_things.ts';

export const names = defineComposition({
  route: 'GET /names/:id',
  compose({ params, query, headers, cookies }) {
    const thing = call(thingFor, { id: params.id });
    return [
      // @ts-expect-error unknown route parameter
      params.ID,
      // @ts-expect-error a query that was not declared
      query.limit,
      // @ts-expect-error a header that was not declared
      headers.accept,
      // @ts-expect-error a cookie that was not declared
      cookies.theme,
      // @ts-expect-error misspelt upstream field
      thing.idd,
      // @ts-expect-error misspelt field of a nullable part
      thing.owner.nmae,
      // @ts-expect-error a field that only some members of a union have
      thing.price.until,
      // @ts-expect-error the items of a list are reached with each()
      thing.tags.label,
      // @ts-expect-error misspelt field of an item
      each(thing.tags, (tag) => tag.lable),
      // @ts-expect-error no such option
      each(thing.tags, (tag) => tag.label, { concurency: 2 }),
      // @ts-expect-error misspelt field of a present value
      given(thing.owner, (owner) => owner.nmae),
      // @ts-expect-error misspelt field inside map()
      map(thing, (value) => value.idd),
      // @ts-expect-error pick() of an unknown field
      pick(thing, 'id', 'nope'),
      // @ts-expect-error omit() of an unknown field
      omit(thing.tags, 'nope'),
    ];
  },
});

export const callArguments = defineComposition({
  route: 'GET /arguments/:thingId',
  compose({ params }) {
    const { thingId } = params;
    // @ts-expect-error missing path parameter
    call(getThing, { thingId, limit: 1 });
    // @ts-expect-error missing query parameter
    call(getThing, { thingId, ownerId: 1 });
    // @ts-expect-error missing key
    call(thingOf, {});
    // @ts-expect-error missing body
    call(createThing, {});
    // @ts-expect-error no arguments at all
    call(thingOf);
    // @ts-expect-error wrong type of a value
    call(getThing, { thingId, ownerId: true, limit: 1 });
    // @ts-expect-error wrong type of a reference
    call(getThing, { thingId, ownerId: 1, limit: thingId });
    // @ts-expect-error wrong type inside a body
    call(createThing, { body: { name: 'x', tags: [{ label: 1 }] } });
    // @ts-expect-error missing property of a body
    call(createThing, { body: { name: thingId } });
    // @ts-expect-error unknown argument
    call(thingOf, { id: 'a', idd: 'b' });
    const whole = map(params, () => ({ thingId: 'a', ownerId: 'b', limit: 1 }));
    // @ts-expect-error a whole reference instead of arguments
    call(getThing, whole);
    return [];
  },
});

export const absence = defineComposition({
  route: 'GET /absence/:id',
  compose({ params: { id } }) {
    const thing = call(thingFor, { id });
    const maybe = optional(thing);
    // @ts-expect-error nullable used as present
    call(thingOf, { id: thing.note });
    // @ts-expect-error a field of a nullable part, used as present
    call(thingOf, { id: thing.owner.name });
    // @ts-expect-error an optional field, used as present
    call(getThing, { thingId: id, ownerId: 1, limit: thing.count });
    // @ts-expect-error a field of an optional step, used as required
    call(thingOf, { id: maybe.id });
    // @ts-expect-error a field of a lookup that may find nothing
    call(thingOf, { id: call(thingOf, { id }).id });
    // @ts-expect-error a field of a fallback to null
    call(thingOf, { id: fallback(thing, null).id });
    // @ts-expect-error the result of given(), which may have been skipped
    call(thingOf, { id: given(thing.note, (note) => note) });
    // @ts-expect-error a whole nullable where its fields would fit
    call(createThing, { body: optional(map(id, (name) => ({ name, tags: [] }))) });
    // @ts-expect-error a list that may be absent
    each(optional(call(thingsOf, { id })), (item) => item);
    // @ts-expect-error not a list
    each(thing.owner, (owner) => owner);
    // @ts-expect-error nullable inside map()
    map(thing.note, (note) => note.length);
    return [];
  },
});

export const values = defineComposition({
  route: 'GET /values/:id',
  compose({ params: { id } }) {
    const thing = call(thingFor, { id });
    // @ts-expect-error a reference is not a value
    const text: string = thing.id;
    // @ts-expect-error nor does it have the methods of one
    thing.id.toUpperCase();
    // @ts-expect-error a list has no methods
    thing.tags.map((tag) => tag);
    // @ts-expect-error it cannot be computed with
    const more = thing.size + 1;
    // @ts-expect-error nor compared
    const equal = thing.id === 'a';
    // @ts-expect-error nor iterated
    for (const tag of thing.tags) call(thingOf, { id: tag });
    // @ts-expect-error nor assigned to
    thing.id = id;
    // @ts-expect-error a value is not a reference
    const tolerated = optional('a');
    // @ts-expect-error items leads to no list
    pages(pageOfThings, {}, { items: 'data.next', next: 'link' });
    // @ts-expect-error items is missing
    pages(pageOfThings, {}, { next: 'link' });
    // @ts-expect-error no such query parameter
    pages(pageOfThings, {}, { items: 'data.things', next: { cursor: 'data.next', query: 'page' } });
    // @ts-expect-error no such field
    pages(pageOfThings, {}, { items: 'data.things', next: { url: 'data.nxt' } });
    // @ts-expect-error a total without what it ends
    pages(pageOfThings, {}, { items: 'data.things', next: { total: 'total' } });
    // @ts-expect-error no such option
    pages(pageOfThings, {}, { items: 'data.things', next: 'link', max: 3 });
    // @ts-expect-error no such argument
    pages(pageOfThings, { page: 1 }, { items: 'data.things', next: 'link' });
    // @ts-expect-error the value is a list
    pages(bareThings, {}, { items: 'data', next: 'link' });
    // @ts-expect-error optional() has no such option
    optional(thing, { within: 5 });
    // @ts-expect-error a time is a number
    fallback(thing, null, { withinMs: '5' });
    // @ts-expect-error a failure has no such field
    fallback(thing, (failure) => call(thingOf, { id: failure.detail }));
    // @ts-expect-error answer() is what compose() returns
    fallback(thing, () => answer(call(thingOf, { id })));
    // @ts-expect-error a fallback is plain data
    const chosen = fallback(thing, id);
    // @ts-expect-error what map() gets is shared: it cannot be changed
    const sorted = map(thing.tags, (tags) => tags.push({ label: '' }));
    // @ts-expect-error asynchronous map()
    const later = map(thing, async (value) => value.id);
    return { text, more, equal, tolerated, chosen, later, sorted };
  },
});

export const notJson = defineComposition({
  route: 'GET /not-json/:id',
  compose({ params: { id } }) {
    const thing = call(thingFor, { id });
    return [
      // @ts-expect-error a Set
      map(thing.tags, (tags) => new Set(tags)),
      // @ts-expect-error a Map within an object
      map(thing, (value) => ({ links: new Map([['a', value.id]]) })),
      // @ts-expect-error a function within a list
      map(thing, (value) => [() => value.id]),
      // @ts-expect-error a symbol
      map(thing, () => Symbol('a')),
      // @ts-expect-error nothing
      map(thing, () => undefined),
      // @ts-expect-error perhaps nothing
      map(thing.links, (links) => links['self']),
      // @ts-expect-error perhaps nothing, in a list
      map(thing.tags, (tags) => tags.map(({ label }) => (label === '' ? undefined : label))),
      // @ts-expect-error bytes
      map(thing, () => new Uint8Array(8)),
      // @ts-expect-error a promise within an object
      map(thing, (value) => ({ later: Promise.resolve(value.id) })),
      // @ts-expect-error an error
      map(thing, () => new Error('a')),
    ];
  },
});

export const cycle = defineComposition({
  route: 'GET /cycle/:id',
  compose() {
    // @ts-expect-error used before it is there
    const first = call(thingOf, { id: second.id });
    const second: Ref<{ id: string }> = call(thingFor, {
      id: map(first, (value) => value?.id ?? ''),
    });
    return { first, second };
  },
});

export const misfit = defineComposition({
  route: 'GET /misfit/:id',
  response: z.object({
    id: z.string(),
    owner: z.object({ name: z.string() }),
    state: z.enum(['on', 'off']),
    tags: z.array(z.object({ label: z.string() })),
  }),
  compose: ({ params }) => ({
    // @ts-expect-error a number where a text is wanted
    id: call(thingFor, { id: params.id }).size,
    // @ts-expect-error something that may be null
    owner: call(thingFor, { id: params.id }).owner,
    // @ts-expect-error a literal that is not listed
    state: 'lost',
    // @ts-expect-error a list of something else
    tags: each(call(thingFor, { id: params.id }).tags, (tag) => tag.label),
  }),
});

export const misfitInBlock = defineComposition({
  route: 'GET /misfit-in-block/:id',
  response: z.object({ id: z.string(), owner: z.object({ name: z.string() }) }),
  // @ts-expect-error for a body with statements the compiler points here and names the property in
  // its message
  compose({ params }) {
    const thing = call(thingFor, { id: params.id });
    return { id: params.id, owner: thing.owner };
  },
});

export const lacking = defineComposition({
  route: 'GET /lacking/:id',
  response: z.object({ id: z.string(), name: z.string() }),
  // @ts-expect-error a key that the response schema requires
  compose: ({ params }) => ({ id: params.id }),
});

defineComposition({
  // @ts-expect-error not a method
  route: 'FETCH /x',
  compose: () => ({}),
});

defineComposition({
  // @ts-expect-error not a path
  route: 'GET x',
  compose: () => ({}),
});

defineComposition({
  route: 'GET /x/:id',
  // @ts-expect-error params without one of the route
  params: z.object({}),
  compose: () => ({}),
});

defineComposition({
  route: 'GET /x/:id',
  // @ts-expect-error params with one that is not in the route
  params: z.object({ id: z.string(), page: z.string() }),
  compose: ({ params }) => ({ id: params.id }),
});

defineComposition({
  route: 'GET /x',
  // @ts-expect-error misspelt knob
  deadlineMS: 1,
  compose: () => ({}),
});

const { service } = getThing;

// @ts-expect-error a key that items do not have
lookup(service, { route: 'GET /x', keys: { query: 'ids' }, by: 'orderId', item: Thing });

// @ts-expect-error a path that items do not have
lookup(service, { route: 'GET /x', keys: { query: 'ids' }, by: 'owner.id', item: Thing });

// @ts-expect-error an object is no key
lookup(service, { route: 'GET /x', keys: { query: 'ids' }, by: 'owner', item: Thing });

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids', join: ':' },
  // @ts-expect-error a part that items do not have
  by: ['id', 'owner.id'],
  item: Thing,
});

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids', join: ':' },
  by: ['id', 'owner.name'],
  // @ts-expect-error one name for two parts
  argument: 'id',
  item: Thing,
});

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids', join: ':' },
  by: ['id', 'owner.name'],
  // @ts-expect-error a schema of another key
  key: z.object({ id: z.string(), owner: z.string() }),
  item: Thing,
});

// @ts-expect-error one key at a time, so nothing bounds their number
lookup(service, { single: 'GET /x/:id', by: 'id', item: Thing, max: 10 });

// @ts-expect-error a place for keys without a route that takes them
lookup(service, { keys: { query: 'ids' }, by: 'id', item: Thing });

// @ts-expect-error matched by a field that numbers do not have
lookup(service, { route: 'GET /x', keys: { query: 'ids' }, by: 'id', item: z.number() });

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  // @ts-expect-error neither by field, key nor position
  match: 'index',
});

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  // @ts-expect-error no way to compare
  compare: 'nocase',
});

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  // @ts-expect-error a field that errors do not have
  errors: { when: z.object({ code: z.int() }), status: 'kode' },
});

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  // @ts-expect-error beside the items, or among them
  errors: { items: 'errors', when: z.object({ code: z.int() }), status: 'code' },
});

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  // @ts-expect-error a limit without its parameter
  limit: { value: 100 },
});

// @ts-expect-error neither in the query nor in the body
lookup(service, { route: 'GET /x', keys: { header: 'ids' }, by: 'id', item: Thing });

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  // @ts-expect-error a schema whose keys no item can have
  key: z.number(),
});

// @ts-expect-error without its response there is nothing to know the type from
operation(service, { route: 'GET /x' });

// @ts-expect-error true says nothing of a breaker: it has numbers, or is false
defineService({ name: 'x', url: 'http://x', breaker: true });

// @ts-expect-error nor of hedging
defineService({ name: 'x', url: 'http://x', hedge: true });

// @ts-expect-error nor of retries
defineService({ name: 'x', url: 'http://x', retry: true });

// @ts-expect-error a bulkhead cannot be turned off
defineService({ name: 'x', url: 'http://x', bulkhead: false });

// @ts-expect-error a health check without its path
defineService({ name: 'x', url: 'http://x', health: {} });

// @ts-expect-error misspelt knob of a group
defineService({ name: 'x', url: 'http://x', retry: { tries: 1 } });

// @ts-expect-error a share is a number
defineService({ name: 'x', url: 'http://x', hedge: { afterP: '0.95' } });

// @ts-expect-error null does not turn anything off
defineService({ name: 'x', url: 'http://x', retry: null });

// @ts-expect-error a secret is no text
bearer('canary');

// @ts-expect-error a source is a variable or a file
bearer({ path: '/run/secrets/key' });

// @ts-expect-error a password is no text
basic({ user: 'me', password: 'canary' });

// @ts-expect-error a key goes into a header or into the query
apiKey({ env: 'KEY' }, { cookie: 'key' });

// @ts-expect-error nor is the secret of a client
clientCredentials({ tokenUrl: 'https://id/token', clientId: 'me', clientSecret: 'canary' });

// @ts-expect-error the URL of an issuer is no secret, and in no file
tokenExchange({ tokenUrl: { file: '/x' }, clientId: 'me', clientSecret: { env: 'SECRET' } });

// @ts-expect-error the URL of an issuer is a text or in a variable
clientCredentials({ tokenUrl: { file: '/x' }, clientId: 'me', clientSecret: { env: 'SECRET' } });

// @ts-expect-error credentials are made by their word
defineService({ name: 'x', url: 'http://x', auth: { env: 'KEY' } });

// @ts-expect-error a request id has the name of a header, or none
defineService({ name: 'x', url: 'http://x', requestId: true });

// @ts-expect-error the check of certificates cannot be turned off
defineService({ name: 'x', url: 'https://x', tls: { rejectUnauthorized: false } });

// @ts-expect-error a header is a text, or where it comes from
defineService({ name: 'x', url: 'http://x', headers: { 'x-a': 7 } });

// @ts-expect-error an operation only goes without
operation(service, { route: 'GET /x', response: Thing, auth: bearer({ env: 'KEY' }) });

// @ts-expect-error true says nothing of hedging here either
operation(service, { route: 'GET /x', response: Thing, hedge: true });

// @ts-expect-error misspelt knob of a group
operation(service, { route: 'GET /x', response: Thing, retry: { tries: 1 } });

// @ts-expect-error a promise is given or not
operation(service, { route: 'POST /x', response: Thing, idempotent: 'yes' });

// @ts-expect-error a breaker is for all operations of a service
operation(service, { route: 'GET /x', response: Thing, breaker: false });

lookup(service, {
  route: 'GET /x',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
  // @ts-expect-error a lookup only reads: it need not promise
  idempotent: true,
});

// @ts-expect-error slash names a parameter of the route
operation(service, { route: 'GET /x/:id', response: Thing, slash: ['name'] });

const etagged = operation(defineService({ name: 'orders', url: 'http://orders' }), {
  route: 'PUT /orders/:id',
  headers: z.object({ 'if-match': z.string(), accept: z.literal('text/x') }),
  response: { headers: z.object({ etag: z.string() }), status: z.int() },
});

export const headersAndParts = defineComposition({
  route: 'PUT /orders/:id',
  compose({ params: { id } }) {
    const headers = { 'if-match': 'a' };
    const order = call(etagged, { id, headers });
    // @ts-expect-error the required header is missing
    call(etagged, { id });
    // @ts-expect-error a header that is not declared
    call(etagged, { id, headers: { 'if-none-match': 'a' } });
    // @ts-expect-error a constant is no argument
    call(etagged, { id, headers: { ...headers, accept: 'text/y' } });
    return [
      // @ts-expect-error a part that is not declared
      order.body,
      // @ts-expect-error a header that is not declared
      order.headers.location,
    ];
  },
});

// @ts-expect-error HEAD is for operations: the gateway answers it like GET
defineComposition({ route: 'HEAD /x', compose: () => ({}) });

export const answers = [
  defineComposition({
    route: 'GET /answers/a',
    response: z.object({ id: z.number() }),
    // @ts-expect-error the template does not fit the response
    compose: () => answer({ id: 'a' }, { status: 201 }),
  }),
  defineComposition({
    route: 'GET /answers/b',
    // @ts-expect-error a status is a number
    compose: () => answer({ id: 'a' }, { status: '201' }),
  }),
  defineComposition({
    route: 'GET /answers/c',
    // @ts-expect-error a header is text
    compose: () => answer({ id: 'a' }, { headers: { link: { href: '/' } } }),
  }),
  defineComposition({
    route: 'GET /answers/d',
    // @ts-expect-error a misspelt field of a cookie
    compose: () => answer({}, { headers: { 'set-cookie': { name: 'a', value: 'b', maxage: 1 } } }),
  }),
  defineComposition({
    route: 'GET /answers/e',
    // @ts-expect-error an answer is no argument
    compose: () => call(thingOf, { id: answer('a') }),
  }),
  defineComposition({
    route: 'GET /answers/f/:id',
    compose: ({ params }) => [
      // @ts-expect-error an answer is no item
      each(call(thingFor, { id: params.id }).tags, () => answer('a')),
      // @ts-expect-error an answer is no part
      given(call(thingFor, { id: params.id }).owner, () => answer('a')),
    ],
  }),
];

const failed = z.object({ ok: z.literal(false), error: z.object({ code: z.int(), at: z.date() }) });
const nowhere = defineService({ name: 'nowhere', url: 'http://nowhere' });
export const meanings = [
  operation(nowhere, {
    route: 'GET /a',
    response: Thing,
    // @ts-expect-error a misspelt path
    failure: { body: failed, status: 'error.kode' },
  }),
  operation(nowhere, {
    route: 'GET /b',
    response: Thing,
    // @ts-expect-error a path to something that is no code
    failure: { body: failed, status: 'error.at' },
  }),
  operation(nowhere, {
    route: 'GET /c',
    response: Thing,
    // @ts-expect-error a status is a number
    failure: { body: failed, status: { at: 'error.code', values: { a: 'not found' } } },
  }),
  operation(nowhere, {
    route: 'GET /p',
    response: Thing,
    // @ts-expect-error a path is a text
    problem: { errors: ['errors'], detail: 'detail' },
  }),
  operation(nowhere, {
    route: 'GET /q',
    response: Thing,
    // @ts-expect-error without a text there is nothing to tell
    problem: { errors: 'errors' },
  }),
  operation(nowhere, {
    route: 'GET /d',
    response: Thing,
    // @ts-expect-error null or error
    missing: true,
  }),
];

/** Who may ask is said by values, and the claims are those of their schemas. */
const customers = verifyJwt({ issuer: 'i', audience: 'a', keys: { file: 'f' } });
const partners = verifyJwt({
  issuer: 'i',
  audience: 'a',
  keys: { url: { env: 'JWKS_URL' } },
  claims: z.object({ sub: z.string(), tenant: z.string() }),
});
export const identities = [
  defineComposition({
    route: 'GET /a',
    // @ts-expect-error a name is no authenticator
    auth: 'customers',
    compose: () => ({}),
  }),
  defineComposition({
    route: 'GET /b',
    auth: customers,
    // @ts-expect-error a claim that is not in the schema
    compose: ({ identity }) => ({ tenant: identity.claims.tenant }),
  }),
  defineComposition({
    route: 'GET /c',
    auth: [customers, partners],
    // @ts-expect-error a claim that only one of them has
    compose: ({ identity }) => ({ tenant: identity.claims.tenant }),
  }),
  defineComposition({
    route: 'GET /d',
    // @ts-expect-error nobody is asked for an identity
    compose: ({ identity }) => ({ claims: identity.claims }),
  }),
  defineComposition({
    route: 'GET /e',
    auth: customers,
    // @ts-expect-error any or all of the scopes
    scopes: ['a'],
    compose: () => ({}),
  }),
  // @ts-expect-error a symmetric algorithm
  verifyJwt({ issuer: 'i', audience: 'a', keys: { file: 'f' }, algorithms: ['HS256'] }),
  // @ts-expect-error the list of keys is a source, and no text
  verifyApiKeys('acme.secret'),
  // @ts-expect-error a header that could be logged
  verifyApiKeys({ env: 'API_KEYS' }, { header: 'x-partner' }),
  // @ts-expect-error an audience is required
  verifyJwt({ issuer: 'i', keys: { file: 'f' } }),
];

/** Credentials are cookies, and unknown query parameters have two fates. */
export const cookiesAndQuery = [
  defineComposition({
    route: 'GET /a',
    cookies: z.object({ sid: z.string() }),
    // @ts-expect-error a credential that is no cookie of the schema
    credentials: ['sidd'],
    compose: ({ cookies }) => ({ sid: cookies.sid }),
  }),
  defineComposition({
    route: 'GET /b',
    // @ts-expect-error an unknown rule
    unknownQuery: 'drop',
    compose: () => ({}),
  }),
  defineComposition({
    route: 'GET /c',
    // @ts-expect-error nothing else is counted
    rateLimit: { limit: 5, windowS: 60, cost: 'steps' },
    compose: () => ({}),
  }),
  defineComposition({
    route: 'GET /d',
    // @ts-expect-error a limit has a window
    rateLimit: { limit: 5 },
    compose: () => ({}),
  }),
];
// @ts-expect-error a form has names
form(z.array(z.string()));
// @ts-expect-error a type is wanted
json(Thing);
export const kinds = defineComposition({
  route: 'POST /kinds',
  body: form(z.object({ q: z.string() })),
  // @ts-expect-error the form has no such field
  compose: ({ body }) => ({ q: body.page }),
});

const searched = defineService({ name: 'searched', url: 'http://searched' });
export const styles = [
  // @ts-expect-error an unknown way to write lists
  defineService({ name: 'a', url: 'http://a', queryStyle: { arrays: 'csv' } }),
  // @ts-expect-error an unknown part of the style
  defineService({ name: 'a', url: 'http://a', queryStyle: { lists: 'comma' } }),
  // @ts-expect-error neither 'error' nor 'follow'
  defineService({ name: 'a', url: 'http://a', redirects: true }),
  // @ts-expect-error an unknown way to write spaces
  operation(searched, { route: 'GET /a', response: Thing, queryStyle: { spaces: '%2B' } }),
  // @ts-expect-error the parameter is called id, and the text after it is no part of the name
  operation(searched, { route: 'GET /:id.json', slash: ['id.json'], response: Thing }),
];

export const parameters = defineComposition({
  route: 'GET /things:search/:id',
  compose({ params }) {
    // @ts-expect-error a colon after text begins no parameter
    return [params.id, params.search];
  },
});
