import {
  apiKey,
  basic,
  bearer,
  call,
  clientCredentials,
  defineComposition,
  defineService,
  each,
  fallback,
  given,
  lookup,
  map,
  operation,
  optional,
  pick,
  tokenExchange,
} from 'plait';
import type { Auth } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Composition } from '../../src/dsl/composition.ts';
import { compile } from '../../src/plan/compile.ts';
import { drawMermaid } from '../../src/explain/draw-mermaid.ts';
import { drawTree } from '../../src/explain/draw-tree.ts';
import { explain } from '../../src/explain/explain.ts';
import type { ExplainedCall } from '../../src/explain/explain-call.ts';
import type { ExplainedPlan, ExplainedStep } from '../../src/explain/explain.ts';

const things = defineService({
  name: 'things',
  url: 'http://things',
  timeoutMs: 700,
  forward: ['accept-language'],
});
const Thing = z.object({ id: z.string(), next: z.string(), parts: z.array(z.string()) });
const get = operation(things, { name: 'get', route: 'GET /things/:id', response: Thing });
const part = lookup(things, {
  name: 'part',
  route: 'POST /parts',
  keys: { body: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  max: 20,
});

const strange = operation(things, {
  name: 'strange',
  route: 'GET /strange',
  redirects: 'follow',
  query: z.object({ tags: z.array(z.string()).optional() }),
  queryStyle: { arrays: 'comma', objects: 'dots', spaces: '%20' },
  response: Thing,
  missing: 'null',
  failure: { body: z.object({ error: z.object({ code: z.int() }) }), status: 'error.code' },
  problem: { errors: 'error.fields', detail: 'text' },
});

const diamond = defineComposition({
  route: 'GET /diamond/:id',
  compose({ params }) {
    const top = call(get, { id: params.id });
    const left = call(get, { id: top.next });
    const right = optional(call(get, { id: top.id }), { withinMs: 1_300 });
    const bottom = map(
      { left, right },
      ({ left: one, right: other }) => one.id + (other?.id ?? ''),
    );
    return { top: pick(top, 'id'), left, right, bottom };
  },
});

const doubled = defineComposition({
  route: 'GET /doubled/:id',
  compose: ({ params: { id } }) => ({
    thing: optional(
      fallback(call(get, { id }), () => call(part, { id }), { withinMs: 200 }),
      { withinMs: 300 },
    ),
  }),
});

const nested = defineComposition({
  route: 'GET /nested/:id',
  deadlineMs: 500,
  degraded: 'fail',
  compose({ params }) {
    const thing = call(get, { id: params.id });
    return {
      parts: each(
        thing.parts,
        (id) => ({ part: call(part, { id }), of: call(get, { id: thing.next }) }),
        { max: 7 },
      ),
      maybe: given(thing.next, (id) => call(get, { id })),
    };
  },
});

const cached = operation(things, {
  name: 'cached',
  route: 'GET /cached/:id',
  response: Thing,
  coalesce: false,
  cache: { ttlMs: 30_000, staleIfErrorMs: 5_000, negativeTtlMs: 1_000, tags: ['things', 'all'] },
});
const gathered = lookup(things, {
  name: 'gathered',
  route: 'GET /gathered',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  windowMs: 5,
});

const keeping = defineComposition({
  route: 'GET /keeping/:id',
  cache: { maxAge: 60, sMaxAge: 3_600, staleWhileRevalidate: 30 },
  compose: ({ params }) => ({
    cached: call(cached, { id: params.id }),
    gathered: call(gathered, { id: params.id }),
  }),
});

const guarded = defineService({
  name: 'guarded',
  url: 'http://guarded',
  timeoutMs: 1_000,
  retry: { times: 2, minDelayMs: 10, maxDelayMs: 1_500 },
  retryBudget: { percent: 10, floor: 5 },
  hedge: {},
  breaker: { failedPercent: 40, maxOpenMs: 20_000 },
  bulkhead: { concurrency: 8, queue: 0, waitMs: 50 },
  health: { path: '/livez', intervalMs: 2_000 },
});
const bare = defineService({ name: 'bare', url: 'http://bare', retry: false, breaker: false });
const response = z.object({ id: z.string() });
const byId = { by: 'id', item: response, keys: { query: 'ids' } } as const;

const protectedPage = defineComposition({
  route: 'GET /protected/:id',
  deadlineMs: 900,
  compose({ params: { id } }) {
    const read = operation(guarded, { name: 'read', route: 'GET /read', response });
    const hasty = operation(guarded, {
      name: 'hasty',
      route: 'GET /hasty',
      response,
      timeoutMs: 200,
      retry: { times: 1 },
      hedge: { maxExtra: 0.2 },
    });
    const once = operation(guarded, { name: 'once', route: 'GET /once', response, retry: false });
    const never = { name: 'never', route: 'GET /never', response, retry: { times: 0 } } as const;
    const change = operation(guarded, { name: 'change', route: 'POST /change', response });
    const put = { name: 'put', route: 'PUT /put', response, idempotent: true } as const;
    const search = lookup(guarded, { ...byId, name: 'search', route: 'POST /search' });
    const alone = operation(bare, { name: 'alone', route: 'GET /alone', response });
    return {
      read: call(read, {}),
      hasty: call(hasty, {}),
      once: call(once, {}),
      never: call(operation(guarded, never), {}),
      change: call(change, {}),
      put: call(operation(guarded, put), {}),
      search: each(
        map(id, (one) => [one]),
        (one) => ({ found: call(search, { id: one }) }),
      ),
      alone: call(alone, {}),
    };
  },
});

function explained(composition: Composition) {
  return explain(compile({ name: 'it', composition }));
}

describe('explain', () => {
  it('counts the calls in the longest chain, not all calls', () => {
    expect(explained(diamond).roundTrips).toBe(2);
    expect(explained(nested).roundTrips).toBe(2);
  });

  it('says what waits for what, through pick and optional', () => {
    const waits = Object.fromEntries(
      explained(diamond).steps.map(({ name, needs }) => [name, needs]),
    );
    expect(waits).toEqual({ top: [], left: ['top'], right: ['top'], bottom: ['left', 'right'] });
  });

  it('says how long a tolerated step may take, as data and in both drawings', () => {
    const plan = explained(diamond);
    const limits = plan.steps.map(({ name, withinMs }) => [name, withinMs]);
    expect(limits).toContainEqual(['right', 1_300]);
    expect(limits).toContainEqual(['left', undefined]);
    expect(drawTree(plan)).toContain('right: call things.get · optional within 1,300 ms');
    expect(drawMermaid(plan)).toContain('<br/>optional within 1300 ms');
  });

  it('shows a second source below its step, and what it asks only on failure', () => {
    const plan = explained(doubled);
    expect(plan.roundTrips).toBe(1);
    expect(plan.steps).toMatchObject([
      { name: 'thing', kind: 'call', failure: 'fallback', withinMs: 200 },
      {
        name: 'thing.instead',
        kind: 'instead',
        needs: ['thing'],
        failure: 'optional',
        withinMs: 300,
        steps: [{ name: 'thing.instead.part', kind: 'call', needs: [] }],
      },
    ]);
    const tree = drawTree(plan).split('\n');
    expect(tree).toContain('└─ thing: call things.get · fallback within 200 ms');
    expect(tree).toContain('   └─ thing.instead: second source · optional within 300 ms');
    expect(tree).toContain('      └─ on failure: thing.instead.part: call things.part');
    const picture = drawMermaid(plan);
    expect(picture).toContain('subgraph s1 ["thing.instead<br/>second source<br/>optional');
    expect(picture).toContain('s1_item((failure))');
    expect(picture).toContain('s0 -.-> s1');
  });

  it('gives the values in effect: an attempt cannot take longer than the request', () => {
    const [thing] = explained(nested).steps;
    expect(thing?.call).toMatchObject({ timeoutMs: 500, forward: ['accept-language'] });
    expect(explained(diamond).steps[0]?.call).toMatchObject({ timeoutMs: 700 });
  });
});

describe('explain and caches', () => {
  it('says what is kept of the response, of answers, and what is shared', () => {
    const { cache, steps } = explained(keeping);
    expect(cache).toEqual({
      visibility: 'public',
      maxAge: 60,
      sMaxAge: 3_600,
      staleWhileRevalidate: 30,
      vary: ['accept-language'],
    });
    const [one, other] = steps.map((step) => step.call);
    expect(one).toMatchObject({
      coalesce: false,
      cache: {
        ttlMs: 30_000,
        staleWhileRevalidateMs: 0,
        staleIfErrorMs: 5_000,
        negativeTtlMs: 1_000,
        tags: ['things', 'all'],
        ignoreMaxAge: false,
      },
    });
    expect(other).toMatchObject({ coalesce: true, batch: { windowMs: 5 } });
  });

  it('says nothing of what is not kept', () => {
    expect(explained(diamond)).not.toHaveProperty('cache');
    expect(explained(diamond).steps[0]?.call).not.toHaveProperty('cache');
    expect(drawTree(explained(diamond))).not.toMatch(/cache|shared/);
  });

  it('draws it into the tree', () => {
    const lines = drawTree(explained(keeping)).split('\n');
    expect(lines[2]).toBe(
      'cache public, 60 s · shared caches 3,600 s · stale while revalidating 30 s · varies by ' +
        'accept-language',
    );
    expect(lines.map((line) => line.replace(/^[│└├─ ]+/, ''))).toEqual(
      expect.arrayContaining([
        'GET /cached/:id · not shared with other requests',
        'cache 30,000 ms · stale if error 5,000 ms · nothing found 1,000 ms · tags things, all',
        'GET /gathered · batched by id, 100 keys and 7 KiB of request line a request (?ids=a,b) · waits 5 ms for more',
      ]),
    );
  });
});

describe('explain and the way to a service', () => {
  const calls = callsByName(explained(protectedPage).steps);

  it('gives every knob of it, with what the operation changes', () => {
    expect(calls['read']).toMatchObject({
      timeoutMs: 900,
      retry: { times: 2, minDelayMs: 10, maxDelayMs: 1_500, budget: { percent: 10, floor: 5 } },
      hedge: { afterP: 0.95, maxExtra: 0.05 },
      breaker: {
        windowMs: 10_000,
        volume: 20,
        failedPercent: 40,
        slowPercent: 80,
        slowMs: 800,
        openMs: 5_000,
        maxOpenMs: 20_000,
        probes: 3,
      },
      bulkhead: { concurrency: 8, queue: 0, waitMs: 50 },
      ejection: { failures: 5, ejectMs: 30_000, maxEjectMs: 300_000, slowStartMs: 10_000 },
      health: { path: '/livez', intervalMs: 2_000 },
    });
    expect(calls['hasty']).toMatchObject({
      timeoutMs: 200,
      retry: { times: 1, minDelayMs: 10, maxDelayMs: 1_500 },
      hedge: { afterP: 0.95, maxExtra: 0.2 },
      breaker: { slowMs: 160 },
    });
  });

  it('says false of what is not done', () => {
    expect(calls['once']).toMatchObject({ retry: false, hedge: { afterP: 0.95 } });
    expect(calls['alone']).toMatchObject({ retry: false, hedge: false, breaker: false });
    expect(calls['alone']).not.toHaveProperty('health');
  });

  it('says of a call that changes something that it is asked once, unless it is idempotent', () => {
    expect(calls['change']).toMatchObject({ retry: false, hedge: false });
    expect(calls['put']).toMatchObject({ retry: { times: 2 }, hedge: false });
  });

  it('says of a lookup that it only reads, whatever its method', () => {
    expect(calls['search.found']).toMatchObject({ retry: { times: 2 }, hedge: { afterP: 0.95 } });
  });

  it('draws how often there is an attempt, and from when on it is slow', () => {
    const lines = drawTree(explained(protectedPage)).split('\n');
    const under = (name: string): string | undefined =>
      lines
        .slice(lines.findIndex((line) => line.includes(`─ ${name}: call`)))
        .find((line) => line.includes('attempt'))
        ?.replace(/^[│ ]+/, '');
    expect(under('read')).toBe(
      'attempt 900 ms · slow from 800 ms · body 5,120 KiB · retry 2× after 10 to 1,500 ms, for ' +
        'at most 10 % of calls · hedged after p95, for at most 5 % of calls',
    );
    expect(under('hasty')).toBe(
      'attempt 200 ms · slow from 160 ms · body 5,120 KiB · retry 1× after 10 to 1,500 ms, for ' +
        'at most 10 % of calls · hedged after p95, for at most 20 % of calls',
    );
    expect(under('change')).toBe('attempt 900 ms · slow from 800 ms · body 5,120 KiB · no retry');
    expect(under('never')).toContain('· no retry · hedged after');
    expect(under('alone')).toBe('attempt 900 ms · body 5,120 KiB · no retry');
  });

  it('does not call slow what the request does not wait for', () => {
    const [thing] = explained(nested).steps;
    expect(thing?.call).toMatchObject({ timeoutMs: 500, breaker: { slowMs: 560 } });
    expect(drawTree(explained(nested))).not.toContain('slow from');
  });

  it('draws what protects each service, once, below the steps', () => {
    const lines = drawTree(explained(protectedPage)).split('\n');
    expect(lines.slice(-2)).toEqual([
      'guarded: breaker opens at 40 % failed or 80 % slow in 10,000 ms, for 5,000 to 20,000 ms ' +
        '· bulkhead 8 calls, no queue · health /livez every 2,000 ms',
      'bare: no breaker · bulkhead 128 calls, queue of 256 for up to 100 ms',
    ]);
    expect(lines.filter((line) => line.includes('bulkhead'))).toHaveLength(2);
  });
});

describe('the tree', () => {
  it('draws a step below the one it waits for, and names the others', () => {
    const lines = drawTree(explained(diamond))
      .split('\n')
      .filter((line) => /^[│├└ ]/.test(line));
    expect(
      lines.filter((line) => line.includes(': ')).map((line) => line.replace(/ · .*/, '')),
    ).toEqual([
      '└─ top: call things.get',
      '   ├─ left: call things.get',
      '   └─ right: call things.get',
      '      └─ bottom: map',
    ]);
    expect(lines.at(-1)).toContain('waits for left too');
  });

  it('draws what runs per item inside, with its batch', () => {
    const text = drawTree(explained(nested));
    expect(text).toContain('never degraded');
    expect(text).toContain('parts: each item, at most 7');
    expect(text).toContain(
      'batched by id, 20 keys and 256 KiB of body a request ({"ids":["a","b"]})',
    );
    expect(text).toContain('maybe: given, when present');
  });
});

describe('a lookup of a service as it is', () => {
  const item = z.object({ cents: z.int() });
  const common = { match: 'key', compare: 'caseless', by: ['shop', 'sku'], item } as const;
  const priceOf = lookup(things, {
    name: 'priceOf',
    route: 'GET /prices',
    keys: { query: 'of', join: ':' },
    limit: { query: 'size' },
    errors: { items: 'errors', status: 'code' },
    items: 'data',
    ...common,
  });
  const priced = explained(
    defineComposition({
      route: 'GET /prices/:shop/:sku',
      compose: ({ params }) => call(priceOf, { shop: params.shop, sku: params.sku }),
    }),
  );

  it('says how its keys are sent, matched and compared, and where they fail', () => {
    const lines = drawTree(priced);
    expect(lines).toContain(
      'batched by shop + sku, by key, caseless, 100 keys and 7 KiB of request line a request ' +
        '(?of=a1:a2,b1:b2&size=2)',
    );
    expect(lines).toContain('errors of keys: errors');
    expect(priced.steps[0]?.call).toMatchObject({
      errors: 'errors',
      batch: { by: 'shop + sku', match: 'key', compare: 'caseless' },
    });
  });
});

describe('a lookup of one key at a time', () => {
  const thingOf = lookup(things, {
    name: 'thingOf',
    single: 'GET /things/:id',
    by: 'id',
    item: z.object({ id: z.string() }),
    concurrency: 4,
  });
  const Lists = z.array(z.object({ ids: z.array(z.string()) }));
  const alone = explained(
    defineComposition({
      route: 'POST /alone',
      body: z.object({ id: z.string(), lists: Lists }),
      compose: ({ body }) => ({
        one: call(thingOf, { id: body.id }),
        all: each(
          body.lists,
          ({ ids }) => each(ids, (id) => ({ thing: call(thingOf, { id }) }), { max: 30 }),
          { max: 50 },
        ),
      }),
    }),
  );

  it('says how many calls it makes in the worst case', () => {
    const lines = drawTree(alone);
    expect(lines).toContain('GET /things/:id · single, 4 at a time, at most 1 call');
    expect(lines).toContain('GET /things/:id · single, 4 at a time, at most 1,500 calls');
    expect(drawMermaid(alone)).toContain('things.thingOf (single, 4 at a time)');
    expect(alone.steps[0]?.call).toMatchObject({
      single: { by: 'id', concurrency: 4, mostCalls: 1 },
    });
    expect(alone.steps[0]?.call).not.toHaveProperty('batch');
  });
});

describe('an each with a concurrency', () => {
  const bounded = explained(
    defineComposition({
      route: 'GET /bounded/:id',
      compose: ({ params }) => ({
        parts: each(call(get, { id: params.id }).parts, (id) => call(get, { id }), {
          concurrency: 8,
        }),
      }),
    }),
  );

  it('says so in the data, the tree and the flowchart', () => {
    expect(listOf(bounded)?.concurrency).toBe(8);
    expect(listOf(explained(nested))?.concurrency).toBeUndefined();
    expect(drawTree(bounded)).toContain('parts: each item, at most 100, 8 at a time');
    expect(drawMermaid(bounded)).toContain('parts<br/>each, 8 at a time"]');
  });
});

describe('items that do not run together', () => {
  const apart = explained(
    defineComposition({
      route: 'GET /apart/:id',
      compose: ({ params }) => ({
        parts: each(call(get, { id: params.id }).parts, (id) => {
          const thing = call(get, { id });
          return { next: call(get, { id: thing.next }) };
        }),
      }),
    }),
  );

  it('are told apart in the data', () => {
    expect(listOf(apart)?.together).toBe(false);
    expect(listOf(explained(nested))?.together).toBe(true);
  });

  it('are said to run by themselves, in the tree and the flowchart', () => {
    expect(drawTree(apart)).toContain('parts: each item by itself, at most 100');
    expect(drawMermaid(apart)).toContain('["parts<br/>each item by itself"]');
    expect(drawMermaid(explained(nested))).toContain('parts<br/>each"]');
  });
});

describe('what a call is sent besides its arguments', () => {
  const clientSecret = { file: '/run/secret' };

  it.each([
    [bearer({ env: 'KEY' }), 'bearer from env KEY'],
    [bearer({ file: '/run/key' }), 'bearer from file /run/key'],
    [basic({ user: 'me', password: { env: 'KEY' } }), 'basic of me from env KEY'],
    [apiKey({ env: 'KEY' }, { query: 'key' }), 'key in query key from env KEY'],
    [
      clientCredentials({ tokenUrl: { env: 'TOKEN_URL' }, clientId: 'gateway', clientSecret }),
      'client credentials of gateway at env TOKEN_URL',
    ],
    [
      tokenExchange({ tokenUrl: { env: 'TOKEN_URL' }, clientId: 'gateway', clientSecret }),
      'token exchange of gateway at env TOKEN_URL',
    ],
    [
      clientCredentials({
        tokenUrl: 'https://id/t?x=1',
        clientId: 'me',
        clientSecret,
        scope: 'a b',
      }),
      'client credentials of me at https://id/t for a b',
    ],
  ])('is in the tree, and in the data, by its source', (auth, shown) => {
    const plan = explainedWith(auth);
    expect(drawTree(plan)).toContain(` · auth ${shown}`);
    expect(drawTree(plan)).toContain('sends x-tenant, x-region');
    expect(callsByName(plan.steps)['read']).toMatchObject({
      auth,
      sends: { 'x-tenant': 'acme', 'x-region': { env: 'REGION' } },
    });
  });
});

describe('certificates', () => {
  it('are in the line of their service, by what they are for', () => {
    const source = { file: '/run/tls' };
    const tls = { ca: source, cert: source, key: source, serverName: 'shop.internal' };
    const secure = defineService({ name: 'secure', url: 'https://secure', tls });
    const read = operation(secure, { name: 'read', route: 'GET /a', response: z.string() });
    const compose = () => ({ read: call(read, {}) });
    const plan = explained(defineComposition({ route: 'GET /secure', compose }));
    expect(drawTree(plan)).toContain(' · tls: own CA, client certificate, as shop.internal');
    expect(callsByName(plan.steps)['read']).toMatchObject({ tls });
  });
});

describe('the id of a request', () => {
  it.each([
    [undefined, undefined],
    ['x-correlation-id', 'request id in x-correlation-id'],
    [false as const, 'no request id'],
  ])('is drawn if it is not sent as usual: %j', (requestId, shown) => {
    const service = defineService({
      name: 'ids',
      url: 'http://ids',
      ...(requestId !== undefined && { requestId }),
    });
    const read = operation(service, { name: 'read', route: 'GET /a', response: z.string() });
    const compose = () => ({ read: call(read, {}) });
    const tree = drawTree(explained(defineComposition({ route: 'GET /ids', compose })));
    expect(/(?:no )?request id[\w\s-]*$/m.exec(tree)?.[0].trim().split('\n')[0]).toBe(shown);
  });
});

describe('the flowchart', () => {
  it('has an arrow for every wait, dotted where a failure is tolerated', () => {
    const lines = drawMermaid(explained(diamond))
      .split('\n')
      .map((line) => line.trim());
    expect(lines).toEqual(
      expect.arrayContaining([
        'request --> s0',
        's0 --> s1',
        's0 -.-> s2',
        's1 --> s3',
        's2 --> s3',
      ]),
    );
  });
});

/** The plan of a call to a service with these credentials. */
function explainedWith(auth: Auth): ExplainedPlan {
  const headers = { 'x-tenant': 'acme', 'x-region': { env: 'REGION' } };
  const keyed = defineService({ name: 'keyed', url: 'http://keyed', headers, auth });
  const read = operation(keyed, { name: 'read', route: 'GET /a', response: z.string() });
  const compose = () => ({ read: call(read, {}) });
  return explained(defineComposition({ route: 'GET /keyed', compose }));
}

/** The first `each` of a plan. */
function listOf({ steps }: ExplainedPlan): ExplainedStep | undefined {
  return steps.find(({ kind }) => kind === 'each');
}

/** The calls of steps, those inside `each` and `given` too, by the names of the steps. */
function callsByName(steps: readonly ExplainedStep[]): Record<string, ExplainedCall> {
  const entries = steps.flatMap(({ name, call: own, steps: inside = [] }) => [
    ...(own ? [[name, own] as const] : []),
    ...Object.entries(callsByName(inside)),
  ]);
  return Object.fromEntries(entries);
}

describe('answers whose meaning is not their status', () => {
  const plan = compile({
    name: 'strange',
    composition: defineComposition({ route: 'GET /strange', compose: () => call(strange, {}) }),
  });

  it('are drawn below their call, and are in the data', () => {
    const drawn = explain(plan);
    expect(drawTree(drawn)).toContain(
      '404 is null · failure inside a 2xx: error.code · passes on error.fields of a 400 or 422',
    );
    expect(drawn.steps[0]?.call).toMatchObject({
      missing: 'null',
      failure: 'error.code',
      problem: 'error.fields',
    });
  });

  it('are drawn with their route, as are redirects that are followed and the style of a query', () => {
    const drawn = explain(plan);
    expect(drawTree(drawn)).toContain('GET /strange · follows redirects');
    expect(drawTree(drawn)).toContain(' · a=1,2 · a.b=1 · spaces as %20\n');
    expect(drawn.steps[0]?.call).toMatchObject({
      queryStyle: { arrays: 'comma', objects: 'dots', spaces: '%20' },
    });
    expect(drawn.steps[0]?.call).toHaveProperty('redirects', 'follow');
    expect(explained(diamond).steps[0]?.call).not.toHaveProperty('redirects');
  });
});

function page(config: object): ExplainedPlan {
  const composition = defineComposition({
    route: 'GET /x',
    compose: () => ({ a: 1 }),
    ...config,
  });
  return explain(compile({ name: 'page', composition }));
}

describe('a rate limit', () => {
  it.each([
    [{ limit: 100, windowS: 60 }, 'limit 100 in 60 s by principal'],
    [
      { limit: 5_000, windowS: 3_600, by: 'address', cost: 20 },
      'limit 5,000 in 3,600 s by address, 20 a request',
    ],
    [{ limit: 5, windowS: 1, cost: 'calls' }, 'limit 5 in 1 s by principal'],
  ] as const)('%j is in the head of the tree', (rateLimit, line) => {
    expect(drawTree(page({ rateLimit })).split('\n')).toContain(line);
  });

  it('is in the data, with its cost as a number', () => {
    expect(page({ rateLimit: { limit: 5, windowS: 1, cost: 'calls' } }).rateLimit).toEqual({
      limit: 5,
      windowS: 1,
      by: 'principal',
      cost: 1,
    });
    expect(page({})).not.toHaveProperty('rateLimit');
  });
});

describe('parts of the request', () => {
  const cookies = z.object({ theme: z.string().optional(), sid: z.string() });

  it.each([
    [{ cookies: z.object({ theme: z.string() }) }, 'reads cookie theme'],
    [{ cookies, credentials: ['sid'] }, 'reads cookies theme, sid (credential)'],
    [{ unknownQuery: 'ignore' }, 'ignores unknown query'],
    [{ query: z.strictObject({}) }, 'refuses unknown query'],
    [{ query: z.looseObject({}) }, 'takes any query'],
  ])('are in the head of the tree: %#', (config, line) => {
    expect(drawTree(page(config)).split('\n')).toContain(line);
  });

  it('are in the data', () => {
    expect(page({ cookies, credentials: ['sid'], unknownQuery: 'ignore' })).toMatchObject({
      cookies: { names: ['theme', 'sid'], credentials: ['sid'] },
      unknownQuery: 'ignore',
    });
    expect(page({})).not.toHaveProperty('cookies');
    expect(page({})).not.toHaveProperty('unknownQuery');
  });
});
