/**
 * Plans: frozen data that says which step needs which, what they are called and where their values
 * land.
 */
import {
  call,
  defineComposition,
  each,
  fallback,
  given,
  map,
  omit,
  operation,
  optional,
  pick,
} from 'plait';
import type { Composition } from 'plait';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ResponseCache } from '../../src/dsl/cache.ts';
import { compile } from '../../src/plan/compile.ts';
import type { Plan, PlanBlock, Step } from '../../src/plan/plan.ts';
import { createThing, getThing, page, thingOf, things } from '../support/page.ts';
import { assertProperty } from '../support/property.ts';

describe('a plan', () => {
  const plan = planOf(
    page(({ params }) => ({
      thing: optional(call(getThing, { id: params.id })),
      tags: each(call(getThing, { id: 'other' }).tags, (tag) => ({
        label: tag.label,
        found: fallback(call(thingOf, { id: tag.label }), { id: 'none' }),
      })),
      fixed: [1, { deep: true }],
    })),
  );

  it('carries the name, the route and the defaults', () => {
    expect(plan).toMatchObject({
      name: 'page',
      route: { text: 'GET /pages/:id', params: ['id'] },
      deadlineMs: 10_000,
      degraded: 'allow',
      summary: undefined,
    });
  });

  it('is frozen all the way down, operations and their services included', () => {
    expect([...unfrozen(plan, 'plan')]).toEqual([]);
    expect(Object.isFrozen(calls(plan)[0]?.operation.service.bulkhead)).toBe(true);
  });

  it('keeps steps by their number', () => {
    expect(plan.steps.map((step) => step.id)).toEqual([...plan.steps.keys()]);
  });

  it('says in which frame, and where in it, each value is', () => {
    const inner = blockOf(plan, 'tags').steps;
    expect(plan.root.steps.every((step) => step.depth === 0)).toBe(true);
    expect(inner.every((step) => step.depth === 1)).toBe(true);
    expect(inner.map((step) => step.slot)).toEqual([...inner.keys()]);
  });

  it('keeps the fields of the response in the order they were declared', () => {
    const written = page(({ params }) => ({ z: params.id, a: 1, m: { y: params.id, b: 2 } }));
    const { template } = planOf(written).root;
    const [first, a, m] = template.kind === 'object' ? template.entries : [];
    expect([first?.[0], a?.[0], m?.[0]]).toEqual(['z', 'a', 'm']);
    expect(m?.[1]).toMatchObject({
      kind: 'object',
      entries: [
        ['y', {}],
        ['b', {}],
      ],
    });
  });
});

describe('what a plan says to caches', () => {
  it('is that it depends on what is forwarded, and on its own headers', () => {
    expect(forwarding(['x-b', 'X-A']).vary).toEqual(['accept-language', 'x-a', 'x-b']);
    expect(forwarding([]).vary).toEqual(['accept-language']);
  });

  it.each([
    [[], false],
    [['Accept-Language'], false],
    [['accept-language', 'authorization'], true],
    [['cookie'], true],
    [['x-api-key'], true],
    [['x-anything'], true],
  ])('is whether it tells who asks: %j', (headers, identityBearing) => {
    expect(forwarding(headers).identityBearing).toBe(identityBearing);
  });

  it('is that it may tell who asks, when it reads a header that says so', () => {
    expect(forwarding([], { own: 'x-user-id' }).identityBearing).toBe(true);
  });

  it('is never public where it tells who asks', () => {
    const cache = { maxAge: 1, sMaxAge: 2, visibility: 'public' } as const;
    expect(forwarding(['accept-language'], { cache }).cache).toEqual({
      ...cache,
      staleWhileRevalidate: 0,
    });
    expect(forwarding(['cookie'], { cache }).cache).toEqual({
      visibility: 'private',
      maxAge: 1,
      sMaxAge: undefined,
      staleWhileRevalidate: 0,
    });
    expect(forwarding(['cookie']).cache).toBeUndefined();
  });
});

describe('the name of a step', () => {
  it('is where its value lands', () => {
    const plan = planOf(
      page(({ params }) => ({ about: { it: call(getThing, { id: params.id }) } })),
    );
    expect(callNames(plan)).toEqual(['about.it']);
  });

  it('is its index in a list', () => {
    const plan = planOf(page(({ params }) => ({ all: [params.id, call(getThing, { id: 'a' })] })));
    expect(callNames(plan)).toEqual(['all.1']);
  });

  it('is that of its operation when only parts of it land', () => {
    const plan = planOf(page(({ params }) => ({ note: call(getThing, { id: params.id }).note })));
    expect(callNames(plan)).toEqual(['getThing']);
  });

  it('is that of its operation when it is the whole response', () => {
    expect(callNames(planOf(page(({ params }) => call(getThing, { id: params.id }))))).toEqual([
      'getThing',
    ]);
  });

  it('is seen through optional, fallback, pick and omit', () => {
    const plan = planOf(
      page(({ params }) => ({
        a: optional(call(getThing, { id: params.id })),
        b: pick(optional(call(getThing, { id: params.id })), 'id'),
        c: omit(fallback(call(thingOf, { id: params.id }), null), 'id'),
      })),
    );
    expect(callNames(plan)).toEqual(['a', 'b', 'c']);
  });

  it('begins with the list inside each()', () => {
    const plan = planOf(
      page(({ params }) => ({
        orders: each(call(getThing, { id: params.id }).tags, (tag) => ({
          payment: call(thingOf, { id: tag.label }),
          note: call(getThing, { id: tag.label }).note,
        })),
      })),
    );
    expect(callNames(plan)).toEqual(['getThing', 'orders.payment', 'orders.getThing']);
  });

  it('of each() and given() is theirs alone, also when their body is one step', () => {
    const plan = planOf(
      page(({ params }) => ({
        found: given(params.id, (id) => call(thingOf, { id })),
        all: each(call(getThing, { id: params.id }).tags, (tag) =>
          optional(call(thingOf, { id: tag.label })),
        ),
      })),
    );
    expect(callNames(plan)).toEqual(['found.thingOf', 'getThing', 'all.thingOf']);
    expect(stepOf(plan, 'found').kind).toBe('given');
    expect(stepOf(plan, 'all').kind).toBe('each');
  });

  it('counts twins', () => {
    const plan = planOf(
      page(() => [1, 2, 3].map((n) => ({ note: call(getThing, { id: `${n}` }).note }))),
    );
    expect(callNames(plan)).toEqual(['getThing', 'getThing#2', 'getThing#3']);
  });

  it('is unique even where a key looks like a counted twin', () => {
    const plan = planOf(
      page(() => ({
        'getThing#2': call(getThing, { id: 'a' }),
        one: call(getThing, { id: 'b' }).note,
        two: call(getThing, { id: 'c' }).note,
      })),
    );
    expect(new Set(callNames(plan)).size).toBe(3);
  });

  it('of a guard is the name of what it wraps, which is what a degraded response reports', () => {
    const plan = planOf(
      page(() => ({
        one: optional(call(getThing, { id: 'a' })).note,
        two: optional(call(getThing, { id: 'b' })).note,
      })),
    );
    const guards = plan.steps.filter((step) => step.kind === 'guard');
    expect(guards.map((step) => step.name)).toEqual(['getThing', 'getThing#2']);
  });

  /** Any field name that is not refused. */
  const fieldName = fc
    .string({ unit: 'binary' })
    .filter((name) => !['__proto__', '$problems'].includes(name));

  it('is an HTTP token, whatever the keys of the response are', () => {
    assertProperty(
      fc.property(fc.array(fieldName, { maxLength: 3 }), (keys) => {
        const composition = page(({ params }) =>
          keys.reduceRight<object>(
            (inner, key) => ({
              [key]: inner,
              rest: each(call(getThing, { id: params.id }).tags, () => ({ [key]: inner })),
            }),
            optional(call(getThing, { id: params.id })),
          ),
        );
        for (const { name } of planOf(composition).steps)
          expect(name).toMatch(/^[\w!#$%&'*+.^`|~-]+$/);
      }),
    );
  });
});

describe('what a step needs', () => {
  it('is what its arguments refer to, each once', () => {
    const plan = planOf(
      page(({ params, query }) => ({
        free: call(getThing, { id: 'a' }),
        bound: call(getThing, { id: params.id, limit: query.limit }),
        chained: map({ a: params.id, b: params.id }, ({ a, b }) => a + b),
      })),
    );
    expect(needsOf(plan, 'free')).toEqual([]);
    expect(needsOf(plan, 'bound')).toEqual(['params', 'query']);
    expect(needsOf(plan, 'chained')).toEqual(['params']);
  });

  it('of each() is the list; what the body refers to, its steps need', () => {
    const plan = planOf(
      page(({ params }) => {
        const thing = call(getThing, { id: params.id });
        return {
          thing,
          tags: each(thing.tags, (tag) => ({
            found: call(thingOf, { id: map([tag.label, params.id], ([a, b]) => a + b) }),
          })),
        };
      }),
    );
    expect(needsOf(plan, 'tags')).toEqual(['thing']);
    expect(needsOf(plan, 'tags.map')).toEqual(['tags.item', 'params']);
    expect(needsOf(plan, 'tags.found')).toEqual(['tags.map']);
  });

  it('is never a step that comes after it', () => {
    const plan = planOf(
      page(({ params }) => {
        const thing = optional(call(getThing, { id: params.id }));
        const owner = given(thing.owner, (present) => call(thingOf, { id: present.name }));
        return { owner, thing: pick(thing, 'id'), both: map({ owner, thing }, () => 1) };
      }),
    );
    expect(plan.steps.every((step) => step.needs.every((id) => id < step.id))).toBe(true);
  });
});

describe('a tolerated step', () => {
  it('says what absorbs its failure; others say nothing', () => {
    const plan = planOf(
      page(() => ({
        required: call(getThing, { id: 'a' }),
        optional: optional(call(getThing, { id: 'b' })),
        fallback: fallback(call(getThing, { id: 'c' }), null),
      })),
    );
    expect(calls(plan).map((step) => step.tolerated)).toEqual([undefined, 'optional', 'fallback']);
  });
});

describe('what a response waits for', () => {
  it('is what its template refers to, each once', () => {
    const composition = page(({ params }) => {
      const thing = call(getThing, { id: params.id });
      return { id: thing.id, note: thing.note, path: params.id };
    });
    expect(waitsOf(composition)).toEqual(['getThing', 'params']);
  });

  it('is also a call nobody reads: it was written for its effect', () => {
    const composition = page(({ params }) => {
      call(createThing, { body: { name: params.id } });
      return { ok: true };
    });
    expect(waitsOf(composition)).toEqual(['createThing']);
  });

  it('is also a tolerated call, a given() and an each() nobody reads', () => {
    const composition = page(({ params }) => {
      optional(call(createThing, { body: { name: 'a' } }));
      given(params.id, (id) => call(createThing, { body: { name: id } }));
      each(call(getThing, { id: params.id }).tags, (tag) => tag);
      return { ok: true };
    });
    expect(waitsOf(composition)).toEqual(['createThing', 'createThing#2', 'each']);
  });

  it('is not a computation nobody reads', () => {
    const composition = page(({ params }) => {
      map(params.id, (id) => id);
      pick(call(getThing, { id: params.id }), 'id');
      return { id: params.id };
    });
    expect(waitsOf(composition)).not.toContain('map');
    expect(waitsOf(composition)).not.toContain('shape');
  });

  it('is a call that only a computation nobody reads would have read', () => {
    const composition = page(({ params }) => {
      const created = call(createThing, { body: { name: params.id } });
      map(
        map(created, ({ id }) => id),
        (id) => id,
      );
      pick(created, 'id');
      return { ok: true };
    });
    expect(waitsOf(composition)).toEqual(['createThing']);
  });

  it('is not a call that another call waits for', () => {
    const composition = page(({ params }) => {
      const first = call(createThing, { body: { name: params.id } });
      return { found: call(thingOf, { id: first.id }) };
    });
    expect(waitsOf(composition)).toEqual(['found']);
  });

  it('inside each() is its own', () => {
    const plan = planOf(
      page(({ params }) => ({
        tags: each(call(getThing, { id: params.id }).tags, (tag) => {
          call(createThing, { body: { name: tag.label } });
          return tag.label;
        }),
      })),
    );
    const names = blockOf(plan, 'tags').needs.map((id) => plan.steps[id]?.name);
    expect(names).toEqual(['tags.item', 'tags.createThing']);
  });
});

describe('the response paths of a guard', () => {
  it('are where its value lands, all of them', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const thing = optional(call(getThing, { id: params.id }));
        return { a: thing, b: { c: [1, thing.note] } };
      }),
    );
    expect(paths).toEqual([['a'], ['b', 'c', '1']]);
  });

  it('are the whole response when it is that', () => {
    expect(pathsOf(page(({ params }) => optional(call(getThing, { id: params.id }))))).toEqual([
      [],
    ]);
  });

  it('are seen through pick and omit', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const thing = optional(call(getThing, { id: params.id }));
        return { a: pick(thing, 'id'), b: omit(pick(thing.owner, 'name'), 'name') };
      }),
    );
    expect(paths).toEqual([['a'], ['b']]);
  });

  it('have a hole for the index inside each(), at the depth it is counted', () => {
    const paths = pathsOf(
      page(({ params }) => ({
        tags: each(call(getThing, { id: params.id }).tags, (tag) => ({
          found: optional(call(thingOf, { id: tag.label })),
        })),
      })),
    );
    expect(paths).toEqual([['tags', 1, 'found']]);
  });

  it('have a hole for each list around it, and none for given()', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const { tags } = call(getThing, { id: params.id });
        return {
          a: each(tags, (one) =>
            given(one.label, () => ({
              b: each(tags, () => ({ c: optional(call(thingOf, { id: one.label })) })),
            })),
          ),
        };
      }),
    );
    expect(paths).toEqual([['a', 1, 'b', 3, 'c']]);
  });

  it('are where a computation lands when it only lands through one, once', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const thing = optional(call(getThing, { id: params.id }));
        return {
          a: map({ deep: [thing.id, thing.note] }, () => 1),
          b: map(map(thing, String), String),
        };
      }),
    );
    expect(paths).toEqual([['a'], ['b']]);
  });

  it('are named once when a computation reads it in two ways', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const thing = optional(call(getThing, { id: params.id }));
        return { a: map({ thing, id: pick(thing, 'id') }, () => 1) };
      }),
    );
    expect(paths).toEqual([['a']]);
  });

  it('have no hole behind a computation, where the items are no longer where they were', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const { tags } = call(getThing, { id: params.id });
        const found = each(tags, (tag) => optional(call(thingOf, { id: tag.label })));
        return { count: map(found, (list) => list.length) };
      }),
    );
    expect(paths).toEqual([['count']]);
  });

  it('are only the direct ones when it lands both ways', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const thing = optional(call(getThing, { id: params.id }));
        return { late: map(thing, (present) => present === null), thing };
      }),
    );
    expect(paths).toEqual([['thing']]);
  });

  it('are where given() lands when that depends on it', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const thing = optional(call(getThing, { id: params.id }));
        return { owner: given(thing.owner, (owner) => ({ name: owner.name })) };
      }),
    );
    expect(paths).toEqual([['owner']]);
  });

  it('are where each() lands when it goes over it', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const thing = fallback(call(getThing, { id: params.id }), { tags: [] });
        return { labels: each(thing.tags, () => 'x') };
      }),
    );
    expect(paths).toEqual([['labels']]);
  });

  it('are where a call lands that was made with it', () => {
    const paths = pathsOf(
      page(({ params }) => {
        const thing = fallback(call(getThing, { id: params.id }), { id: 'none' });
        return { found: call(thingOf, { id: thing.id }) };
      }),
    );
    expect(paths).toEqual([['found']]);
  });

  it('are none when nothing of it lands', () => {
    const paths = pathsOf(
      page(({ params }) => {
        optional(call(getThing, { id: params.id }));
        return { ok: true };
      }),
    );
    expect(paths).toEqual([]);
  });
});

function planOf(composition: Composition): Plan {
  return compile({ name: 'page', composition });
}

/** A page with a call that forwards `headers`, inside of `given`. */
function forwarding(
  headers: readonly string[],
  { cache, own = 'accept-language' }: { cache?: ResponseCache; own?: string } = {},
): Plan {
  const told = operation(things, {
    name: 'told',
    route: 'GET /told/:id',
    response: z.string(),
    forward: headers,
  });
  const composition = defineComposition({
    route: 'GET /pages/:id',
    headers: z.object({ [own]: z.string() }),
    ...(cache && { cache }),
    compose: ({ params }) => given(params.id, (id) => call(told, { id })),
  });
  return planOf(composition);
}

function calls(plan: Plan) {
  return plan.steps.filter((step) => step.kind === 'call');
}

function callNames(plan: Plan): string[] {
  return calls(plan).map((step) => step.name);
}

function stepOf(plan: Plan, name: string): Step {
  const found = plan.steps.find((step) => step.name === name);
  if (found === undefined) throw new Error(`no step "${name}" in ${plan.steps.map((s) => s.name)}`);
  return found;
}

function blockOf(plan: Plan, name: string): PlanBlock {
  const step = stepOf(plan, name);
  if ('block' in step) return step.block;
  throw new Error(`step "${name}" runs no block`);
}

function needsOf(plan: Plan, name: string): string[] {
  return stepOf(plan, name).needs.map((id) => plan.steps[id]?.name ?? '');
}

/** The names of the steps that the response of a composition needs. */
function waitsOf(composition: Composition): string[] {
  const plan = planOf(composition);
  return plan.root.needs.map((id) => plan.steps[id]?.name ?? '');
}

/** The response paths of the one guard of a composition. */
function pathsOf(composition: Composition): unknown {
  const guards = planOf(composition).steps.filter((step) => step.kind === 'guard');
  expect(guards).toHaveLength(1);
  return guards[0]?.paths;
}

/** Paths to plain objects that could be written to. */
function* unfrozen(value: unknown, path: string): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return;
  if (!Object.isFrozen(value)) yield path;
  for (const [key, part] of Object.entries(value)) yield* unfrozen(part, `${path}.${key}`);
}
