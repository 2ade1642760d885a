/**
 * Messages about compositions that cannot become a plan: where, what was found, what to do.
 */
import {
  call,
  defineComposition,
  defineService,
  each,
  given,
  map,
  omit,
  operation,
  optional,
  pick,
} from 'plait';
import type { Composition, Operation, Ref } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compile, compileAll } from '../../src/plan/compile.ts';
import {
  createThing,
  getThing,
  loadErrorOf,
  messageOf,
  page,
  thingOf,
  things,
} from '../support/page.ts';

const waitFor = async (value: unknown) => ({ id: await value });

/** As a file that was not type-checked would have it. */
function untyped(config: object): Composition {
  return defineComposition({ route: 'GET /x', compose: () => ({ a: 1 }), ...config });
}

describe('what arrives as text', () => {
  it('may be coerced, chosen, transformed and left out', () => {
    const query = z.object({
      limit: z.coerce.number().default(20),
      since: z.coerce.date().optional(),
      sort: z.enum(['new', 'old']).nullish(),
      deep: z.stringbool(),
      size: z.string().transform(Number).pipe(z.number()),
      ids: z.array(z.coerce.number()),
      literal: z.literal('a'),
      either: z.union([z.string(), z.number()]),
      loose: z.preprocess(Number, z.number()),
    });
    expect(compileAll([{ name: 'own', composition: untyped({ query }) }]).errors).toEqual([]);
  });
});

describe('names that are taken', () => {
  it.each(['/livez', '/readyz', '/openapi.json', '/docs'] as const)(
    '%s is refused as a route',
    (path) => {
      const composition = untyped({ route: `GET ${path}` });
      const { errors } = compileAll([{ name: 'own', composition }]);
      expect(errors.map(({ message }) => message)).toEqual([
        `own: ${path} is served by the gateway itself. Choose another path.`,
      ]);
    },
  );

  it.each<readonly [string, string]>([
    [
      '/files/:id.json',
      '":id.json" has text after the parameter, which only a service\'s route can ' +
        'have. Write ":id", and make the text a segment of its own.',
    ],
    [
      '/users/:id:activate',
      '":id:activate" has text after the parameter, which only a service\'s route ' +
        'can have. Write ":id", and make the text a segment of its own.',
    ],
    ...['/a%2Fb', '/a%3Fb', '/a%25', '/a%ff', '/%2A', '/%7Bx%7D'].map(
      (path) =>
        [
          path,
          `"${path.slice(1)}" has an escape for a character that is not part of a word, which only a ` +
            'service\'s route can have. Escape letters and the like, as in "caf%C3%A9".',
        ] as const,
    ),
  ])('the route %s is refused: only services have such', (path, problem) => {
    const composition = untyped({ route: `GET ${path}` });
    expect(messageOf(() => compile({ name: 'own', composition }))).toBe(`own: ${problem}`);
  });

  it('a parameter of several segments is refused: only the routes of services have them', () => {
    const composition = untyped({ route: 'GET /files/:path+' });
    expect(() => compile({ name: 'own', composition })).toThrow(
      'own: ":path+" takes several segments, which only a service\'s route can have. Write ":path", ' +
        'whose values may contain an encoded slash.',
    );
  });

  it('$problems is refused as a field of the response', () => {
    const composition = untyped({ compose: ({ params }: never) => ({ $problems: params }) });
    expect(() => compile({ name: 'own', composition })).toThrow(
      'own: compose() returned a field "$problems", which says what is missing in a degraded ' +
        'response. Rename it.',
    );
  });

  it('a field that the body does not have is named', () => {
    const composition = untyped({
      route: 'POST /x',
      body: z.object({ note: z.string() }),
      compose: ({ body }: { body: Ref<{ nite: string }> }) => ({ a: body.nite }),
    });
    expect(() => compile({ name: 'own', composition })).toThrow(
      'own: body has no "nite". It has: note.',
    );
  });
});

describe('the configuration', () => {
  it.each<[string, object, string]>([
    ...['params', 'query', 'headers'].map((part): [string, object, string] => [
      `${part} without z.object()`,
      { [part]: { id: z.string() } },
      `${part} is an object. Use z.object({ … }).`,
    ]),
    [
      'a query that has no names',
      { query: z.record(z.string(), z.string()) },
      'query is a record. Use z.object({ … }).',
    ],
    [
      'a response that is no schema',
      { response: 'Order' },
      'response is "Order". Use a schema, as z.object({ … }).',
    ],
    [
      'a route that is none',
      { route: 'GET x' },
      'route "GET x" cannot be used. Write a method (GET, POST, PUT, PATCH, DELETE), one space ' +
        'and a path, as in "GET /orders/:orderId".',
    ],
    [
      'a knob that is none',
      { deadline: 500 },
      'unknown option "deadline". Known options: route, summary, auth, scopes, roles, params, ' +
        'query, body, headers, cookies, credentials, unknownQuery, response, deadlineMs, degraded, ' +
        'rateLimit, cache, compose.',
    ],
    [
      'a query parameter that no text fits',
      { query: z.object({ limit: z.number().optional() }) },
      'query.limit expects a number, but arrives as text. Use z.coerce, as in ' +
        'z.coerce.number(), or z.stringbool().',
    ],
    [
      'a list of query parameters that no text fits',
      { query: z.object({ id: z.array(z.number()) }) },
      'query.id expects a number, but arrives as text. Use z.coerce, as in z.coerce.number(), ' +
        'or z.stringbool().',
    ],
    [
      'a path parameter that no text fits',
      { route: 'GET /x/:id', params: z.object({ id: z.boolean() }) },
      'params.id expects a boolean, but arrives as text. Use z.coerce, as in z.coerce.number(), ' +
        'or z.stringbool().',
    ],
    ['a misspelt choice', { degraded: 'no' }, 'degraded is "no". Use "allow" or "fail".'],
    [
      'more time than a timer can keep',
      { deadlineMs: 2 ** 31 },
      'deadlineMs is 2147483648. Use a whole number of at most 2147483647.',
    ],
    ['no time at all', { deadlineMs: 0 }, 'deadlineMs is 0. Use a whole number of at least 1.'],
    [
      'a body where the method has none',
      { body: z.object({}) },
      'a GET has no body. Use query, or another method.',
    ],
    [
      'params without one of the route',
      { route: 'GET /x/:id', params: z.object({}) },
      'params is missing "id", which is in the route. Add it to the schema.',
    ],
    [
      'params with one that is not in the route',
      { route: 'GET /x/:id', params: z.object({ id: z.string(), page: z.string() }) },
      'params has "page", which is not in the route /x/:id. Add ":page" there, or remove it here.',
    ],
    [
      'a header in capitals',
      { headers: z.object({ 'Accept-Language': z.string() }) },
      'header "Accept-Language" is not in lower case. Write "accept-language".',
    ],
    [
      'a header that no request can have',
      { headers: z.object({ 'x-€': z.string() }) },
      'header "x-€" is not a valid header name. Use letters, digits and hyphens, as in ' +
        '"accept-language".',
    ],
    [
      'a cookie that looks like a credential',
      { cookies: z.object({ session: z.string() }) },
      'cookie "session" may say who the client is. List it in credentials, or remove it.',
    ],
    [
      'a cookie that no request can have',
      { cookies: z.object({ 'a b': z.string() }) },
      'cookie "a b" is not a valid cookie name. Use letters, digits, hyphens and underscores, as in ' +
        '"theme".',
    ],
    [
      'a cookie that expects a number',
      { cookies: z.object({ per: z.number() }) },
      'cookies.per expects a number, but arrives as text. Use z.coerce, as in z.coerce.number(), ' +
        'or z.stringbool().',
    ],
    [
      'a cookie that expects a list',
      { cookies: z.object({ tags: z.array(z.string()) }) },
      'cookies.tags expects an array, but arrives as text. Use z.string(), and split it in a ' +
        'transform: only the query may repeat a name.',
    ],
    [
      'a loose object of cookies',
      { cookies: z.looseObject({ theme: z.string() }) },
      'cookies takes unknown names, but only those that it names are read. Use z.object().',
    ],
    [
      'cookies that are no object',
      { cookies: z.record(z.string(), z.string()) },
      'cookies is not an object of cookies. Use z.object(), as in z.object({ theme: z.string() }).',
    ],
    [
      'credentials that are no cookie',
      { credentials: ['sid'], cookies: z.object({ theme: z.string() }) },
      'credentials names "sid", which is not in cookies. Add it there, or remove it here.',
    ],
    [
      'credentials without cookies',
      { credentials: ['sid'] },
      'credentials names "sid", which is not in cookies. Add it there, or remove it here.',
    ],
    [
      'credentials that are no list',
      { credentials: 'sid', cookies: z.object({ sid: z.string() }) },
      'credentials is "sid". Use a list of cookies, as in ["session"].',
    ],
    [
      'a rate limit without window',
      { rateLimit: { limit: 5 } },
      'rateLimit has no windowS. Write { limit: 100, windowS: 60 } for 100 requests a minute.',
    ],
    ['a rate limit that is a number', { rateLimit: 5 }, 'rateLimit is 5. Write { limit: … }.'],
    [
      'a misspelt option of a rate limit',
      { rateLimit: { limit: 5, window: 60 } },
      'unknown option "window" in rateLimit. Known options: limit, windowS, by, cost.',
    ],
    [
      'a rate limit by something else',
      { rateLimit: { limit: 5, windowS: 1, by: 'key' } },
      'rateLimit.by is "key". Use "principal" or "address".',
    ],
    [
      'a rate limit by a value that JSON does not have',
      { rateLimit: { limit: 5, windowS: 1, by: 5n } },
      'rateLimit.by is 5n. Use "principal" or "address".',
    ],
    [
      'the cost of something else',
      { rateLimit: { limit: 5, windowS: 1, cost: 'steps' } },
      'rateLimit.cost is "steps". Use a whole number, or "calls".',
    ],
    [
      'a cost that is no whole number',
      { rateLimit: { limit: 5, windowS: 1, cost: 0.5 } },
      'rateLimit.cost is 0.5. Use a whole number of at least 1.',
    ],
    [
      'a cost above the limit',
      { rateLimit: { limit: 5, windowS: 1, cost: 6 } },
      'a request costs 6, but rateLimit.limit is 5, so none would be served. Raise the limit, or ' +
        'lower the cost.',
    ],
    [
      'an unknown unknownQuery',
      { unknownQuery: 'drop' },
      'unknownQuery is "drop". Use "refuse" or "ignore".',
    ],
    [
      'unknownQuery beside z.strictObject()',
      { unknownQuery: 'ignore', query: z.strictObject({}) },
      'query is a z.strictObject(), which refuses unknown parameters, so that unknownQuery has no ' +
        'effect. Remove it, or use z.object().',
    ],
    [
      'unknownQuery beside z.looseObject()',
      { unknownQuery: 'refuse', query: z.looseObject({}) },
      'query is a z.looseObject(), which takes unknown parameters, so that unknownQuery has no ' +
        'effect. Remove it, or use z.object().',
    ],
    ...['authorization', 'cookie', 'proxy-authorization'].map(
      (header): [string, object, string] => [
        `the header ${header}`,
        { headers: z.object({ [header]: z.string() }) },
        `header "${header}" carries credentials and cannot be an argument. List it in the ` +
          `service's forward.`,
      ],
    ),
  ])('%s is refused', (_, config, problem) => {
    expect(loadErrorOf(untyped(config))).toBe(`page: ${problem}`);
  });
});

describe('the name of a cookie', () => {
  it.each(
    (
      'session SESSIONID PHPSESSID connect.sid sid auth access_token jwt XSRF-TOKEN _csrf sso user ' +
      '__Host-theme __secure-a remember_me userId uid api-key ApiKey login SAML .AspNetCore.Identity'
    ).split(' '),
  )('%s has to be in credentials', (name) => {
    const cookies = z.object({ [name]: z.string() });
    expect(loadErrorOf(untyped({ cookies }))).toContain(`"${name}" may say who the client is.`);
    const composition = untyped({ cookies, credentials: [name] });
    expect(compile({ name: 'page', composition }).credentials).toEqual([name]);
  });

  it.each(['theme', 'lang', 'sidebar', 'currency', 'consent', 'ab-test', 'view_mode', 'monkey'])(
    '%s need not be',
    (name) => {
      const composition = untyped({ cookies: z.object({ [name]: z.string() }) });
      expect(compile({ name: 'page', composition }).credentials).toEqual([]);
    },
  );
});

describe('compose()', () => {
  it('must return something', () => {
    expect(loadErrorOf(page(() => undefined))).toBe(
      'page: compose() returned nothing. Return the template of the response.',
    );
  });

  it('may not be asynchronous', () => {
    expect(loadErrorOf(page(async ({ params }) => ({ id: params.id })))).toBe(
      'page: what compose() returned is a promise. compose() runs once, at start-up: return ' +
        'references, not promises.',
    );
  });

  it('may not await a reference', async () => {
    const awaiting = page(async ({ params }) => ({ id: await (params.id as unknown) }));
    expect(loadErrorOf(awaiting)).toMatch(
      /^page: compose\(\) awaits `params\.id`, which is a reference: it has no value until a request is served\. Steps wait for each other by themselves: /,
    );
    expect(loadErrorOf(page(({ params }) => waitFor(params.id)))).toContain(
      'page: what compose() returned is a promise.',
    );
    await new Promise(setImmediate);
  });

  it('that throws is reported with what it threw as the cause', () => {
    const composition = page(() => {
      throw new RangeError('out of bounds');
    });
    expect(loadErrorOf(composition)).toBe('page: compose() threw: out of bounds');
    expect(() => compile({ name: 'page', composition })).toThrow(
      expect.objectContaining({ cause: expect.any(RangeError) }),
    );
  });

  it('that throws something else than an error is reported too', () => {
    const thrown: unknown = 'a word';
    const composition = page(() => {
      throw thrown;
    });
    expect(loadErrorOf(composition)).toBe('page: compose() threw: a word');
  });

  it('cannot have steps that wait for each other', () => {
    const composition = page(() => {
      // @ts-expect-error the compiler sees it too
      const first = call(thingOf, { id: second.id });
      const second: Ref<{ id: string }> = call(createThing, {
        body: { name: map(first, (thing) => thing?.id ?? '') },
      });
      return { first, second };
    });
    expect(loadErrorOf(composition)).toBe(
      'page: "second" is used before it is defined. Steps that wait for each other form a cycle ' +
        'and could never start: break it.',
    );
  });

  it('cannot have a cycle through a name with a dollar sign', () => {
    const composition = page(() => {
      // @ts-expect-error the compiler sees it too
      const first = { later: $later };
      const $later = 1;
      return { first, $later };
    });
    expect(loadErrorOf(composition)).toContain('page: "$later" is used before it is defined.');
  });
});

describe('a reference out of its reach', () => {
  const instead = 'Return it from the body and use the result.';

  it('from inside each() is refused outside', () => {
    const composition = page(({ params }) => {
      let inner: unknown;
      const tags = each(call(getThing, { id: params.id }).tags, (tag) => (inner = tag.label));
      return { tags, inner };
    });
    expect(loadErrorOf(composition)).toBe(
      `page: the item was made inside given() or each() and is used outside it. ${instead}`,
    );
  });

  it('from inside given() is refused in an argument', () => {
    const composition = page(({ params }) => {
      let inner: Ref<{ id: string }> | undefined;
      given(params.id, (id) => (inner = call(createThing, { body: { name: id } })));
      return call(thingOf, { id: (inner as Ref<{ id: string }>).id });
    });
    expect(loadErrorOf(composition)).toBe(
      'page: the result of call(createThing) was made inside given() or each() and is used ' +
        `outside it. ${instead}`,
    );
  });

  it('from one body is refused in its neighbour', () => {
    const composition = page(({ params }) => {
      const { tags } = call(getThing, { id: params.id });
      let inner: unknown;
      const one = each(tags, (tag) => (inner = tag));
      const other = each(tags, () => ({ inner }));
      return { one, other };
    });
    expect(loadErrorOf(composition)).toContain('the item was made inside given() or each()');
  });

  it('is fine inside a body within the body it was made in', () => {
    const composition = page(({ params }) => {
      const { tags } = call(getThing, { id: params.id });
      return each(tags, (one) => each(tags, (other) => ({ one, other, id: params.id })));
    });
    expect(() => compile({ name: 'page', composition })).not.toThrow();
  });
});

// Casts, as files that were not type-checked: the compiler has refused all of these.
describe('a field that does not exist', () => {
  type Loose = Ref<Record<string, string>> & Ref<{ tags: { label: string }[] }>;
  const loose = (reference: unknown): Loose => reference as Loose;
  const thing = 'the result of call(getThing)';
  const fields = 'It has: id, note, count, owner, tags.';

  it.each<[string, Parameters<typeof page>[0], string]>([
    [
      'of a result',
      ({ params }) => loose(call(getThing, { id: params.id }))['totl'],
      `${thing} has no field "totl". ${fields}`,
    ],
    [
      'deep in a result',
      ({ params }) => loose(call(getThing, { id: params.id }).owner)['nmae'],
      `${thing}.owner has no field "nmae". It has: name.`,
    ],
    [
      'that only JavaScript knows',
      ({ params }) => loose(call(getThing, { id: params.id }))['constructor'],
      `${thing} has no field "constructor". ${fields}`,
    ],
    [
      'of an optional step',
      ({ params }) => loose(optional(call(getThing, { id: params.id })))['totl'],
      `the result of optional() has no field "totl". ${fields}`,
    ],
    [
      'of a lookup',
      ({ params }) => loose(call(thingOf, { id: params.id }))['totl'],
      `the result of call(thingOf) has no field "totl". ${fields}`,
    ],
    [
      'of an item',
      ({ params }) => each(call(getThing, { id: params.id }).tags, (tag) => loose(tag)['lable']),
      'the item has no field "lable". It has: label.',
    ],
    [
      'of a present value',
      ({ params }) => given(call(thingOf, { id: params.id }), (found) => loose(found)['totl']),
      `the item has no field "totl". ${fields}`,
    ],
    [
      'in an argument',
      ({ params }) =>
        call(thingOf, { id: loose(call(getThing, { id: params.id }))['idd'] as Ref<string> }),
      `${thing} has no field "idd". ${fields}`,
    ],
    [
      'in pick()',
      ({ params }) => pick(call(getThing, { id: params.id }), 'id', 'totl' as 'note'),
      `pick(): ${thing} has no field "totl". ${fields}`,
    ],
    [
      'in omit() of a list',
      ({ params }) => omit(call(getThing, { id: params.id }).tags, 'lable' as 'label'),
      `omit(): ${thing}.tags has no field "lable". It has: label.`,
    ],
    ['of params', ({ params }) => loose(params)['ID'], 'params has no "ID". It has: id.'],
    ['of query', ({ query }) => loose(query)['lmit'], 'query has no "lmit". It has: limit.'],
    ['of headers', ({ headers }) => loose(headers)['etag'], 'headers has no "etag". It has: tag.'],
    [
      'of a body that was not declared',
      ({ body }) => loose(body)['name'],
      'body is used, but not declared. Add a body schema.',
    ],
  ])('%s', (_, compose, problem) => {
    expect(loadErrorOf(page(compose))).toBe(`page: ${problem}`);
  });

  it('of a query that was not declared says how to', () => {
    const composition = untyped({
      compose: ({ query }: { query: Ref<{ limit: number }> }) => ({ n: query.limit }),
    });
    expect(loadErrorOf(composition)).toBe(
      'page: query has no "limit". It has: nothing; declare a schema.',
    );
  });

  it('of a path parameter that the route does not have says what decides', () => {
    const composition = untyped({
      compose: ({ params }: { params: Ref<{ id: string }> }) => ({ n: params.id }),
    });
    expect(loadErrorOf(composition)).toBe(
      'page: params has no "id". It has: nothing, as the route.',
    );
  });

  it('is nobody’s business where the schema does not list them', () => {
    const free = operation(things, { name: 'free', route: 'GET /f', response: z.looseObject({}) });
    const composition = page(() => ({ any: loose(call(free, {}))['thing'] }));
    expect(() => compile({ name: 'page', composition })).not.toThrow();
  });
});

describe('a template that does not fit the response schema', () => {
  type Inputs = { params: Ref<{ id: string }> };
  const fits = (response: z.ZodType, compose: (inputs: Inputs) => unknown): Composition =>
    untyped({ route: 'GET /x/:id', response, compose });
  const change = 'Change compose() or the schema.';

  it.each<[string, z.ZodType, (inputs: Inputs) => unknown, string]>([
    [
      'a missing key',
      z.object({ id: z.string(), name: z.string() }),
      ({ params }) => ({ id: params.id, nmae: 1 }),
      'response is missing "name", which the response schema requires. compose() returned: id, ' +
        'nmae.',
    ],
    [
      'a missing key, deep in it',
      z.object({ list: z.array(z.object({ id: z.string(), name: z.string() })) }),
      ({ params }) => ({ list: [{ id: params.id }] }),
      'response.list.0 is missing "name", which the response schema requires. compose() ' +
        'returned: id.',
    ],
    [
      'null where it is not allowed',
      z.object({ owner: z.object({ name: z.string() }) }),
      ({ params }) => ({ owner: call(getThing, { id: params.id }).owner }),
      'response.owner is something that may be null, but the response schema expects object ' +
        `there. ${change}`,
    ],
    [
      'a field of something nullable',
      z.object({ name: z.string() }),
      ({ params }) => ({ name: call(getThing, { id: params.id }).owner.name }),
      'response.name is something that may be null, but the response schema expects string ' +
        `there. ${change}`,
    ],
    [
      'an optional step',
      z.object({ thing: z.object({ id: z.string() }) }),
      ({ params }) => ({ thing: optional(call(getThing, { id: params.id })) }),
      'response.thing is something that may be null, but the response schema expects object ' +
        `there. ${change}`,
    ],
    [
      'a field that may be absent',
      z.object({ count: z.number() }),
      ({ params }) => ({ count: call(getThing, { id: params.id }).count }),
      'response.count is something that may be absent, but the response schema expects number ' +
        `there. ${change}`,
    ],
    [
      'a reference of the wrong kind',
      z.object({ id: z.number() }),
      ({ params }) => ({ id: call(getThing, { id: params.id }).id }),
      `response.id is a string, but the response schema expects number there. ${change}`,
    ],
    [
      'a list of items instead of one',
      z.object({ tag: z.object({ label: z.string() }) }),
      ({ params }) => ({ tag: call(getThing, { id: params.id }).tags }),
      `response.tag is a list, but the response schema expects object there. ${change}`,
    ],
    [
      'what does not go into a schema that transforms',
      z.object({ total: z.string().pipe(z.coerce.number()) }),
      ({ params }) => ({ total: call(getThing, { id: params.id }).tags }),
      `response.total is a list, but the response schema expects string there. ${change}`,
    ],
    [
      'an object where a text is wanted',
      z.object({ id: z.string() }),
      ({ params }) => ({ id: { is: params.id } }),
      `response.id is an object, but the response schema expects string there. ${change}`,
    ],
    [
      'a list where an object is wanted',
      z.object({ id: z.string() }),
      ({ params }) => [params.id],
      `response is a list, but the response schema expects object there. ${change}`,
    ],
    [
      'a wrong literal',
      z.object({ id: z.string(), state: z.enum(['on', 'off']) }),
      ({ params }) => ({ id: params.id, state: 'lost' }),
      'response.state does not fit the response schema: Invalid option: expected one of ' +
        `"on"|"off". ${change}`,
    ],
    [
      'a wrong literal inside a literal',
      z.object({ page: z.object({ size: z.number() }) }),
      () => ({ page: { size: 'ten' } }),
      'response.page.size does not fit the response schema: Invalid input: expected number, ' +
        `received string. ${change}`,
    ],
  ])('%s', (_, response, compose, problem) => {
    expect(loadErrorOf(fits(response, compose))).toBe(`page: ${problem}`);
  });

  it.each<[string, z.ZodType, (inputs: Inputs) => unknown]>([
    ['a key that may be absent', z.object({ note: z.string().optional() }), () => ({})],
    ['a key with a default', z.object({ note: z.string().default('') }), () => ({})],
    [
      'a key too many, which is dropped',
      z.object({ id: z.string() }),
      ({ params }) => ({ id: params.id, more: 1 }),
    ],
    [
      'null where it is allowed',
      z.object({ note: z.string().nullable() }),
      ({ params }) => ({ note: call(getThing, { id: params.id }).note }),
    ],
    [
      'what only map() knows',
      z.object({ n: z.number() }),
      ({ params }) => ({ n: map(params.id, (id) => id.length) }),
    ],
    [
      'what the schema makes a number of',
      z.object({ id: z.string().pipe(z.coerce.number()) }),
      ({ params }) => ({ id: call(getThing, { id: params.id }).id }),
    ],
    [
      'what the schema takes apart first',
      z.preprocess((value) => value, z.object({ other: z.string() })),
      ({ params }) => ({ id: params.id }),
    ],
  ])('%s is no misfit', (_, response, compose) => {
    expect(() => compile({ name: 'page', composition: fits(response, compose) })).not.toThrow();
  });
});

function odd(what: string): never {
  throw new TypeError(what);
}

describe('compileAll()', () => {
  it('reports every error and returns every healthy plan', () => {
    const { plans, errors } = compileAll([
      { name: 'first', composition: route('GET /first') },
      { name: 'empty', composition: page(() => undefined) },
      { name: 'second', composition: route('GET /second') },
      { name: 'late', composition: untyped({ deadlineMs: -5 }) },
    ]);
    expect(plans.map((plan) => plan.name)).toEqual(['first', 'second']);
    expect(errors.map((error) => error.message)).toEqual([
      'empty: compose() returned nothing. Return the template of the response.',
      'late: deadlineMs is -5. Use a whole number of at least 1.',
    ]);
  });

  it('names the file when something fails that nobody foresaw', () => {
    const query = Object.defineProperty(z.object({}), 'shape', { get: () => odd('shape') });
    const { errors } = compileAll([{ name: 'odd', composition: untyped({ query }) }]);
    expect(errors.map((error) => error.message)).toEqual([
      expect.stringMatching(/^odd: this composition cannot be compiled: /),
    ]);
    expect(errors[0]?.cause).toBeInstanceOf(TypeError);
  });

  const unknown = ' Which of them is new is not known, so none is served.';

  it.each([
    ['the same', 'GET /x', 'GET /x'],
    ['with other names for its parameters', 'GET /x/:id/y', 'GET /x/:key/y'],
  ] as const)('refuses a route twice, in both files: %s', (_, one, other) => {
    expect(messages(route(one), route(other))).toEqual([
      `page-0: route ${one} is also served by page-1. Change one of them.${unknown}`,
      `page-1: route ${other} is also served by page-0. Change one of them.${unknown}`,
    ]);
  });

  it('names all others that serve a route', () => {
    expect(messages(route('GET /x'), route('GET /x'), route('GET /x'))[0]).toContain(
      'is also served by page-1 and page-2.',
    );
  });

  it('takes one path with two methods, and a parameter beside a text', () => {
    expect(
      messages(route('GET /x'), route('POST /x'), route('GET /x/:id'), route('GET /x/y')),
    ).toEqual([]);
  });

  it('does not let a composition that failed take a route', () => {
    const failing = untyped({ route: 'GET /x', compose: () => undefined });
    expect(messages(failing, route('GET /x'))).toEqual([expect.stringMatching(/^page-0: /)]);
  });

  const here = 'test/plan/abuse.test.ts:';
  const twinProblem =
    `two operations are called things.same (GET /a in ${here} and GET /b in ${here}). Give one a ` +
    `name of its own: operation(service, { name: … }).${unknown}`;

  it('refuses two operations of one name in one file', () => {
    expect(messages(calling(...twins()))).toEqual([`page-0: ${twinProblem}`]);
  });

  it('refuses two operations of one name in two files', () => {
    const [one, other] = twins();
    const elsewhere = untyped({ route: 'GET /y', compose: () => call(other, {}) });
    expect(messages(calling(one), elsewhere)).toEqual([
      `page-0: ${twinProblem}`,
      `page-1: ${twinProblem}`,
    ]);
  });

  it('takes one operation in many places', () => {
    const [one] = twins();
    const elsewhere = untyped({ route: 'GET /y', compose: () => call(one, {}) });
    expect(messages(calling(one, one), elsewhere)).toEqual([]);
  });

  const serviceProblem =
    `service "shop" is defined twice, in ${here} and ${here}. Define it once and import it.` +
    unknown;

  it('refuses a service defined twice in one file', () => {
    expect(messages(calling(...services()))).toEqual([`page-0: ${serviceProblem}`]);
  });

  it('refuses a service defined twice in two files', () => {
    const [one, other] = services();
    const elsewhere = untyped({ route: 'GET /y', compose: () => call(other, {}) });
    expect(messages(calling(one), elsewhere)).toEqual([
      `page-0: ${serviceProblem}`,
      `page-1: ${serviceProblem}`,
    ]);
  });
});

type Called = Operation<object, { id: string }>;

function calling(...operations: Called[]): Composition {
  return untyped({ compose: () => operations.map((one) => call(one, {})) });
}

function route(text: string): Composition {
  return untyped({ route: text });
}

/** The messages about files that are loaded together. */
function messages(...compositions: Composition[]): string[] {
  const named = compositions.map((composition, index) => ({ name: `page-${index}`, composition }));
  return compileAll(named).errors.map(({ message }) =>
    message.replaceAll(/(?<=\.test\.ts:)\d+/g, ''),
  );
}

/** Two operations of one service, with one name. */
function twins(): [Called, Called] {
  const response = z.object({ id: z.string() });
  return [
    operation(things, { route: 'GET /a', name: 'same', response }),
    operation(things, { route: 'GET /b', name: 'same', response }),
  ];
}

/** An operation each of two services, with one name. */
function services(): [Called, Called] {
  const response = z.object({ id: z.string() });
  return [
    operation(defineService({ name: 'shop', url: 'http://a' }), { route: 'GET /a', response }),
    operation(defineService({ name: 'shop', url: 'http://b' }), { route: 'GET /b', response }),
  ];
}
