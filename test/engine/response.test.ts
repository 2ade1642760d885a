import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { optional } from '../../src/dsl/guards.ts';
import { call, each, given, map, omit, pick } from '../../src/dsl/steps.ts';
import type { StepRun } from '../../src/engine/execution.ts';
import { unobserved } from '../../src/telemetry/telemetry.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { items, list, maybe, part, quiet, serve, value } from '../support/serve.ts';
import { startUpstream } from '../support/upstream.ts';

describe('a declared response schema', () => {
  const things = z.array(z.object({ id: z.string(), secret: z.string().optional() }));

  async function answerOf(response: z.ZodType<unknown, unknown>) {
    const app = await startWithMocks({
      compositions: {
        test: defineComposition({
          route: 'GET /test',
          response: response as z.ZodType<unknown, { things: z.infer<typeof things> }>,
          compose: () => ({ things: map({}, () => [{ id: '1', secret: 's' }]) }),
        }),
      },
    });
    return { app, answer: await app.get('/test') };
  }

  it('removes fields that it does not list', async () => {
    const { answer } = await answerOf(
      z.object({ things: things.element.omit({ secret: true }).array() }),
    );
    expect(answer.json).toEqual({ things: [{ id: '1' }] });
  });

  it('transforms values', async () => {
    const { answer } = await answerOf(z.object({ things: things.transform((all) => all.length) }));
    expect(answer.json).toEqual({ things: 1 });
  });

  it('fails a value with an error that names the field in the log only', async () => {
    const { app, answer } = await answerOf(z.object({ things: things.max(0) }));
    expect(answer.status).toBe(500);
    expect(String(app.internalErrors[0])).toContain('"/things"');
    expect(JSON.stringify(answer.json)).not.toContain('/things');
  });
});

describe('pick and omit', () => {
  it('shape objects, lists of objects and absent values', async () => {
    const app = await serve(() => {
      const thing = map({}, () => ({ a: 1, b: 2, c: 3 }));
      const things = map({}, () => [
        { a: 1, b: 2 },
        { a: 3, b: 4 },
      ]);
      const nothing = map({}, (): { a: number } | null => null);
      return {
        picked: pick(thing, 'c', 'a'),
        omitted: omit(thing, 'a'),
        pickedAll: pick(things, 'a'),
        omittedAll: omit(things, 'a'),
        nothing: [pick(nothing, 'a'), omit(nothing, 'a')],
      };
    });
    expect((await app.ask()).json).toEqual({
      picked: { c: 3, a: 1 },
      omitted: { b: 2, c: 3 },
      pickedAll: [{ a: 1 }, { a: 3 }],
      omittedAll: [{ b: 2 }, { b: 4 }],
      nothing: [null, null],
    });
  });

  it('do not add fields, not even those that every object inherits', async () => {
    const app = await serve(() => {
      const thing = map({}, () => ({}) as { a?: number; toString: string; isPrototypeOf: string });
      return {
        picked: map(pick(thing, 'a', 'toString'), Object.keys),
        field: map(thing.isPrototypeOf, (field) => typeof field),
      };
    });
    expect((await app.ask()).json).toEqual({ picked: [], field: 'undefined' });
  });
});

async function watched(compose: () => unknown) {
  const upstream = await startUpstream();
  const runs: StepRun[] = [];
  const app = await startWithMocks({
    compositions: { test: defineComposition({ route: 'GET /test', compose }) },
    environment: { UPSTREAM_URL: upstream.url },
    telemetry: {
      ...unobserved,
      watchSteps: () => (run) => {
        runs.push(run);
        return () => undefined;
      },
    },
  });
  return { app, upstream, runs };
}

describe('a watcher of steps', () => {
  it('sees each step once, but no steps inside each', async () => {
    const { app, upstream, runs } = await watched(() => ({
      a: call(part, { name: 'a' }),
      rows: each(call(list, { name: 'l' }), (item) => ({
        one: call(part, { name: item.id }),
        deep: given(call(maybe, { name: item.id }), () => ({ two: call(part, { name: 'two' }) })),
      })),
    }));
    upstream.answerAll((request) => (request === 'GET /lists/l' ? items(3) : value('v')));
    expect((await app.get('/test')).status).toBe(200);
    const kinds = runs.map(({ step }) => step.kind);
    expect(kinds.toSorted()).toEqual(['call', 'call', 'each']);
    expect(runs.find(({ step }) => step.kind === 'each')?.items).toBe(3);
  });

  it('sees which given was skipped, and the steps inside the others', async () => {
    const { app, upstream, runs } = await watched(() => ({
      skipped: given(call(maybe, { name: 'no' }), () => call(part, { name: 'never' })),
      present: given(call(maybe, { name: 'yes' }), () => call(part, { name: 'inner' })),
    }));
    upstream.answerAll((request) => (request === 'GET /maybe/no' ? null : value('v')));
    await app.get('/test');
    const givens = runs.filter(({ step }) => step.kind === 'given');
    expect(givens.map(({ skipped }) => skipped).toSorted()).toEqual([false, true]);
    expect(runs.filter(({ step }) => step.kind === 'call')).toHaveLength(3);
  });

  it('sees the end of every step that it saw begin, even if its needs never come', async () => {
    const upstream = await startUpstream();
    const open = new Set<string>();
    let failures = 0;
    const app = await startWithMocks({
      compositions: {
        test: defineComposition({
          route: 'GET /test',
          compose() {
            const late = call(part, { name: 'late' });
            const after = call(part, { name: 'after', after: late.value });
            return {
              bad: call(part, { name: 'bad' }),
              rows: each(call(list, { name: 'l' }), () => call(part, { name: after.value })),
            };
          },
        }),
      },
      environment: { UPSTREAM_URL: upstream.url },
      telemetry: {
        ...unobserved,
        watchSteps:
          () =>
          ({ step }) => {
            open.add(step.name);
            return (failure) => {
              failures += failure === undefined ? 0 : 1;
              open.delete(step.name);
            };
          },
      },
    });
    const answer = app.get('/test');
    await upstream.answer('GET /lists/l', items(2));
    await upstream.next('GET /parts/late');
    await upstream.answer('GET /parts/bad', {}, 404);
    expect((await answer).status).toBe(502);
    await quiet(app);
    expect([...open]).toEqual([]);
    expect(failures).toBeGreaterThan(1);
  });

  it('sees the failure of a tolerated step', async () => {
    const upstream = await startUpstream();
    const failures: unknown[] = [];
    const app = await startWithMocks({
      compositions: {
        test: defineComposition({
          route: 'GET /test',
          compose: () => ({ a: optional(call(part, { name: 'a' })) }),
        }),
      },
      environment: { UPSTREAM_URL: upstream.url },
      telemetry: {
        ...unobserved,
        watchSteps: () => () => (failure) => failures.push(failure),
      },
    });
    upstream.answerAll(() => null);
    expect((await app.get('/test')).status).toBe(200);
    expect(failures).toHaveLength(1);
  });
});
