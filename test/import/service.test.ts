import { describe, expect, it } from 'vitest';
import { importOpenApi } from '../../src/import/import-openapi.ts';
import { answering, documentOf, json, load } from './_load.ts';

const Payment = {
  type: 'object',
  required: ['id', 'orderId', 'state'],
  properties: {
    id: { type: 'string' },
    orderId: { type: 'string' },
    state: { enum: ['open', 'paid'] },
  },
};
const payments = { type: 'array', items: { $ref: '#/components/schemas/Payment' } };
const list = (name: string, more: object = {}) => ({
  in: 'query',
  name,
  schema: { type: 'array', items: { type: 'string' } },
  ...more,
});

/** A document whose only operation is `GET /payments` with these parameters. */
function listing(parameters: readonly unknown[], schema: unknown = payments): object {
  const get = { operationId: 'listPayments', parameters, responses: { 200: json(schema) } };
  return documentOf({ '/payments': { get } }, { schemas: { Payment } });
}

describe('an imported service', () => {
  it('is one file as its author would have written it', async () => {
    const { text } = await load(
      documentOf(
        {
          '/orders/{order-id}': {
            parameters: [{ in: 'path', name: 'order-id', required: true, schema: {} }],
            get: {
              operationId: 'get_order',
              summary: 'Returns an order',
              responses: { 200: json({ $ref: '#/components/schemas/Order' }), 404: {} },
            },
            delete: { summary: 'Ends */ one.', responses: { 204: {} } },
          },
          '/orders': {
            post: {
              operationId: 'placeOrder',
              parameters: [
                { in: 'query', name: 'dry-run', schema: { type: 'boolean' } },
                { in: 'header', name: 'X-Channel', required: true, schema: { type: 'string' } },
              ],
              requestBody: { required: true, ...json({ $ref: '#/components/schemas/Order' }) },
              responses: { 201: json({ $ref: '#/components/schemas/Order' }), 202: {} },
            },
          },
        },
        {
          schemas: { Order: { type: 'object', properties: { id: { type: 'string' } } } },
          servers: [{ url: 'https://api.example/v1' }],
          security: [{ token: [] }],
          components: {
            securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
            schemas: { Order: { type: 'object', properties: { id: { type: 'string' } } } },
          },
        },
      ),
    );
    expect(text).toBe(`/** The service orders, by the OpenAPI document "Orders" 1 (orders.json). */
import { bearer, defineService, ignoredBody, operation } from 'plait';
import { z } from 'zod';

// Addresses by the document: https://api.example/v1
export const orders = defineService({
  name: 'orders',
  url: { env: 'ORDERS_URL' },
  auth: bearer({ env: 'ORDERS_TOKEN' }),
});

const Order = z.object({ id: z.string().optional() });

/** Returns an order. */
export const getOrder = operation(orders, {
  name: 'getOrder',
  route: 'GET /orders/:orderId',
  response: Order,
});

/** Ends * / one. */
export const deleteOrdersByOrderId = operation(orders, {
  name: 'deleteOrdersByOrderId',
  route: 'DELETE /orders/:orderId',
  response: ignoredBody,
});

export const placeOrder = operation(orders, {
  name: 'placeOrder',
  route: 'POST /orders',
  query: z.object({ 'dry-run': z.boolean().optional() }),
  headers: z.object({ 'x-channel': z.string() }),
  body: Order,
  response: Order.nullable(),
});
`);
  });

  it('has only the operations that are asked for, and the schemas that they need', async () => {
    const paths = {
      '/a': {
        get: { operationId: 'a', responses: { 200: json({ $ref: '#/components/schemas/A' }) } },
      },
      '/b': {
        get: { operationId: 'b', responses: { 200: json({ $ref: '#/components/schemas/B' }) } },
      },
    };
    const document = documentOf(paths, { schemas: { A: Payment, B: Payment } });
    for (const wanted of ['b', 'GET /b']) {
      const { text, declared } = await load(document, { operations: [wanted] });
      expect(declared).toEqual([{ name: 'b', kind: 'operation', text: expect.any(String) }]);
      expect(text).not.toMatch(/\bA\b/);
    }
  });

  it.each([
    [
      'a token',
      { type: 'http', scheme: 'Bearer' },
      { kind: 'bearer', token: { env: 'ORDERS_TOKEN' } },
    ],
    [
      'a name and a password',
      { type: 'http', scheme: 'basic' },
      { kind: 'basic', user: { env: 'ORDERS_USER' }, password: { env: 'ORDERS_PASSWORD' } },
    ],
    [
      'a key in a header',
      { type: 'apiKey', in: 'header', name: 'X-Key' },
      { kind: 'apiKey', key: { env: 'ORDERS_KEY' }, in: 'header', name: 'x-key' },
    ],
    [
      'a key in the query',
      { type: 'apiKey', in: 'query', name: 'key' },
      { kind: 'apiKey', key: { env: 'ORDERS_KEY' }, in: 'query', name: 'key' },
    ],
    [
      'client credentials',
      {
        type: 'oauth2',
        flows: { clientCredentials: { tokenUrl: 'https://id.example/token', scopes: {} } },
      },
      {
        kind: 'clientCredentials',
        tokenUrl: 'https://id.example/token',
        clientId: { env: 'ORDERS_CLIENT_ID' },
        clientSecret: { env: 'ORDERS_CLIENT_SECRET' },
        scope: 'read write',
      },
    ],
  ])('sends %s, and nothing where the document asks for none', async (_, scheme, auth) => {
    const get = { responses: { 200: json({}) } };
    const { service, operations } = await load(
      documentOf(
        { '/kept': { get }, '/open': { get: { ...get, security: [] } } },
        { components: { securitySchemes: { s: scheme } }, security: [{ s: ['read', 'write'] }] },
      ),
    );
    expect(service.auth).toMatchObject(auth);
    expect(operations['getKept']?.auth).toBe(service.auth);
    expect(operations['getOpen']?.auth).toBeUndefined();
  });

  it('forwards the token of a user, and says so', async () => {
    const scheme = { type: 'oauth2', flows: { authorizationCode: {} } };
    const { service, findings } = await load({
      ...answering({}),
      components: { securitySchemes: { s: scheme } },
      security: [{ s: [] }],
    });
    expect(service.forward).toEqual(['authorization']);
    expect(findings[0]?.pointer).toBe('#/components/securitySchemes/s');
  });

  it('leaves out what cannot be sent, and the operation if it needs that', async () => {
    const filter = { in: 'query', name: 'filter', schema: { type: 'object' } };
    const optional = await load(listing([filter]));
    expect(optional.findings).toEqual([
      {
        pointer: '#/paths/~1payments/get/parameters/0',
        detail: 'parameter "filter" is left out: its value is an object',
      },
    ]);
    expect(optional.text).toContain('/*\n * Not carried over from the document:\n * - #/paths/');
    await expect(load(listing([{ ...filter, required: true }]))).rejects.toThrow(
      'orders.json: nothing could be carried over.\n#/paths/~1payments/get/parameters/0: ' +
        'GET /payments is left out: parameter "filter": its value is an object',
    );
  });

  it('keeps text of a document from becoming code', async () => {
    const hostile = '`\'"; process.exit(1); */ ${x} \\ \n\u2028';
    const schema = { type: 'object', properties: { [hostile]: { enum: [hostile, 'b'] } } };
    const document = answering(schema, {}) as { paths: { '/thing': { get: object } } };
    document.paths['/thing'].get = {
      ...document.paths['/thing'].get,
      summary: hostile,
      operationId: hostile,
    };
    const { operations, declared } = await load(document);
    const { response } = operations[declared[0]?.name ?? ''] ?? {};
    expect(response?.safeParse({ [hostile]: hostile }).data).toEqual({ [hostile]: hostile });
  });
});

describe('an imported lookup', () => {
  it.each([
    ['a parameter of each key', list('id', { required: true }), { kind: 'repeated', name: 'id' }],
    [
      'keys between commas',
      list('ids', { required: true, explode: false }),
      { kind: 'separated', name: 'ids' },
    ],
    ['keys in brackets', list('payment_ids[]', { required: true }), undefined],
    [
      'a text that is described as a list',
      {
        in: 'query',
        name: 'ids',
        required: true,
        schema: { type: 'string' },
        description: 'Comma-separated ids',
      },
      { kind: 'separated', name: 'ids' },
    ],
  ])('is recognised by %s', async (_, parameter, keys) => {
    const { operations, declared } = await load(listing([parameter]));
    expect(declared.map(({ kind }) => kind)).toEqual([keys ? 'lookup' : 'operation']);
    const { kind, name } = operations['listPayments']?.lookup?.keys ?? {};
    expect(kind && { kind, name }).toEqual(keys);
  });

  it('has a list for each key that does not name the item itself, and says so', async () => {
    const { operations, findings } = await load(listing([list('orderIds', { required: true })]));
    expect(operations['listPayments']?.lookup).toMatchObject({ many: true });
    expect(findings[0]?.detail).toContain('a lookup by "orderId"');
  });

  it('stands beside the operation if the list may be left out', async () => {
    const limit = { in: 'query', name: 'limit', schema: { type: 'integer', default: 20 } };
    const page = { type: 'object', required: ['data'], properties: { data: payments } };
    const { text, declared, operations } = await load(listing([list('ids'), limit], page));
    expect(declared.map(({ name }) => name)).toEqual(['listPayments', 'listPaymentsById']);
    expect(operations['listPaymentsById']?.lookup).toMatchObject({ many: false, max: 20 });
    expect(text).toContain(`export const listPaymentsById = lookup(orders, {
  name: 'listPaymentsById',
  route: 'GET /payments',
  keys: { query: 'ids', repeat: true },
  by: 'id',
  items: 'data',
  item: Payment,
  max: 20,
  query: z.object({ limit: z.int().optional() }),
});`);
  });

  it.each([
    ['maximum', { default: 20, maximum: 50 }, { max: 50, limit: { query: 'limit' } }],
    ['default only', { default: 20 }, { max: 20, limit: undefined }],
    ['minimum', { default: 20, minimum: 5, maximum: 50 }, { max: 20, limit: undefined }],
  ])(
    'asks for as many items as keys where a page has any size up to its maximum: %s',
    async (...row) => {
      const [, more, expected] = row;
      const limit = { in: 'query', name: 'limit', schema: { type: 'integer', ...more } };
      const { operations } = await load(listing([list('ids', { required: true }), limit]));
      const { lookup, query } = operations['listPayments'] ?? {};
      expect(lookup).toMatchObject(expected);
      expect(query === undefined).toBe(expected.limit !== undefined);
    },
  );

  it('keeps commas between its keys where the service has commas and its other lists none', async () => {
    const responses = {
      200: json({
        type: 'array',
        items: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
      }),
    };
    const separated = list('ids', { required: true, explode: false });
    const text = {
      in: 'query',
      name: 'ids',
      required: true,
      description: 'Comma-separated.',
      schema: { type: 'string' },
    };
    const paths = {
      '/a': { get: { operationId: 'a', parameters: [separated], responses } },
      '/b': { get: { operationId: 'b', parameters: [separated], responses } },
      '/c': {
        get: { operationId: 'c', parameters: [list('tags', { explode: false })], responses },
      },
      '/d': { get: { operationId: 'd', parameters: [text, list('tags')], responses } },
    };
    const { operations, service } = await load(documentOf(paths));
    expect(service.queryStyle).toEqual({ arrays: 'comma' });
    for (const name of ['a', 'b', 'd'])
      expect(operations[name]?.lookup?.keys).toMatchObject({ kind: 'separated', name: 'ids' });
    expect(operations['d']?.queryStyle).toBeUndefined();
  });

  it('keeps commas between its keys whatever the style of its other lists is', async () => {
    const ids = list('ids', { required: true, explode: false });
    for (const other of [list('tags[]'), list('tags'), list('tags', { explode: false })]) {
      const { operations } = await load(listing([ids, other]));
      expect(operations['listPayments']?.lookup?.keys).toMatchObject({ kind: 'separated' });
    }
  });

  it('puts its keys into the body of a search', async () => {
    const ids = { type: 'array', items: { type: 'string' }, maxItems: 50 };
    const requestBody = json({ type: 'object', properties: { ids } });
    const responses = { 200: json(payments) };
    const post = { requestBody, responses };
    const paths = { '/payments/search': { post }, '/payments/refund': { post } };
    const { declared, operations } = await load(documentOf(paths, { schemas: { Payment } }));
    expect(declared.map(({ name, kind }) => [name, kind])).toEqual([
      ['postPaymentsSearch', 'lookup'],
      ['postPaymentsRefund', 'operation'],
    ]);
    expect(operations['postPaymentsSearch']?.lookup).toMatchObject({
      keys: { kind: 'body', name: 'ids' },
      max: 50,
    });
  });

  it('is not made of a filter: values that are known beforehand are no keys', async () => {
    const { declared } = await load(listing([list('states', { required: true })]));
    expect(declared.map(({ kind }) => kind)).toEqual(['operation']);
  });
});

describe('a document that cannot be imported', () => {
  const paths = { '/a': { get: { operationId: 'listOrders', responses: { 204: {} } } } };
  it.each([
    ['is no JSON', '{', /^a\.json cannot be read: /],
    ['is no OpenAPI', '{}', /^a\.json is no OpenAPI document\. Use OpenAPI 3\.0 or 3\.1/],
    ['is older', '{"swagger":"2.0"}', /^a\.json is of version Swagger 2\.0\./],
    ['is newer', '{"openapi":"4.0.0"}', /^a\.json is of version 4\.0\.0\./],
    ['has no operations', '{"openapi":"3.1.0"}', /^a\.json has no operations\.$/],
    [
      'lacks one',
      JSON.stringify(documentOf(paths)),
      /^a\.json has no operation "getOrders"\. It has: listOrders\.$/,
    ],
    [
      'refers to another document',
      JSON.stringify(answering({ $ref: 'common.json#/Order' })),
      /^a\.json: #\/paths\/~1thing\/get\/responses\/200\/content\/application~1json\/schema refers to "common\.json#\/Order"; other documents are not read\. Bundle them first/,
    ],
    [
      'refers to nothing',
      JSON.stringify(answering({ $ref: '#/components/schemas/No' })),
      /refers to "#\/components\/schemas\/No", which is not in the document\.$/,
    ],
    [
      'refers in a circle',
      JSON.stringify(
        answering({ $ref: '#/components/schemas/A' }, { A: { $ref: '#/components/schemas/A' } }),
      ),
      /^a\.json: #\/components\/schemas\/A refers to itself\.$/,
    ],
  ])('%s', async (why, text, message) => {
    const operations = why === 'lacks one' ? ['getOrders'] : undefined;
    const options = { service: 'a', file: 'a.json', operations };
    await expect(importOpenApi(text, options)).rejects.toThrow(message);
  });

  it('is read as YAML if it is not JSON', async () => {
    const text = 'openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses:\n        204: {}\n';
    const options = { service: 'a', file: 'a.yaml', operations: undefined };
    expect((await importOpenApi(text, options)).declared).toHaveLength(1);
    await expect(importOpenApi('a: [', options)).rejects.toThrow(/^a\.yaml cannot be read: /);
  });
});
