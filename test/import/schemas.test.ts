import { describe, expect, it } from 'vitest';
import { answering, documentOf, load, responseIn } from './_load.ts';

interface Row {
  readonly schema: unknown;
  readonly schemas?: unknown;
  readonly version?: string;
  readonly text: string;
  readonly accepts: readonly unknown[];
  readonly refuses: readonly unknown[];
}

const uuid = '00000000-0000-0000-0000-00000000000f';
const a = { type: 'object', required: ['a'], properties: { a: { type: 'string' } } };
const b = { type: 'object', required: ['b'], properties: { b: { type: 'integer' } } };
const cat = {
  type: 'object',
  required: ['kind'],
  properties: { kind: { const: 'cat' }, lives: { type: 'integer' } },
};
const dog = {
  type: 'object',
  required: ['kind'],
  properties: { kind: { const: 'dog' }, tricks: { type: 'integer' } },
};
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const rows: Readonly<Record<string, Row>> = {
  'a text': {
    schema: { type: 'string' },
    text: 'z.string()',
    accepts: ['', 'a'],
    refuses: [1, null],
  },
  'the length of a text': {
    schema: { type: 'string', minLength: 1, maxLength: 2 },
    text: 'z.string().min(1).max(2)',
    accepts: ['a', 'ab'],
    refuses: ['', 'abc'],
  },
  'a pattern, which may be anywhere in a text': {
    schema: { type: 'string', pattern: '[a-z]/\\d' },
    text: 'z.string().regex(/[a-z]\\/\\d/u)',
    accepts: ['a/1', ' b/2 '],
    refuses: ['a1'],
  },
  'a time with any offset': {
    schema: { type: 'string', format: 'date-time' },
    text: 'z.iso.datetime({ offset: true })',
    accepts: ['2026-11-26T04:00:00Z', '2026-11-26T04:00:00.5+01:00'],
    refuses: ['2026-11-26', 'now'],
  },
  'a date': {
    schema: { type: 'string', format: 'date' },
    text: 'z.iso.date()',
    accepts: ['2026-11-26'],
    refuses: ['2026-11-31'],
  },
  'a UUID of any version': {
    schema: { type: 'string', format: 'uuid' },
    text: 'z.guid()',
    accepts: [uuid],
    refuses: ['7'],
  },
  'an address': {
    schema: { type: 'string', format: 'uri' },
    text: 'z.url()',
    accepts: ['https://a.example/{id}'],
    refuses: ['a'],
  },
  'a format that nobody knows': {
    schema: { type: 'string', format: 'money' },
    text: 'z.string()',
    accepts: ['1'],
    refuses: [1],
  },
  'an integer': {
    schema: { type: 'integer', format: 'int64', minimum: 0, exclusiveMaximum: 10 },
    text: 'z.int().min(0).lt(10)',
    accepts: [0, 9],
    refuses: [10, -1, 0.5],
  },
  'bounds of 3.0 that are exclusive': {
    schema: { type: 'number', minimum: 0, exclusiveMinimum: true, multipleOf: 0.5 },
    version: '3.0.3',
    text: 'z.number().gt(0).multipleOf(0.5)',
    accepts: [0.5],
    refuses: [0, 0.7],
  },
  'a boolean': {
    schema: { type: 'boolean' },
    text: 'z.boolean()',
    accepts: [true],
    refuses: ['a'],
  },
  'what may be null, in 3.0': {
    schema: { type: 'string', nullable: true },
    version: '3.0.0',
    text: 'z.string().nullable()',
    accepts: [null, ''],
    refuses: [1],
  },
  'what may be null, in 3.1': {
    schema: { type: ['integer', 'null'] },
    text: 'z.int().nullable()',
    accepts: [null, 1],
    refuses: ['1'],
  },
  'several types': {
    schema: { type: ['integer', 'string', 'null'], minimum: 1 },
    text: 'z.union([z.int().min(1), z.string()]).nullable()',
    accepts: [1, '0', null],
    refuses: [0, true],
  },
  'only null': { schema: { type: 'null' }, text: 'z.null()', accepts: [null], refuses: [0] },
  'a list of texts that are allowed': {
    schema: { enum: ['a', "it's"] },
    text: `z.enum(['a', "it's"])`,
    accepts: ["it's"],
    refuses: ['b'],
  },
  'allowed values of several kinds, and null': {
    schema: { enum: [1, 'a', null] },
    text: "z.literal([1, 'a']).nullable()",
    accepts: [1, 'a', null],
    refuses: ['1'],
  },
  'one value': { schema: { const: 'a' }, text: "z.literal('a')", accepts: ['a'], refuses: ['b'] },
  'a list and its length': {
    schema: { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 2 },
    text: 'z.array(z.int()).min(1).max(2)',
    accepts: [[1]],
    refuses: [[], [1, 2, 3], ['1']],
  },
  'a list of anything': {
    schema: { type: 'array' },
    text: 'z.array(z.unknown())',
    accepts: [[1, '']],
    refuses: [{}],
  },
  'a tuple, which may be short unless it says otherwise': {
    schema: { prefixItems: [{ type: 'string' }, { type: 'integer' }], minItems: 1, items: false },
    text: 'z.tuple([z.string(), z.int().optional()])',
    accepts: [['a'], ['a', 1]],
    refuses: [[], ['a', 1, 2]],
  },
  'an object, whose further fields are dropped': {
    schema: { ...a, properties: { ...a.properties, c: { type: ['string', 'null'] }, 'd-e': {} } },
    text: "z.object({ a: z.string(), c: z.string().nullish(), 'd-e': z.unknown().optional() })",
    accepts: [{ a: '' }, { a: '', c: null, 'd-e': 1, further: 1 }],
    refuses: [{}, { a: '', c: 1 }],
  },
  'a required field without a schema': {
    schema: { type: 'object', required: ['a'] },
    text: 'z.object({ a: z.unknown() })',
    accepts: [{ a: 1 }],
    refuses: [1],
  },
  'further fields of one schema': {
    schema: { ...a, additionalProperties: { type: 'integer' } },
    text: 'z.object({ a: z.string() }).catchall(z.int())',
    accepts: [{ a: '', b: 1 }],
    refuses: [{ a: '', b: '' }],
  },
  'further fields of any kind': {
    schema: { ...a, additionalProperties: true },
    text: 'z.looseObject({ a: z.string() })',
    accepts: [{ a: '', b: 1 }],
    refuses: [{}],
  },
  'a map': {
    schema: { type: 'object', additionalProperties: { type: 'integer' } },
    text: 'z.record(z.string(), z.int())',
    accepts: [{}, { a: 1 }],
    refuses: [{ a: '' }],
  },
  'any object': {
    schema: { type: 'object' },
    text: 'z.record(z.string(), z.unknown())',
    accepts: [{ a: 1 }],
    refuses: [[]],
  },
  anything: { schema: {}, text: 'z.unknown()', accepts: [1, null, {}], refuses: [] },
  'a reference': {
    schema: ref('A'),
    schemas: { A: a },
    text: 'A',
    accepts: [{ a: '' }],
    refuses: [{}],
  },
  'a reference to a text, which needs no name': {
    schema: ref('Id'),
    schemas: { Id: { type: 'string', minLength: 1 } },
    text: 'z.string().min(1)',
    accepts: ['a'],
    refuses: [''],
  },
  'a reference that may be null, in 3.0': {
    schema: { nullable: true, allOf: [ref('A')] },
    schemas: { A: a },
    version: '3.0.0',
    text: 'A.nullable()',
    accepts: [null, { a: '' }],
    refuses: [{}],
  },
  'objects that are all of one': {
    schema: { allOf: [a, b, { required: ['c'], properties: { c: { type: 'boolean' } } }] },
    text: 'z.object({ a: z.string(), b: z.int(), c: z.boolean() })',
    accepts: [{ a: '', b: 1, c: true }],
    refuses: [{ a: '', b: 1 }],
  },
  'an object that extends another': {
    schema: { allOf: [ref('A')], ...b },
    schemas: { A: a },
    text: 'A.extend({ b: z.int() })',
    accepts: [{ a: '', b: 1 }],
    refuses: [{ a: '' }, { b: 1 }],
  },
  'an object of several others': {
    schema: { allOf: [ref('A'), ref('B')], properties: { c: { type: 'string' } } },
    schemas: { A: a, B: b },
    text: 'z.object({ ...A.shape, ...B.shape, c: z.string().optional() })',
    accepts: [{ a: '', b: 1 }],
    refuses: [{ a: '' }, { b: 1 }],
  },
  'an object that requires more of another': {
    schema: { allOf: [ref('A'), { required: ['b'] }] },
    schemas: { A: { type: 'object', properties: { a: {}, b: { type: 'integer' } } } },
    text: 'A.required({ b: true })',
    accepts: [{ b: 1 }],
    refuses: [{}],
  },
  'fields that have to fit two schemas': {
    schema: { allOf: [ref('A'), ref('B')] },
    schemas: {
      A: { type: 'object', required: ['n'], properties: { n: { type: 'integer', minimum: 1 } } },
      B: { type: 'object', required: ['n'], properties: { n: { type: 'integer', maximum: 2 } } },
    },
    text: 'z.intersection(A, B)',
    accepts: [{ n: 1 }],
    refuses: [{ n: 0 }, { n: 3 }],
  },
  'one of several schemas': {
    schema: { oneOf: [{ type: 'string' }, { type: 'integer' }, { type: 'null' }] },
    text: 'z.union([z.string(), z.int()]).nullable()',
    accepts: ['', 1, null],
    refuses: [true],
  },
  'one of several objects, those with more fields first': {
    schema: { anyOf: [ref('A'), ref('AB')] },
    schemas: { A: a, AB: { allOf: [ref('A'), b] } },
    text: 'z.union([AB, A])',
    accepts: [{ a: '' }, { a: '', b: 1 }],
    refuses: [{ b: 1 }],
  },
  'one of several objects that say which they are': {
    schema: { oneOf: [ref('Cat'), ref('Dog')], discriminator: { propertyName: 'kind' } },
    schemas: { Cat: cat, Dog: dog },
    text: "z.discriminatedUnion('kind', [Cat, Dog])",
    accepts: [{ kind: 'cat', lives: 7 }],
    refuses: [{ kind: 'cow' }, {}],
  },
  'a discriminator whose values are names of schemas': {
    schema: {
      oneOf: [ref('A'), ref('B')],
      discriminator: { propertyName: 'kind', mapping: { b1: '#/components/schemas/B', b2: 'B' } },
    },
    schemas: { A: a, B: b },
    text: "z.discriminatedUnion('kind', [A.extend({ kind: z.literal('A') }), B.extend({ kind: z.enum(['b1', 'b2']) })])",
    accepts: [
      { kind: 'A', a: '' },
      { kind: 'b2', b: 1 },
    ],
    refuses: [{ kind: 'B', b: 1 }],
  },
  'true and false': {
    schema: { type: 'object', properties: { a: true, b: false } },
    text: 'z.object({ a: z.unknown().optional(), b: z.never().optional() })',
    accepts: [{}, { a: 1 }],
    refuses: [{ b: 1 }],
  },
};

describe('a JSON Schema', () => {
  it.each(Object.entries(rows))('becomes zod: %s', async (_, row) => {
    const { text, operations } = await load(answering(row.schema, row.schemas, row.version));
    const { response } = operations['get'] ?? {};
    expect(responseIn(text)).toBe(row.text);
    for (const value of row.accepts)
      expect(response?.safeParse(value).error, JSON.stringify(value)).toBeUndefined();
    for (const value of row.refuses)
      expect(response?.safeParse(value).success, JSON.stringify(value)).toBe(false);
  });

  it('may contain itself, through a getter with its type', async () => {
    const Folder = {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string' },
        parent: { allOf: [ref('Folder')], nullable: true },
        children: { type: 'array', items: ref('Folder') },
      },
    };
    const { text, operations, findings } = await load(answering(ref('Folder'), { Folder }));
    expect(text).toContain(
      `  get parent(): z.ZodOptional<z.ZodNullable<typeof Folder>> {\n    return Folder.nullish();\n  },`,
    );
    expect(text).toContain('get children(): z.ZodOptional<z.ZodArray<typeof Folder>> {');
    const { response } = operations['get'] ?? {};
    const deep = { name: 'a', parent: null, children: [{ name: 'b', parent: { name: 'c' } }] };
    expect(response?.safeParse(deep).data).toEqual(deep);
    expect(response?.safeParse({ name: 'a', children: [{}] }).success).toBe(false);
    expect(findings).toEqual([]);
  });

  it('may contain itself through another that extends a base with getters', async () => {
    const Node = { type: 'object', properties: { next: ref('Leaf') } };
    const Sized = { type: 'object', required: ['size'], properties: { size: { type: 'integer' } } };
    const Leaf = { allOf: [ref('Node'), ref('Sized'), b] };
    const { text, operations } = await load(answering(ref('Leaf'), { Node, Sized, Leaf }));
    expect(text).toContain('const Leaf = Node.extend({ ...Sized.shape, b: z.int() });');
    const { response } = operations['get'] ?? {};
    expect(response?.safeParse({ b: 1, size: 1, next: { b: 2, size: 2 } }).success).toBe(true);
    expect(response?.safeParse({ b: 1, size: 1, next: { b: 2 } }).success).toBe(false);
  });

  it('that contains itself outside of a property is lazy and untyped, which is said', async () => {
    const Json = { oneOf: [{ type: 'string' }, { type: 'array', items: ref('Json') }] };
    const { text, operations, findings } = await load(answering(ref('Json'), { Json }));
    expect(text).toContain('const Json: z.ZodType<unknown> = z.union([');
    expect(text).toContain('z.array(z.lazy(() => Json))');
    const { response } = operations['get'] ?? {};
    expect(response?.safeParse(['a', [['b']]]).success).toBe(true);
    expect(response?.safeParse([[1]]).success).toBe(false);
    expect(findings.map(({ pointer }) => pointer)).toEqual(['#/components/schemas/Json']);
  });

  it('has fields that are only sent, or only received', async () => {
    const User = {
      type: 'object',
      required: ['id', 'name', 'password'],
      properties: {
        id: { type: 'integer', readOnly: true },
        name: { type: 'string' },
        password: { type: 'string', writeOnly: true },
      },
    };
    const responses = { 200: { content: { 'application/json': { schema: ref('User') } } } };
    const requestBody = {
      required: true,
      content: { 'application/json': { schema: ref('User') } },
    };
    const document = answering({}, { User }) as { paths: unknown };
    const paths = { '/users': { post: { operationId: 'add', requestBody, responses } } };
    const { text } = await load({ ...document, paths });
    expect(text).toContain('const User = z.object({ id: z.int(), name: z.string() });');
    expect(text).toContain(
      'const UserInput = z.object({ name: z.string(), password: z.string() });',
    );
  });

  it.each([
    ['not', { type: 'string', not: { const: 'a' } }],
    ['uniqueItems', { type: 'array', uniqueItems: true }],
    ['patternProperties', { type: 'object', patternProperties: { '^x-': {} } }],
    ['minProperties', { type: 'object', minProperties: 1 }],
  ])('says where %s is not checked', async (keyword, schema) => {
    const { text, findings } = await load(answering(schema));
    const pointer = `#/paths/~1thing/get/responses/200/content/application~1json/schema/${keyword}`;
    expect(findings).toEqual([{ pointer, detail: `${keyword} is not checked` }]);
    expect(text.replaceAll(/\n \* +/g, ' ')).toContain(`${pointer}: ${keyword} is not checked`);
  });

  it.each(['allOf', 'anyOf', 'oneOf'])('drops a schema that is its own %s', async (keyword) => {
    const self = { $ref: '#/components/schemas/Loop' };
    const loop = { [keyword]: [self, { type: 'object', properties: { a: { type: 'string' } } }] };
    const { operations, findings } = await load(answering(self, { Loop: loop }));
    expect(operations['get']?.response.safeParse({ a: 'x' }).data).toEqual({ a: 'x' });
    expect(findings).toEqual([
      {
        pointer: '#/components/schemas/Loop',
        detail: 'is composed of itself: that part says nothing',
      },
    ]);
  });

  it('writes calls on the result of a function as formatters do', async () => {
    const properties = Object.fromEntries(
      ['first', 'second', 'third', 'fourth'].map((name) => [name, { type: 'string' }]),
    );
    const { text } = await load(
      documentOf({
        '/things': {
          patch: {
            operationId: 'change',
            requestBody: {
              content: {
                'application/x-www-form-urlencoded': { schema: { type: 'object', properties } },
              },
            },
            responses: { 204: {} },
          },
        },
      }),
    );
    expect(text).toContain(`
  body: form(
    z.object({
      first: z.string().optional(),
      second: z.string().optional(),
      third: z.string().optional(),
      fourth: z.string().optional(),
    }),
  ).optional(),
`);
  });

  it('puts the options of an operation with a long name on lines of their own', async () => {
    const name = `a${'B'.repeat(70)}`;
    const get = { operationId: name, responses: { 204: {} } };
    const { text } = await load(documentOf({ '/things': { get } }));
    expect(text).toContain(`${name} = operation(\n  orders,\n  {\n    name: '${name}',\n`);
    expect(text).toContain('\n  },\n);\n');
  });

  it('imports no word of plait that is only the name of a getter', async () => {
    const node = { type: 'object', properties: { text: { $ref: '#/components/schemas/Node' } } };
    const { text } = await load(answering({ $ref: '#/components/schemas/Node' }, { Node: node }));
    expect(text).toContain('get text(): ');
    expect(text).toContain("import { defineService, operation } from 'plait';");
  });
});
