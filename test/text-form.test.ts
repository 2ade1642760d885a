import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { textFormOf } from '../src/text-form.ts';

const split = (text: unknown): unknown => (typeof text === 'string' ? text.split(',') : text);

describe('only one text fits', () => {
  it.each([
    ['a string', z.string()],
    ['a string with a transform', z.string().transform((text) => text.split(','))],
    ['a coerced number', z.coerce.number().min(1)],
    ['a coerced date that may be absent', z.coerce.date().optional()],
    ['an enum', z.enum(['new', 'old'])],
    ['a literal', z.literal(['a', 1])],
    ['a boolean as text', z.stringbool()],
    ['a template', z.templateLiteral(['v', z.number()])],
    ['a union of texts', z.union([z.literal('all'), z.coerce.number()])],
    ['a lazy string with a default', z.lazy(() => z.string()).default('x')],
    ['text piped into a list', z.string().transform(split).pipe(z.array(z.string()))],
    ['an intersection of texts', z.intersection(z.string(), z.string().min(1))],
    ['a readonly string with something to fall back on', z.string().readonly().catch('x')],
    ['a union in which no other option can ever fit', z.union([z.number(), z.string()])],
  ])('%s', (_, schema) => {
    expect(textFormOf(schema)).toBe('text');
  });
});

describe('only a list of texts fits', () => {
  it.each([
    ['an array', z.array(z.string())],
    ['an array that may be absent', z.array(z.coerce.number()).min(1).optional()],
    ['an array made into a set', z.array(z.string()).transform((values) => new Set(values))],
    ['an array piped on', z.array(z.string()).pipe(z.array(z.string()).max(3))],
    ['an array with a default', z.array(z.enum(['a', 'b'])).default(['a'])],
    ['a nullable readonly array', z.array(z.string()).nullable().readonly()],
    ['a tuple', z.tuple([z.coerce.number(), z.coerce.number()])],
    ['a tuple with a rest', z.tuple([z.string()]).rest(z.string())],
    ['an array that may be left out', z.exactOptional(z.array(z.string()))],
    ['a lazy array', z.lazy(() => z.array(z.string()))],
    ['a union of arrays', z.union([z.array(z.coerce.number()), z.array(z.string())])],
  ])('%s', (_, schema) => {
    expect(textFormOf(schema)).toBe('list');
  });
});

describe('both one text and a list of them fit', () => {
  it.each([
    ['a union of a text and an array', z.union([z.string(), z.array(z.string())])],
    ['a preprocessed array', z.preprocess(split, z.array(z.string()))],
    ['any value', z.any()],
    ['a value that only its author can check', z.custom((value) => value !== '')],
  ])('%s', (_, schema) => {
    expect(textFormOf(schema)).toBe('either');
  });
});

describe('nothing that arrives as text fits', () => {
  it.each([
    ['a number', z.number()],
    ['a boolean that may be absent', z.boolean().optional()],
    ['an object', z.object({ a: z.string() })],
    ['a record', z.record(z.string(), z.string())],
    ['an array of numbers', z.array(z.number())],
    ['an array of arrays', z.array(z.array(z.string()))],
    ['a tuple with a number', z.tuple([z.string(), z.number()])],
    ['a set', z.set(z.string())],
    ['a map', z.map(z.string(), z.string())],
    ['a numeric literal', z.literal(7)],
    ['an enum of numbers', z.enum({ One: 1, Two: 2 })],
    ['null', z.null()],
    ['never', z.never()],
    ['not a number', z.nan()],
    ['an instance', z.instanceof(Date).and(z.set(z.string()))],
    ['a union of numbers', z.union([z.number(), z.boolean()])],
    ['an intersection of a text and an array', z.intersection(z.string(), z.array(z.string()))],
  ])('%s', (_, schema) => {
    expect(textFormOf(schema)).toBe('neither');
  });
});
