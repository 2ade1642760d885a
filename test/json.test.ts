import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '../src/json.ts';
import { assertProperty } from './support/property.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Texts full of what looks like structure, and is none inside of quotes. */
const text = fc.string({
  unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', 'a', '\n'),
});
// No name that has to be escaped: Node 26.10 itself takes one for another in
// `JSON.parse('[{"x":1,"a\\"":2},{"x":1,"a\\\\":2}]')`, where both fields come out as `a\\`.
const name = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', ',', ':', 'a') });
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 9, depthSize: 'large' },
    text,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
  ),
}));

const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth);

function outcomeOf(json: string, maxDepth: number): unknown {
  try {
    return parseJson(json, maxDepth);
  } catch (error) {
    return error;
  }
}

describe('nesting', () => {
  it('is refused exactly when it is deeper than allowed; brackets in texts do not count', () => {
    assertProperty(
      fc.property(value, fc.nat(9), fc.constantFrom(undefined, 2), (parsed, maxDepth, indent) => {
        const json = JSON.stringify(parsed, null, indent);
        const tooDeep = depthOf(parsed) > maxDepth;
        expect(outcomeOf(json, maxDepth)).toEqual(
          tooDeep ? new SyntaxError(`JSON is nested deeper than ${maxDepth} levels`) : parsed,
        );
      }),
      { full: 2_000 },
    );
  });

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"]":', '}]'],
  ])('of 64 levels of %s is allowed, of 65 not', (open, close) => {
    const levels = open.replaceAll(/"[^"]*"|:/g, '').length;
    const json = (depth: number) =>
      open.repeat(depth / levels) + '0' + close.repeat(depth / levels);
    expect(depthOf(parseJson(json(64)))).toBe(64);
    expect(() => parseJson(`[${json(64)}]`)).toThrow(SyntaxError);
  });

  it('of a million levels is refused without a stack overflow', () => {
    expect(() => parseJson(nested(1_000_000))).toThrow('JSON is nested deeper than 64 levels');
    expect(() => parseJson('['.repeat(1_000_000))).toThrow('JSON is nested deeper than 64 levels');
  });

  it('side by side is not depth', () => {
    const json = `[${Array.from({ length: 1_000 }, () => '[[]]').join(',')}]`;
    expect(parseJson(json, 3)).toHaveLength(1_000);
  });

  it.each(['"\\"[[[["', '"\\\\"', '["\\\\",["\\\\\\""]]', '"\\u0022[[[["'])(
    'counts no brackets within the text %s',
    (json) => {
      expect(parseJson(json, 2)).toEqual(JSON.parse(json));
    },
  );
});

describe('a key that would poison a prototype', () => {
  it.each([
    '{"__proto__":{"admin":true},"a":1}',
    '{"__proto__":null,"a":1}',
    String.raw`{"\u005f_proto__":{"admin":true},"a":1}`,
    '{"__proto__" : {"admin":true},"a":1}',
    '{"constructor":{"prototype":{"admin":true}},"a":1}',
    String.raw`{"\u0063onstructor":{"prototype":{"admin":true}},"a":1}`,
  ])('is dropped: %s', (json) => {
    const parsed = parseJson(json);
    expect(parsed).toEqual({ a: 1 });
    expect(Object.keys(parsed as object)).toEqual(['a']);
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
  });

  it('is dropped however deep it is', () => {
    const parsed = parseJson('[{"a":[{"__proto__":{"x":1},"b":{"__proto__":[],"c":2}}]}]');
    expect(JSON.stringify(parsed)).toBe('[{"a":[{"b":{"c":2}}]}]');
  });

  it('changes nothing in objects merged from it', () => {
    const merged: Record<string, unknown> = Object.assign(
      {},
      parseJson('{"__proto__":{"admin":true}}'),
    );
    expect(merged['admin']).toBeUndefined();
  });

  it.each([
    '{"constructor":"a builder"}',
    '{"constructor":{"name":"a"}}',
    '{"constructor":null}',
    '{"prototype":{"a":1}}',
    '["__proto__"]',
    '{"a":"__proto__\\":"}',
    '{"proto":1,"__proto":2}',
  ])('is not seen in %s', (json) => {
    expect(parseJson(json)).toEqual(JSON.parse(json));
  });
});

describe('JSON', () => {
  it('is read as the language reads it', () => {
    assertProperty(
      fc.property(fc.json({ maxDepth: 5 }), (json) => {
        fc.pre(!/__proto__|constructor|\\u/.test(json));
        // Long integers are a `bigint`, which is not what the language gives.
        expect(JSON.parse(stringifyJson(parseJson(json)))).toEqual(JSON.parse(json));
      }),
    );
  });

  it.each(['', ' ', '{', '[1,]', "{'a':1}", '{"a":1}x', 'undefined', 'NaN', '01', '"\n"', '[1 2]'])(
    'is refused when the text is %j',
    (json) => {
      expect(() => parseJson(json)).toThrow(SyntaxError);
    },
  );

  it('may begin with a byte order mark', () => {
    expect(parseJson('\uFEFF{"a":1}')).toEqual({ a: 1 });
  });
});
