/**
 * The facts of a plan about its steps: whether lists run together or apart, what a failure ends,
 * and which steps may be left out.
 */
import { call, each, fallback, given, lookup, map, optional, pick } from 'plait';
import type { Composition } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compile } from '../../src/plan/compile.ts';
import type { CallStep, EachStep, Plan, Step } from '../../src/plan/plan.ts';
import { createThing, getThing, page, thingOf, things } from '../support/page.ts';

const otherOf = lookup(things, {
  name: 'otherOf',
  route: 'GET /others',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string(), owner: z.string() }),
  query: z.object({ size: z.number().optional(), lang: z.string().optional() }),
});

const owned = lookup(things, {
  name: 'owned',
  route: 'GET /owned',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  many: true,
});

describe('the items of an each', () => {
  it('stay together when it calls nothing', () => {
    expect(isTogether((tag) => ({ label: tag.label }))).toBe(true);
  });

  it('stay together through a chain of lookups', () => {
    const together = isTogether((tag) => {
      const other = optional(call(otherOf, { id: tag.label }));
      return { other, owner: given(other, ({ owner }) => call(thingOf, { id: owner })) };
    });
    expect(together).toBe(true);
  });

  it('stay together when ordinary calls end their block', () => {
    const together = isTogether((tag) => {
      const thing = call(getThing, { id: tag.label });
      return {
        thing: pick(thing, 'id'),
        named: map(thing, ({ id }) => id),
        other: call(otherOf, { id: tag.label }),
      };
    });
    expect(together).toBe(true);
  });

  it('go apart when a call follows an ordinary one', () => {
    const together = isTogether((tag) => {
      const thing = call(getThing, { id: tag.label });
      return call(thingOf, { id: thing.id });
    });
    expect(together).toBe(false);
  });

  it('go apart when the call follows through guards, shapes and computations', () => {
    const together = isTogether((tag) => {
      const thing = pick(fallback(call(getThing, { id: tag.label }), { id: 'none' }), 'id');
      return call(thingOf, { id: map(thing, ({ id }) => id) });
    });
    expect(together).toBe(false);
  });

  it('go apart when a block inside has ordinary calls and a step follows it', () => {
    const together = isTogether((tag) => {
      const found = given(tag.label, (label) => ({
        deep: given(label, (id) => call(getThing, { id })),
      }));
      return call(thingOf, { id: map(found, () => 'x') });
    });
    expect(together).toBe(false);
  });

  it('go apart when a block inside reads an ordinary call, however deep', () => {
    const together = isTogether((tag) => {
      const thing = call(getThing, { id: tag.label });
      return given(tag.label, () => given(tag.label, () => call(thingOf, { id: thing.id })));
    });
    expect(together).toBe(false);
  });

  it('go apart when only the result of a block inside reads an ordinary call', () => {
    const together = isTogether((tag) => {
      const thing = call(getThing, { id: tag.label });
      return given(tag.label, () => ({ note: thing.note }));
    });
    expect(together).toBe(false);
  });

  it('go apart when a call follows a lookup whose other arguments differ between items', () => {
    const varying = isTogether((tag) => {
      const other = call(otherOf, { id: 'a', lang: tag.label });
      return given(other, ({ owner }) => call(thingOf, { id: owner }));
    });
    const deep = isTogether((tag) => {
      const other = given(tag.label, (id) => call(otherOf, { id, lang: tag.label }));
      return call(thingOf, { id: map(other, () => 'x') });
    });
    const same = isTogether((tag) => {
      const other = call(otherOf, { id: tag.label, lang: 'de' });
      return given(other, ({ owner }) => call(thingOf, { id: owner }));
    });
    expect({ varying, deep, same }).toEqual({ varying: false, deep: false, same: true });
  });

  it('stay together when an ordinary call further out is read, which is the same for all', () => {
    const plan = planOf(
      page(({ params }) => {
        const thing = call(getThing, { id: params.id });
        return { list: each(thing.tags, () => call(thingOf, { id: thing.id })) };
      }),
    );
    expect(eachStep(plan).block.together).toBe(true);
  });

  it('are judged for every list by itself', () => {
    const plan = planOf(
      page(({ params }) => ({
        outer: each(call(getThing, { id: params.id }).tags, (tag) => ({
          inner: each(call(owned, { id: tag.label }), ({ id }) => {
            const thing = call(getThing, { id });
            return call(thingOf, { id: thing.id });
          }),
        })),
      })),
    );
    const outer = eachStep(plan, 'outer');
    expect(outer.block.together).toBe(true);
    expect(eachStep(plan, 'outer.inner').block.together).toBe(false);
  });
});

describe('the failure of a step dooms its block', () => {
  it('always, when the response is made of it, computed or not', () => {
    const plan = planOf(
      page(({ params }) => {
        const thing = call(getThing, { id: params.id });
        return { id: map(pick(thing, 'id'), ({ id }) => id) };
      }),
    );
    expect(doomsOf(plan, 'getThing')).toBe('always');
    expect(doomsOf(plan, 'id')).toBe('always');
  });

  it('always, when it is called for its effect and nothing reads it', () => {
    const plan = planOf(
      page(() => {
        call(createThing, { body: { name: 'x' } });
        return { ok: true };
      }),
    );
    expect(doomsOf(plan, 'createThing')).toBe('always');
  });

  it('always, when a step needs it that does', () => {
    const plan = planOf(
      page(({ params }) => {
        const { tags } = call(getThing, { id: params.id });
        return { labels: each(tags, (tag) => tag.label) };
      }),
    );
    expect(doomsOf(plan, 'getThing')).toBe('always');
  });

  it('where nothing is tolerated, when only guards stand between it and the response', () => {
    const plan = planOf(
      page(({ params }) => {
        const thing = call(getThing, { id: params.id });
        return { found: optional(call(thingOf, { id: thing.id })) };
      }),
    );
    expect(doomsOf(plan, 'getThing')).toBe('untolerated');
    expect(doomsOf(plan, 'found')).toBe('untolerated');
    expect(guardOf(plan).dooms).toBe('always');
  });

  it('always, when it is used bare beside its guard', () => {
    const plan = planOf(
      page(({ params }) => {
        const thing = call(getThing, { id: params.id });
        return { note: thing.note, thing: optional(thing) };
      }),
    );
    expect(doomsOf(plan, 'thing')).toBe('always');
  });

  it('perhaps, when only a block inside reads it, which may have nothing to run for', () => {
    const plan = planOf(
      page(({ params }) => {
        const thing = call(getThing, { id: params.id });
        const list = call(owned, { id: params.id });
        return { list: each(list, ({ id }) => ({ id, note: thing.note })) };
      }),
    );
    expect(doomsOf(plan, 'getThing')).toBe('perhaps');
  });

  it('perhaps, when nothing reads what was computed of it', () => {
    const plan = planOf(
      page(({ params }) => {
        map(params.id, (id) => id.length);
        return { ok: true };
      }),
    );
    expect(doomsOf(plan, 'map')).toBe('perhaps');
  });

  it('is told for the block it is in, not for those around it', () => {
    const plan = planOf(
      page(({ params }) => ({
        found: optional(given(params.id, (id) => ({ thing: call(getThing, { id }) }))),
      })),
    );
    expect(doomsOf(plan, 'found.thing')).toBe('always');
    expect(doomsOf(plan, 'found')).toBe('untolerated');
  });
});

describe('a step may be left out under overload', () => {
  it('when a guard tolerates that and nothing in it writes', () => {
    const plan = planOf(
      page(({ params }) => {
        const thing = call(getThing, { id: params.id });
        const other = optional(call(otherOf, { id: thing.id }));
        const found = optional(given(thing.note, (id) => ({ inner: call(getThing, { id }) })));
        return { thing, other, found };
      }),
    );
    expect(shedIn(plan)).toEqual(['other', 'found']);
  });

  it('but not when a write is in it, however deep', () => {
    const plan = planOf(
      page(({ params }) => {
        const { tags } = call(getThing, { id: params.id });
        const written = each(tags, ({ label }) =>
          given(label, (name) => call(createThing, { body: { name } })),
        );
        return {
          list: optional(written),
          one: optional(call(createThing, { body: { name: '' } })),
        };
      }),
    );
    expect(shedIn(plan)).toEqual([]);
  });

  it('but not when it is used bare beside its guard', () => {
    const plan = planOf(
      page(({ params }) => {
        const thing = call(getThing, { id: params.id });
        return { note: thing.note, thing: optional(thing) };
      }),
    );
    expect(shedIn(plan)).toEqual([]);
  });

  it('but not when it takes no time', () => {
    const plan = planOf(
      page(({ params }) => ({ long: optional(map(params.id, (id) => id.length)) })),
    );
    expect(shedIn(plan)).toEqual([]);
  });
});

describe('the arguments of a lookup', () => {
  it('are its key and the others, apart', () => {
    const { lookup: found } = callIn((tag) => call(otherOf, { id: tag.label, size: 3 }));
    expect(found).toEqual({
      key: { kind: 'reference', source: { node: expect.any(Number), path: ['label'] } },
      others: { kind: 'object', entries: [['size', { kind: 'literal', value: 3 }]] },
      varies: false,
    });
  });

  it('are data where nothing in them is a reference', () => {
    const { lookup: found } = callIn(() => call(otherOf, { id: 'a', lang: 'de' }));
    expect(found).toEqual({
      key: { kind: 'literal', value: 'a' },
      others: { kind: 'literal', value: { lang: 'de' } },
      varies: false,
    });
  });

  it('may vary when the others read something of the item', () => {
    const { lookup: found } = callIn((tag) =>
      call(otherOf, { id: 'a', lang: map(tag, ({ label }) => label) }),
    );
    expect(found?.varies).toBe(true);
  });

  it('do not vary with what is further out, nor where there is one item only', () => {
    const plan = planOf(
      page(({ params, query }) => ({
        list: each(call(getThing, { id: params.id }).tags, (tag) => ({
          outer: call(otherOf, { id: tag.label, size: query.limit }),
          given: given(tag.label, (id) => call(otherOf, { id, lang: id })),
        })),
        root: call(otherOf, { id: 'x', lang: params.id }),
      })),
    );
    const lookups = calls(plan).filter(({ operation }) => operation === otherOf);
    expect(lookups.map(({ lookup: found }) => found?.varies)).toEqual([false, false, false]);
  });

  it('are not told apart for ordinary operations', () => {
    expect(callIn((tag) => call(getThing, { id: tag.label })).lookup).toBeUndefined();
  });
});

type Item = { readonly label: string };

/** Whether the items of one list stay together, whose body is `body`. */
function isTogether(body: Parameters<typeof each<Item, unknown>>[1]): boolean {
  return eachStep(planOf(listOf(body))).block.together;
}

/** The one call in the body of a list. */
function callIn(body: Parameters<typeof each<Item, unknown>>[1]): CallStep {
  const found = calls(planOf(listOf(body))).at(-1);
  if (found === undefined) throw new Error('it calls nothing');
  return found;
}

function listOf(body: Parameters<typeof each<Item, unknown>>[1]): Composition {
  return page(({ params }) => ({ list: each(call(getThing, { id: params.id }).tags, body) }));
}

function planOf(composition: Composition): Plan {
  return compile({ name: 'page', composition });
}

function calls(plan: Plan): CallStep[] {
  return plan.steps.filter((step) => step.kind === 'call');
}

function eachStep(plan: Plan, name = 'list'): EachStep {
  const found = stepOf(plan, name);
  if (found.kind !== 'each') throw new Error(`step "${name}" is a ${found.kind}`);
  return found;
}

function guardOf(plan: Plan): Step {
  const found = plan.steps.find(({ kind }) => kind === 'guard');
  if (found === undefined) throw new Error('no step is guarded');
  return found;
}

function doomsOf(plan: Plan, name: string): Step['dooms'] {
  return stepOf(plan, name).dooms;
}

/** The names of the steps that may be left out. */
function shedIn(plan: Plan): string[] {
  return plan.steps.filter((step) => step.mayBeShed).map(({ name }) => name);
}

/** A step by its name; guards share the name of theirs. */
function stepOf(plan: Plan, name: string): Step {
  const found = plan.steps.find((step) => step.name === name && step.kind !== 'guard');
  if (found === undefined) throw new Error(`no step "${name}" in ${plan.steps.map((s) => s.name)}`);
  return found;
}
