import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineComposition } from '../../src/dsl/composition.ts';
import { compile } from '../../src/plan/compile.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { assertProperty } from '../support/property.ts';
import { answerOf, contradiction, isCertain } from './columns/compare.ts';
import { meaningOf } from './columns/meaning.ts';
import { composeOf } from './columns/compose.ts';
import type { Options } from './columns/compose.ts';
import { anyProgram } from './columns/program.ts';
import type { Program } from './columns/program.ts';
import { run, withLists } from './columns/run.ts';
import type { Ran } from './columns/run.ts';
import { Thing, operations } from './columns/operations.ts';
import { things, worlds } from './columns/world.ts';
import type { World } from './columns/world.ts';

// Small cases, which fast-check prefers, hardly run anything side by side.
const situations = fc.noBias(
  fc.record({
    program: anyProgram,
    world: worlds,
    body: things,
    degraded: fc.constantFrom('allow', 'allow', 'allow', 'fail'),
    sheds: fc.nat(9).map((number) => number === 9),
    cutBy: fc.constantFrom('deadline', 'disconnected'),
  }),
);

const someOperations = fc.subarray([...operations], { minLength: 1, maxLength: 4 });

/** By then everything is over that does not hang. */
const lateMs = 300;

/** For the 10,000 cases of `npm run test:long`. */
const patienceMs = 1_800_000;

function planOf(program: Program, degraded: 'allow' | 'fail', options: Options): Plan {
  const compose = composeOf(program, options);
  const composition = defineComposition({ route: 'POST /test', body: Thing, degraded, compose });
  return compile({ name: 'test', composition });
}

/** Runs a plan as it is, with all items one by one, and with all of them together. */
function inAllWays(plan: Plan, runAs: (plan: Plan) => Promise<Ran>) {
  return Promise.all([plan, withLists(plan, false), withLists(plan, true)].map(runAs));
}

function hasWrites({ steps }: Plan): boolean {
  return steps.some((step) => step.kind === 'call' && step.operation.name === 'write');
}

const atOnce = [{ startsAtMs: 0 }];

describe('an aggregation of lists', () => {
  it(
    'means the same whether items run together or one by one',
    async () => {
      await assertProperty(
        fc.asyncProperty(situations, async ({ program, degraded, cutBy, ...situation }) => {
          const plan = planOf(program, degraded, {});
          const given = { ...situation, hanging: [], clients: atOnce };
          const meaning = meaningOf({ ...given, plan, cutBy });
          const all = await inAllWays(plan, (own) => run({ ...given, plan: own }));
          for (const { outcomes, left } of all) {
            expect(contradiction(outcomes[0], meaning)).toBeUndefined();
            expect(left).toBe(0);
          }
          const answers = await Promise.all(all.map(({ outcomes }) => answerOf(plan, outcomes[0])));
          expect(new Set(isCertain(meaning) ? answers : []).size).toBeLessThanOrEqual(1);
          // After a write, what was read before it is asked for again.
          for (const { asked } of hasWrites(plan) ? [] : all)
            expect(asked).toEqual([...new Set(asked)]);
        }),
        { full: 10_000 },
      );
    },
    patienceMs,
  );

  // Where items are not in step, each way sometimes shares requests that the other one does not.
  it(
    'needs no more requests for items together where the items are in step',
    async () => {
      await assertProperty(
        fc.asyncProperty(situations, async ({ program, degraded, cutBy, ...situation }) => {
          const plan = planOf(program, degraded, { isDistinct: true });
          const world: World = { ...situation.world, faults: [], pace: 'same' };
          const given = { ...situation, world, hanging: [], clients: atOnce };
          const meaning = meaningOf({ ...given, plan, cutBy });
          const all = await inAllWays(plan, (own) => run({ ...given, plan: own }));
          const [columns = 0, rows = 0] = all.map(({ requests }) => requests);
          // After a failure or a write, requests depend on what came before it in the same turn.
          const isFree = meaning?.kind === 'answered' && !hasWrites(plan);
          expect(isFree && meaning.isEven ? columns : 0).toBeLessThanOrEqual(rows);
        }),
        { full: 3_000 },
      );
    },
    patienceMs,
  );

  it(
    'is cut off by the end of its request in the same places',
    async () => {
      await assertProperty(
        fc.asyncProperty(situations, someOperations, async (situation, hanging) => {
          const { program, degraded, cutBy, ...rest } = situation;
          const plan = planOf(program, degraded, { isFlat: true });
          const clients = [{ startsAtMs: 0, cut: { by: cutBy, atMs: lateMs } }];
          const given = { ...rest, hanging, clients };
          const meaning = meaningOf({ ...given, plan, cutBy });
          const all = await inAllWays(plan, (own) => run({ ...given, plan: own }));
          for (const { outcomes, left } of all) {
            expect(contradiction(outcomes[0], meaning)).toBeUndefined();
            expect(left).toBe(0);
          }
        }),
        { full: 3_000 },
      );
    },
    patienceMs,
  );

  it(
    'ends with its request, whatever it waits for, and disturbs no other',
    async () => {
      await assertProperty(
        fc.asyncProperty(situations, fc.nat(12), fc.nat(3), async (situation, atMs, startsAtMs) => {
          const { program, degraded, cutBy, ...rest } = situation;
          const plan = planOf(program, degraded, {});
          const clients = [{ startsAtMs: 0, cut: { by: cutBy, atMs } }, { startsAtMs }];
          const given = { ...rest, hanging: [], clients };
          const meaning = meaningOf({ ...given, plan, cutBy });
          const { outcomes, endedAtMs, left } = await run({ ...given, plan });
          const [endedAt = Infinity] = endedAtMs;
          expect(endedAt).toBeLessThanOrEqual(atMs);
          for (const whole of endedAt < atMs ? outcomes : outcomes.slice(1))
            expect(contradiction(whole, meaning)).toBeUndefined();
          expect(left).toBe(0);
        }),
        { full: 3_000 },
      );
    },
    patienceMs,
  );
});
