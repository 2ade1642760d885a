/** Documents in which any schemas, media types and parameters meet. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import { assertProperty } from '../support/property.ts';
import { documentOf, load } from './_load.ts';

const text = { type: 'string' };
const refTo = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** Schemas that contain themselves, that are composed of themselves, and that may be `null`. */
const schemas = {
  Node: { type: 'object', properties: { next: refTo('Node'), text, bytes: refTo('Node') } },
  Loop: { anyOf: [refTo('Loop'), text] },
  Whole: { allOf: [refTo('Whole'), refTo('Form')] },
  File: { type: 'string', format: 'binary' },
  Form: {
    type: ['object', 'null'],
    properties: { a: text, file: refTo('File') },
    required: ['a'],
  },
};

const names = fc.constantFrom('a', 'b', 'file', 'text', 'x-y');
const simple = fc.constantFrom<object>(
  text,
  {},
  { type: 'integer' },
  { type: ['string', 'null'] },
  { type: 'null' },
  { enum: [1, 2] },
  { ...text, format: 'binary' },
  { ...text, readOnly: true },
  { contentMediaType: 'image/png' },
  ...Object.keys(schemas).map(refTo),
);
const { schema } = fc.letrec<{ schema: object }>((tie) => {
  const several = fc.array(tie('schema'), { minLength: 1, maxLength: 3 });
  const object = {
    type: fc.constantFrom<unknown>('object', ['object', 'null']),
    properties: fc.dictionary(names, tie('schema'), { maxKeys: 4 }),
    required: fc.uniqueArray(names, { maxLength: 2 }),
    additionalProperties: fc.constantFrom<unknown>(true, false, text),
  };
  return {
    schema: fc.oneof(
      { maxDepth: 3 },
      simple,
      fc.record({ type: fc.constant('array'), items: tie('schema') }),
      fc.record(object, { requiredKeys: ['type', 'properties'] }),
      ...['allOf', 'anyOf', 'oneOf'].map((keyword) => fc.record({ [keyword]: several })),
    ),
  };
});

const types = fc.constantFrom(
  'application/json',
  'application/a+json',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/csv',
  'text/plain',
  'application/octet-stream',
  '*/*',
  'text/xml',
);
const encoding = fc.dictionary(
  names,
  fc.constantFrom<object>({ contentType: 'image/png' }, { explode: false }),
  { maxKeys: 2 },
);
const content = fc.dictionary(types, fc.record({ schema, encoding }, { requiredKeys: [] }), {
  minKeys: 1,
  maxKeys: 2,
});
const headers = fc.dictionary(
  fc.constantFrom('ETag', 'X-A', 'Set-Cookie', 'Link', 'x y'),
  fc.record({ schema }),
  { maxKeys: 3 },
);
const parameter = fc.record(
  {
    in: fc.constantFrom('query', 'header', 'cookie'),
    name: fc.constantFrom('ids', 'a[]', 'limit', 'page', 'x-a'),
    schema,
    style: fc.constantFrom('form', 'deepObject', 'pipeDelimited'),
    explode: fc.boolean(),
  },
  { requiredKeys: ['in', 'name', 'schema'] },
);
const operation = fc.record(
  {
    operationId: fc.constant('it'),
    parameters: fc.uniqueArray(parameter, { selector: ({ name }) => name, maxLength: 4 }),
    requestBody: fc.record({ content, required: fc.boolean() }),
    responses: fc.dictionary(
      fc.constantFrom('200', '201', '204', '422'),
      fc.record({ content, headers }, { requiredKeys: [] }),
      { minKeys: 1, maxKeys: 3 },
    ),
  },
  { requiredKeys: ['operationId', 'responses'] },
);
const methods = fc.constantFrom('get', 'head', 'post', 'put');

it('makes a file that loads, or says why there is none', async () => {
  await assertProperty(
    fc.asyncProperty(methods, operation, async (method, one) => {
      const document = documentOf({ '/things': { [method]: one } }, { schemas });
      const outcome = await load(document).then(
        () => 'a file',
        (error: unknown) => (error instanceof ConfigurationError ? error.message : error),
      );
      expect(outcome).toMatch(/^a file$|: nothing could be carried over\.\n#/);
    }),
  );
});
