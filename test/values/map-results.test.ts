/** Results of `map` that JSON cannot carry: the step fails, and nothing is changed silently. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { optional } from '../../src/dsl/guards.ts';
import { map } from '../../src/dsl/steps.ts';
import { NotJsonError, toJsonValue } from '../../src/json-value.ts';
import { assertProperty } from '../support/property.ts';
import { serve } from '../support/serve.ts';

/** As loosely typed code has it. */
const loosely = (result: () => unknown) => map({}, result);

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = { value };
  return value;
}

const refused = 'refused';

function carriedOrRefused(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(toJsonValue(value)));
  } catch (error) {
    if (error instanceof NotJsonError) return refused;
    throw error;
  }
}

class Money {
  readonly amount = 1;
}

describe('map', () => {
  it.each<[string, () => unknown]>([
    ['NaN', () => NaN],
    ['-Infinity', () => [-Infinity]],
    ['undefined', () => undefined],
    ['undefined', () => ['a', undefined]],
    // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tried
    ['undefined', () => ({ list: [1, , 2] })],
    ['a function', () => ({ text: () => 'a' })],
    ['a symbol', () => Symbol('a')],
    ['an instance of Set', () => new Set([1])],
    ['an instance of Map', () => ({ links: new Map() })],
    ['an instance of RegExp', () => /a/],
    ['an instance of Error', () => [new Error('secret')]],
    ['an instance of Uint8Array', () => new Uint8Array(2)],
    ['an instance of Number', () => Object(1)],
    ['an instance of Money', () => new Money()],
    ['an instance of Promise', () => ({ later: Promise.reject(new Error('unheard')) })],
    ['an invalid date', () => ({ at: new Date('x') })],
    ['a value nested deeper than 200 levels', () => deep(100_000)],
  ])('that returns %s fails by name', async (found, result) => {
    const app = await serve(() => ({ value: loosely(result) }));
    const { status, json } = await app.ask();
    expect([status, json.step, json.type]).toEqual([500, 'value', 'urn:plait:problem:map-failed']);
    expect(app.internalErrors.map(String)).toEqual([
      `StepError: step "value": the function given to map() returned ${found}, which JSON cannot carry`,
    ]);
  });

  it.each<[string, (ref: unknown) => unknown]>([
    ['returns', (ref) => ({ ref })],
    ['spreads', (ref) => ({ ...(ref as object) })],
    ['compares', (ref) => (ref as number) > 1],
  ])('that %s a reference of compose() says to pass it as an input', async (_, use) => {
    // Kept where no reading of the source can find it.
    const kept = new Map<string, unknown>();
    const app = await serve(() => {
      kept.set(
        'step',
        loosely(() => 1),
      );
      return { value: loosely(() => use(kept.get('step'))) };
    });
    const { status, json } = await app.ask();
    expect([status, json.step]).toEqual([500, 'value']);
    expect(app.internalErrors.map(String)).toEqual([
      expect.stringMatching(
        /^StepError: step "value": \S+: the result of map\(\) was used after compose\(\) had ended, as in a function given to map\(\)\. It has no value there: pass it as an input of map\(\), /,
      ),
    ]);
  });

  it.each([NaN, new Set([1]), Symbol('a'), undefined])(
    'that returns %o is tolerated like one that throws',
    async (result) => {
      const app = await serve(() => ({ value: optional(loosely(() => result)) }));
      const { status, json } = await app.ask();
      expect(status).toBe(200);
      expect(json).toMatchObject({
        value: null,
        $problems: [{ pointer: '/value', step: 'value' }],
      });
    },
  );

  it.each<[string, () => unknown, unknown]>([
    ['a field that is undefined, which is absent', () => ({ a: undefined, b: null }), { b: null }],
    ['a date, as its text', () => [new Date(0)], ['1970-01-01T00:00:00.000Z']],
    ['an object that says how to write it', () => new URL('http://a/'), 'http://a/'],
    ['a bigint, as its digits', () => ({ n: 10n }), { n: 10 }],
    ['an object without a prototype', () => Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['nothing', () => null, null],
    ['something nested deeply', () => deep(199), deep(199)],
  ])('may return %s', async (_, result, json) => {
    const app = await serve(() => ({ value: loosely(result) }));
    expect((await app.ask()).json).toEqual({ value: json });
  });

  it('gives later steps a date as its text', async () => {
    const app = await serve(() => ({
      year: map(
        map({}, () => ({ at: new Date(0) })),
        ({ at }) => at.slice(0, 4),
      ),
    }));
    expect((await app.ask()).json).toEqual({ year: '1970' });
  });
});

describe('a response schema', () => {
  it.each<[string, z.ZodType]>([
    ['an instance of Set', z.array(z.number()).transform((list) => new Set(list))],
    ['NaN', z.array(z.number()).transform(() => NaN)],
  ])('that makes %s is a response that does not fit', async (found, list) => {
    const app = await serve(() => ({ list: [1] }), { response: z.object({ list }) });
    const { status, json } = await app.ask();
    expect([status, json.type]).toEqual([500, 'urn:plait:problem:response-mismatch']);
    expect(app.internalErrors.map(String)).toEqual([
      `ExecutionError: the response schema made ${found}, which JSON cannot carry`,
    ]);
  });
});

describe('a value that JSON can carry', () => {
  it('is what JSON makes of it, and is not copied without need', () => {
    assertProperty(
      fc.property(fc.jsonValue(), (value) => {
        expect(toJsonValue(value)).toBe(value);
      }),
    );
  });

  it('is refused exactly if JSON would change it', () => {
    const anything = fc.anything({
      withBigInt: false,
      withDate: true,
      withMap: true,
      withSet: true,
    });
    assertProperty(
      fc.property(anything, (value) => {
        const carried = carriedOrRefused(value);
        expect(JSON.stringify(carried)).not.toBe(undefined);
        expect(carried).toEqual(carried === refused ? refused : JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
