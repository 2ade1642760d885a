/** `form`, `json`, `text`: where they can be, and the messages where they cannot. */
import {
  bytes,
  call,
  csv,
  defineComposition,
  form,
  json,
  lookup,
  multipart,
  operation,
  text,
  xml,
} from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { requireXmlParser } from '../../src/dsl/body-kinds.ts';
import { bodyKindOf } from '../../src/dsl/body-kind.ts';
import { explain } from '../../src/explain/explain.ts';
import { drawTree } from '../../src/explain/draw-tree.ts';
import { compile } from '../../src/plan/compile.ts';
import { messageOf, things } from '../support/page.ts';

const fields = z.object({ a: z.string() });

describe('the kind of a schema', () => {
  it.each<[string, z.ZodType, string]>([
    ['none', fields, 'json'],
    ['a refined one', form(fields).refine(() => true), 'form'],
    ['an extended one', form(fields).extend({ b: z.string() }), 'form'],
    ['a described one', form(fields).describe('fields'), 'form'],
    ['a wrapped one', text().nullable().default('a').readonly(), 'text'],
    ['one before a function', text().transform(Number), 'text'],
    ['one after a function', z.preprocess(String, text()), 'text'],
  ])('of %s is found', (_, schema, kind) => {
    expect(bodyKindOf(schema).kind).toBe(kind);
  });

  it('is no property of the schema that was given', () => {
    form(fields);
    expect(bodyKindOf(fields).kind).toBe('json');
  });
});

describe('a kind', () => {
  const declare = (config: object, route = 'POST /x') =>
    messageOf(() => operation(things, { name: 'x', route, response: fields, ...config } as never));

  it.each<[string, () => unknown, string]>([
    [
      'no type',
      () => json(fields, undefined as never),
      'json(): its second argument is not a type of',
    ],
    [
      'another type',
      () => json(fields, 'text/csv'),
      'json(): its second argument is not a type of JSON',
    ],
    ['a line break', () => json(fields, 'application/json\r\na: b'), 'json(): its second argument'],
    [
      'no schema',
      () => json({} as never, 'application/json'),
      'json(): its first argument is not a',
    ],
    [
      'a list in a form',
      () => form(z.array(z.string()) as never),
      'form(): its argument does not name',
    ],
    [
      'nothing in a form',
      () => form(undefined as never),
      'form(): its argument does not name fields.',
    ],
    [
      'no columns',
      () => csv(z.string() as never),
      'csv(): its first argument does not name columns. Use',
    ],
    [
      'no names',
      () => csv(z.object({}), { header: false }),
      'csv(): header is false, so the schema',
    ],
    [
      'two separators',
      () => csv(fields, { separator: '||' }),
      'csv(): separator is not a single char',
    ],
    [
      'a quotation mark',
      () => csv(fields, { separator: '"' }),
      'csv(): separator is not a single char',
    ],
    [
      'no boolean',
      () => csv(fields, { header: 'a' } as never),
      'csv(): header is "a". Use true or',
    ],
    [
      'a misspelt option',
      () => csv(fields, { seperator: ';' } as never),
      'csv(): unknown option "sep',
    ],
    [
      'no fields',
      () => multipart(z.string() as never),
      'multipart(): its argument does not name fields. Us',
    ],
    [
      'two kinds',
      () => json(form(fields), 'application/json'),
      'json(): its schema is form() already',
    ],
  ])('is refused for %s', (_, make, words) => {
    expect(messageOf(make as () => never)).toContain(words);
  });

  it.each<[string, object, string]>([
    [
      'inside another schema',
      { body: z.object({ part: text() }) },
      'body has text() inside another schema. A body has one kind: write text() around the whole.',
    ],
    ['inside a union', { body: text().or(z.null()) }, 'body has text() inside another schema.'],
    [
      'inside a response',
      { response: z.array(form(fields)) },
      'response has form() inside another',
    ],
    [
      'inside a part of a response',
      { response: { body: z.array(form(fields)) } },
      'response.body has form() inside another schema.',
    ],
    [
      'in the query',
      { query: form(fields) },
      'query is form(), but query here has no kind of body.',
    ],
    ['in headers', { headers: form(fields) }, 'headers is form(), but headers here has no kind of'],
    [
      'with a number that arrives as text',
      { response: form(z.object({ n: z.number() })) },
      'response.n expects a number, but arrives as text. Use z.coerce, as in z.coerce.number(), or',
    ],
    [
      'with a list in a column',
      { response: csv(z.object({ n: z.array(z.string()) })) },
      'response.n expects an array, but arrives as text.',
    ],
    [
      'in the response',
      { response: multipart(fields) },
      'response is multipart(), but response here',
    ],
    ['inside multipart()', { body: multipart(z.object({ a: text() })) }, 'body has text() inside'],
    ['of bytes inside a form', { body: form(z.object({ a: bytes() })) }, 'body has bytes() inside'],
    [
      'with a number in XML',
      { response: xml(z.object({ a: z.object({ n: z.array(z.number()) }) })) },
      'response expects a number in it, but all of XML arrives as text. Use z.coerce, as in',
    ],
    [
      'with a list of numbers',
      { response: { body: form(z.object({ n: z.array(z.number()) })) } },
      'response.body.n expects a number, but arrives as text.',
    ],
  ])('is refused %s', (_, config, words) => {
    expect(declare(config)).toContain(`things.x: ${words}`);
  });

  it('is refused in a lookup, whose items are matched by their fields', () => {
    const config = { name: 'x', route: 'GET /x', keys: { query: 'ids' }, by: 'a' };
    expect(messageOf(() => lookup(things, { ...config, item: form(fields) } as never))).toContain(
      'things.x: item is form(), but item here has no kind of body.',
    );
  });

  const body = form(fields.extend({ n: z.number() }));
  it.each<[string, object, string]>([
    [
      'of JSON',
      { body: json(fields, 'application/json') },
      'body is json(), but body here is JSON, or',
    ],
    [
      'of a table',
      { body: csv(fields) },
      'body is csv(), but body here is JSON, or one of form(), t',
    ],
    ['in the response', { response: text() }, 'response is text(), but response here is JSON, or'],
  ])('is refused in a composition %s', (_, config, words) => {
    const define = () =>
      defineComposition({ route: 'POST /x', compose: () => ({}), ...config } as never);
    expect(messageOf(define as () => never)).toBe(messageOf(define as () => never));
    expect(messageOf(define as () => never)).toContain(`defineComposition POST /x: ${words}`);
  });

  it('is refused in a composition with a number that arrives as text', () => {
    const composition = defineComposition({ route: 'POST /x', body, compose: () => ({}) });
    expect(messageOf(() => compile({ name: 'page', composition }) as never)).toBe(
      'page: body.n expects a number, but arrives as text. Use z.coerce, as in z.coerce.number(), ' +
        'or z.stringbool().',
    );
  });
});

function absent(): never {
  throw new Error("Cannot find module 'saxes'");
}

it('says what to install where the package for XML is missing', () => {
  expect(messageOf(() => requireXmlParser(absent) as never)).toBe(
    'xml(): the package saxes is not installed. Install it: npm install saxes.',
  );
});

it('is drawn by explain, where it is not plain JSON', () => {
  const patch = json(z.object({ a: z.string() }), 'application/merge-patch+json');
  const send = operation(things, { route: 'PATCH /things', body: patch, response: text() });
  const composition = defineComposition({
    route: 'POST /x',
    body: form(fields),
    compose: ({ body: given }) => ({ said: call(send, { body: { a: given.a } }) }),
  });
  const explained = explain(compile({ name: 'page', composition }));
  expect(explained).toMatchObject({
    body: 'form',
    steps: [{ call: { body: 'application/merge-patch+json', response: 'text' } }],
  });
  const tree = drawTree(explained);
  expect(tree).toContain('body form');
  expect(tree).toContain('PATCH /things · body application/merge-patch+json · response text');
});
