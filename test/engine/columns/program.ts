/** Generated programs: what `compose` functions do, as data. */
import * as fc from 'fast-check';
import type { How } from './computations.ts';
import { operations } from './operations.ts';

/** A number that chooses among what is in reach: the smaller, the nearer. */
export type Choice = number;

export interface Guarded {
  readonly guard: 'none' | 'optional' | 'null' | 'fallback';
  /** Whether the step behind the guard may be read, too. */
  readonly bare: boolean;
}

/** Something in reach, or with `via` what a call gives for it, which nothing else reads. */
export interface Argument {
  readonly of: Choice;
  readonly via: number | undefined;
}

export type Action =
  | (Guarded & {
      readonly word: 'call';
      readonly operation: number;
      readonly key: Argument;
      readonly other: Argument | undefined;
    })
  | (Guarded & { readonly word: 'given'; readonly on: Choice; readonly body: Program })
  | (Guarded & {
      readonly word: 'each';
      readonly over: Choice;
      readonly max: number;
      readonly body: Program;
    })
  | (Guarded & {
      readonly word: 'second';
      readonly of: Choice;
      readonly operation: number;
      readonly body: Program;
    })
  | (Guarded & { readonly word: 'map'; readonly inputs: readonly Choice[]; readonly how: How })
  | {
      readonly word: 'pick' | 'omit';
      readonly of: Choice;
      readonly fields: readonly string[];
    }
  | { readonly word: 'guard'; readonly of: Choice; readonly guard: 'optional' | 'null' };

export interface Program {
  readonly actions: readonly Action[];
  readonly returns: readonly Choice[];
  readonly template: 'object' | 'nested' | 'bare';
}

const choices = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(40) });

const guarded = {
  guard: fc.constantFrom('optional', 'optional', 'fallback', 'null', 'none'),
  bare: fc.nat(7).map((number) => number === 7),
} as const;

const operationIndex = fc.nat(operations.length - 1);

const argument = fc.record({
  of: choices,
  via: fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: operationIndex },
  ),
});

const askForOne = fc.record({
  word: fc.constant('call'),
  operation: operationIndex,
  key: argument,
  other: fc.option(argument, { nil: undefined, freq: 2 }),
  ...guarded,
});

const computeOne = fc.record({
  word: fc.constant('map'),
  inputs: fc.array(choices, { minLength: 1, maxLength: 3 }),
  how: fc.constantFrom(
    ...(['text', 'text', 'leaf', 'list', 'list', 'maybe', 'throws', 'throws', 'promises'] as const),
  ),
  ...guarded,
});

const shapeOne = fc.record({
  word: fc.constantFrom('pick', 'omit'),
  of: choices,
  fields: fc.subarray(['id', 'ref', 'part', 'list', 'r0'], { minLength: 1 }),
});

const guardOne = fc.record({
  word: fc.constant('guard'),
  of: choices,
  guard: fc.constantFrom('optional', 'null'),
});

/** Programs whose blocks are nested at most `depth` deep. */
function programs(depth: number): fc.Arbitrary<Program> {
  const simple = [
    { weight: 6, arbitrary: askForOne },
    { weight: 2, arbitrary: computeOne },
    { weight: 1, arbitrary: shapeOne },
    { weight: 1, arbitrary: guardOne },
  ];
  const actions: fc.Arbitrary<Action> =
    depth === 0 ? fc.oneof(...simple) : fc.oneof(...simple, ...nested(programs(depth - 1)));
  return fc.record({
    actions: fc.array(actions, { minLength: 2, maxLength: depth === 0 ? 4 : 5 }),
    returns: fc.array(choices, { minLength: 2, maxLength: 5 }),
    template: fc.constantFrom('object', 'nested', 'bare'),
  });
}

function nested(body: fc.Arbitrary<Program>) {
  const max = fc.constantFrom(100, 100, 100, 2);
  return [
    {
      weight: 5,
      arbitrary: fc.record({ word: fc.constant('each'), over: choices, max, body, ...guarded }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ word: fc.constant('given'), on: choices, body, ...guarded }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        word: fc.constant('second'),
        of: choices,
        operation: operationIndex,
        body,
        ...guarded,
      }),
    },
  ] as const;
}

export const anyProgram: fc.Arbitrary<Program> = programs(3);
