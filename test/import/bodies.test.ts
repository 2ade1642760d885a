import { describe, expect, it } from 'vitest';
import { documentOf, json, load } from './_load.ts';

const text = { type: 'string' };
const file = { type: 'string', format: 'binary' };
const object = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  required,
});
const rows = (properties: object, required: readonly string[] = []) => ({
  type: 'array',
  items: object(properties, required),
});

/** The operation `send` with this content in its request. */
async function sending(content: object) {
  const requestBody = { required: true, content };
  const post = { operationId: 'send', requestBody, responses: { 204: {} } };
  return load(documentOf({ '/things': { post } }));
}

/** The operation `get` with these answers. */
async function answering(responses: object, method = 'get') {
  return load(documentOf({ '/things': { [method]: { operationId: 'get', responses } } }));
}

const answer = (type: string, schema: object = {}) => ({ content: { [type]: { schema } } });

describe('the body of an imported request', () => {
  const form = 'application/x-www-form-urlencoded';
  const parts = 'multipart/form-data';
  it.each([
    [
      'application/merge-patch+json',
      object({}),
      "json(z.record(z.string(), z.unknown()), 'application/merge-patch+json')",
    ],
    [
      'application/vnd.a+json; version=2',
      text,
      "json(z.string(), 'application/vnd.a+json; version=2')",
    ],
    [form, object({ q: text }, ['q']), 'form(z.object({ q: z.string() }))'],
    [
      parts,
      object({ note: text, file }, ['file']),
      'multipart(z.object({ note: z.string().optional(), file: bytes() }))',
    ],
    [
      parts,
      object({ file: { contentMediaType: 'image/png' } }, ['file']),
      'multipart(z.object({ file: bytes() }))',
    ],
    [
      parts,
      object({ files: { type: 'array', items: file } }, ['files']),
      'multipart(z.object({ files: z.array(bytes()) }))',
    ],
    [
      parts,
      { allOf: [object({ file }, ['file']), object({ a: text }, ['a'])] },
      'multipart(z.object({ file: bytes(), a: z.string() }))',
    ],
    [
      parts,
      object({ id: { ...text, readOnly: true }, file }, ['id', 'file']),
      'multipart(z.object({ file: bytes() }))',
    ],
    [
      parts,
      object({ coded: { ...text, contentMediaType: 'image/png', contentEncoding: 'base64' } }, [
        'coded',
      ]),
      'multipart(z.object({ coded: z.string() }))',
    ],
    [
      parts,
      { allOf: [object({ a: text }), object({ a: text, file })] },
      'multipart(z.object({ a: z.string().optional(), file: bytes().optional() }))',
    ],
    [
      parts,
      { allOf: [object({ file }), { required: ['file'] }] },
      'multipart(z.object({ file: bytes() }))',
    ],
    [
      parts,
      { ...object({ file }), anyOf: [{ required: ['file'] }, { required: ['url'] }] },
      'multipart(z.object({ file: bytes().optional() }))',
    ],
    [
      parts,
      object({ file: { anyOf: [file, { type: 'null' }] } }),
      'multipart(z.object({ file: bytes().optional() }))',
    ],
    [
      parts,
      object({ files: { oneOf: [file, { type: 'array', items: file }] } }),
      'multipart(z.object({ files: z.array(bytes()).optional() }))',
    ],
    [
      parts,
      object({ data: { ...text, contentMediaType: 'application/json' } }, ['data']),
      'multipart(z.object({ data: z.string() }))',
    ],
    [
      form,
      { ...object({ q: text }, ['q']), type: ['object', 'null'] },
      'form(z.object({ q: z.string() }))',
    ],
    ['text/plain', text, 'text()'],
    [
      'text/csv',
      rows({ a: text, b: { type: 'integer' } }, ['a', 'b']),
      'csv(z.object({ a: z.string(), b: z.int() }))',
    ],
    ['application/octet-stream', file, 'bytes()'],
    ['image/png', {}, 'bytes()'],
    ['application/cbor', file, 'bytes()'],
    ['*/*', file, 'bytes()'],
  ])('of %s with %j', async (type, schema, code) => {
    const { text: written, findings } = await sending({ [type]: { schema } });
    const [, body] = /body: (.*?),\n {2}response/s.exec(written) ?? [];
    expect(body?.replaceAll(/\s+/g, ' ').replaceAll(/([([]) |,? (?=[)\]])/g, '$1')).toBe(code);
    expect(findings).toEqual([]);
  });

  it('sends a field whose encoding names the type of a file as one', async () => {
    const encoding = { picture: { contentType: 'image/png, image/jpeg' } };
    const schema = object({ picture: {} }, ['picture']);
    const { text: written } = await sending({ [parts]: { schema, encoding } });
    expect(written).toContain('body: multipart(z.object({ picture: bytes() }))');
  });

  it.each([
    [form, { a: object({}) }, {}, 'it is an object'],
    [parts, { a: { type: 'array', items: object({}) } }, {}, 'it is an object'],
    [form, { a: file }, {}, 'it is a file, which a form cannot have'],
    [parts, { a: text }, { contentType: 'application/json' }, 'it is a document of its own'],
    [
      form,
      { a: { type: 'array', items: text } },
      { explode: false },
      'it is a list that is not repeated',
    ],
  ])(
    'of %s leaves out the field %j with the encoding %j',
    async (type, fields, encoding, problem) => {
      const content = (required: readonly string[]) => ({
        [type]: { schema: object({ ...fields, b: text }, required), encoding: { a: encoding } },
      });
      const { findings, operations } = await sending(content([]));
      expect(findings.map(({ detail }) => detail)).toEqual([
        `field "a" of the body is left out: ${problem}`,
      ]);
      expect(operations['send']?.body?.safeParse({ b: 'x' }).data).toEqual({ b: 'x' });
      await expect(sending(content(['a']))).rejects.toThrow(
        `POST /things is left out: its body is ${type}: field "a" ${problem.slice('it '.length)}`,
      );
    },
  );

  it('of fields leaves out further ones, with a note', async () => {
    const schema = { ...object({ q: text }, ['q']), additionalProperties: text };
    const { findings, operations } = await sending({ [form]: { schema } });
    expect(findings.map(({ detail }) => detail)).toEqual([
      'fields that the document does not name are not sent',
    ]);
    expect(operations['send']?.bodyKind.kind).toBe('form');
  });

  it.each([
    ['no fields', object({})],
    ['other fields in each of its forms', { ...object({ file }), oneOf: [object({ a: text })] }],
  ])('is none of fields where its schema has %s', async (_, schema) => {
    await expect(sending({ [parts]: { schema } })).rejects.toThrow(
      'its fields are not those of one object',
    );
  });

  it('is read from a schema that is composed of itself', async () => {
    const schemas = { A: { allOf: [{ $ref: '#/components/schemas/A' }, object({ file })] } };
    const content = { [parts]: { schema: { $ref: '#/components/schemas/A' } } };
    const post = { operationId: 'send', requestBody: { content }, responses: { 204: {} } };
    const { operations } = await load(documentOf({ '/things': { post } }, { schemas }));
    expect(operations['send']?.bodyKind.kind).toBe('multipart');
  });

  it('of several types is the first that can be written', async () => {
    const schema = object({ a: object({}) }, ['a']);
    const { operations } = await sending({
      [form]: { schema },
      [parts]: { schema: object({ file }) },
    });
    expect(operations['send']?.bodyKind.kind).toBe('multipart');
  });

  it.each([
    ['application/xml', text],
    ['multipart/mixed', file],
    ['text/csv', text],
  ])('is not %s', async (type, schema) => {
    await expect(sending({ [type]: { schema } })).rejects.toThrow(`its body is ${type}`);
  });
});

describe('the response of an imported operation', () => {
  it.each([
    ['bytes', { 200: answer('application/octet-stream') }, { kind: 'bytes' }],
    ['bytes of an image', { 200: answer('image/svg+xml') }, { kind: 'bytes' }],
    ['bytes that a schema says', { 200: answer('application/x-any', file) }, { kind: 'bytes' }],
    ['bytes or none', { 200: answer('application/pdf'), 204: {} }, { kind: 'bytes' }],
    ['a text', { 200: answer('text/html') }, { kind: 'text' }],
    [
      'JSON of its own type',
      { 200: answer('application/hal+json') },
      { kind: 'json', type: 'application/hal+json' },
    ],
    [
      'JSON of several types',
      { 200: answer('application/hal+json'), 202: json(text) },
      { kind: 'json', type: 'application/json' },
    ],
  ])('is %s', async (_, responses, kind) => {
    const { operations, findings } = await answering(responses);
    expect(operations['get']?.responseKind).toMatchObject(kind);
    expect(findings).toEqual([]);
  });

  it('is a table whose columns are read from text', async () => {
    const columns = {
      a: text,
      b: { type: 'integer' },
      c: { type: 'number' },
      d: { type: 'boolean' },
    };
    const { operations } = await answering({
      200: answer('text/csv', rows(columns, ['a', 'b', 'd'])),
    });
    const row = { a: 'x', b: '1', d: 'true' };
    expect(operations['get']?.response.parse([row])).toEqual([{ a: 'x', b: 1, d: true }]);
    expect(operations['get']?.responseKind.kind).toBe('csv');
  });

  it.each([
    ['a text', text],
    ['rows with lists', rows({ a: { type: 'array', items: text } })],
    ['rows with values of two kinds', rows({ a: { type: ['string', 'integer'] } })],
    ['rows with null', rows({ a: { type: ['string', 'null'] } })],
    ['rows with allowed numbers', rows({ a: { enum: [1, 2] } })],
    ['rows without columns', { type: 'array', items: { type: 'object' } }],
    [
      'rows with further columns',
      { type: 'array', items: { ...object({ a: text }), additionalProperties: text } },
    ],
  ])('is one text, with a note, where a table is %s', async (_, schema) => {
    const { operations, findings } = await answering({ 200: answer('text/csv', schema) });
    expect(operations['get']?.responseKind.kind).toBe('text');
    expect(findings[0]?.detail).toContain('does not name columns of single values');
  });

  it('is one text, with a note, where a text is XML', async () => {
    const { operations, findings } = await answering({ 200: answer('text/xml') });
    expect(operations['get']?.responseKind.kind).toBe('text');
    expect(findings[0]?.detail).toContain('is read as one text: xml()');
  });

  it.each([
    [
      'a stream of events',
      { 200: answer('text/event-stream', file) },
      'it answers text/event-stream',
    ],
    [
      'lines of JSON',
      { 200: answer('application/x-ndjson', file) },
      'it answers application/x-ndjson',
    ],
    [
      'XML',
      { 200: answer('application/xml') },
      'it answers application/xml: xml(), which names its elements, is left to you',
    ],
    [
      'rows of two tables',
      { 200: answer('text/csv', rows({ a: text })), 201: answer('text/csv', rows({ b: text })) },
      'it answers text/csv or text/csv: a body has one kind',
    ],
    [
      'bodies of two kinds',
      { 200: json(text), 201: answer('text/plain') },
      'it answers application/json or text/plain: a body has one kind',
    ],
  ])('is not %s', async (_, responses, problem) => {
    await expect(answering(responses)).rejects.toThrow(`GET /things is left out: ${problem}`);
  });

  const location = { schema: { ...text, format: 'uri' }, required: true };
  const rate = { schema: { type: 'integer' }, required: true };
  it('has the headers that say what an answer without a body has made', async () => {
    const headers = { Location: location, ETag: { schema: text }, 'X-RateLimit-Limit': rate };
    const { operations, text: written } = await answering({ 201: { headers } }, 'post');
    expect(operations['get']?.parts).toMatchObject({
      hasBody: false,
      headers: ['location', 'etag'],
    });
    const value = { headers: { location: '/things/1' } };
    expect(operations['get']?.response.parse(value)).toEqual(value);
    expect(written).toContain('response: { headers: z.object({ location: z.string()');
  });

  it('may lack a header that not all of its answers have', async () => {
    const responses = { 201: { headers: { Location: location } }, 204: {} };
    const { operations } = await answering(responses, 'post');
    expect(operations['get']?.response.safeParse({ headers: {} }).success).toBe(true);
  });

  it.each([
    ['a body', { 200: { ...json(text), headers: { ETag: { schema: text } } } }],
    ['no headers of use', { 204: { headers: { 'X-RateLimit-Limit': rate } } }],
  ])('has no parts where there is %s', async (_, responses) => {
    const { operations } = await answering(responses);
    expect(operations['get']?.parts).toBeUndefined();
  });

  it('to a HEAD has all headers that are described, and never a body', async () => {
    const headers = { 'X-Total': rate, ETag: { schema: text }, Connection: { schema: text } };
    const { operations } = await answering({ 200: { ...json(text), headers } }, 'head');
    const { response, route, parts } = operations['get'] ?? {};
    expect([route?.method, parts?.headers]).toEqual(['HEAD', ['x-total', 'etag']]);
    expect(response?.parse({ headers: { 'x-total': '3' } })).toEqual({ headers: { 'x-total': 3 } });
    const bare = await answering({ 200: json(text) }, 'head');
    expect(bare.operations['get']?.response.safeParse(null).success).toBe(true);
  });
});
