/** Bodies that are not plain JSON, to and from a service, over sockets. */
import { csv, form, json, operation, text, xml } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startServer } from '../../support/servers.ts';
import { entryOfReply, replay } from '../../../src/upstream/caching/cache-entry.ts';
import { callOf, failureOf, openShop } from '../../support/upstream-calls.ts';
import type { ShopOptions } from '../../support/upstream-calls.ts';

interface Answering {
  readonly status?: number;
  readonly body?: string | Buffer;
  readonly type?: string;
}

async function start({ status = 200, body = '', type }: Answering = {}, options?: ShopOptions) {
  const server = await startServer((_, response) => {
    response.writeHead(status, type === undefined ? {} : { 'content-type': type });
    response.end(body);
  });
  return { ...openShop({ url: server.url, ...options }), server };
}

const latin1 = Buffer.from('é', 'latin1');

/** What a service gets of an argument `body`. */
async function sent(body: z.ZodType, value: unknown) {
  const { service, call, server } = await start({ body: 'null' });
  const send = operation(service, { route: 'POST /a', body, response: z.unknown() });
  await call(send, { body: value }, undefined);
  const [request] = server.requests;
  return { body: request?.body, type: request?.headers['content-type'] };
}

/** What becomes of an answer. */
async function read(response: z.ZodType, answering: Answering): Promise<unknown> {
  const { service, call } = await start(answering);
  const get = operation(service, { route: 'GET /a', response });
  return (await call(get, {}, undefined)).value;
}

async function unreadable(response: z.ZodType, answering: Answering) {
  const { service, call } = await start(answering);
  const get = operation(service, { route: 'GET /a', response });
  return failureOf(call(get, {}, undefined));
}

describe('a request body', () => {
  const formType = 'application/x-www-form-urlencoded';
  const merge = 'application/merge-patch+json';
  const anything = z.object({}).catchall(z.unknown());

  it.each<[string, z.ZodType, unknown, string, string]>([
    ['json of a type', json(z.object({ a: z.null() }), merge), { a: null }, '{"a":null}', merge],
    ['a form', form(anything), { a: 'x y&z', b: 1.5, c: true }, 'a=x+y%26z&b=1.5&c=true', formType],
    ['a form with a list', form(anything), { a: ['1', '2'] }, 'a=1&a=2', formType],
    ['a form without nothing', form(anything), { a: null, b: undefined, c: '' }, 'c=', formType],
    [
      'a form of long integers',
      form(anything),
      { a: 9007199254740993n },
      'a=9007199254740993',
      formType,
    ],
    [
      'a form of dates',
      form(anything),
      { at: new Date(0) },
      'at=1970-01-01T00%3A00%3A00.000Z',
      formType,
    ],
    ['an empty form', form(anything), {}, '', formType],
    [
      'a table',
      csv(z.object({ a: z.string(), b: z.number().optional(), c: z.string().nullable() })),
      [
        { a: 'x, "y"', b: 1, c: null },
        { a: '', c: ' \n' },
      ],
      'a,b,c\r\n"x, ""y""",1,\r\n"",," \n"\r\n',
      'text/csv; charset=utf-8',
    ],
    [
      'a table without a header',
      csv(z.looseObject({ a: z.boolean() }), { separator: '\t', header: false }),
      [{ a: true, dropped: 1 }],
      'true\r\n',
      'text/tab-separated-values; charset=utf-8',
    ],
    [
      'a table without rows',
      csv(z.object({ a: z.string() })),
      [],
      'a\r\n',
      'text/csv; charset=utf-8',
    ],
    [
      'a table whose columns a function decides',
      csv(z.object({ a: z.string() })).transform((list) => list.map(({ a }) => ({ b: a }))),
      [{ a: 'c' }],
      'b\r\nc\r\n',
      'text/csv; charset=utf-8',
    ],
    [
      'XML',
      xml(z.object({ a: z.object({ '@n': z.number(), at: z.date() }) })),
      { a: { '@n': 1, at: new Date(0) } },
      '<?xml version="1.0" encoding="UTF-8"?><a n="1"><at>1970-01-01T00:00:00.000Z</at></a>',
      'application/xml; charset=utf-8',
    ],
    ['a text', text(), 'é "quoted"\n', 'é "quoted"\n', 'text/plain; charset=utf-8'],
    ['an empty text', text(), '', '', 'text/plain; charset=utf-8'],
    ['a refined text', text().min(1), 'a', 'a', 'text/plain; charset=utf-8'],
    [
      'a form that is optional',
      form(z.object({ a: z.string() })).optional(),
      { a: 'b' },
      'a=b',
      formType,
    ],
    [
      'a form made by a function',
      form(z.object({ a: z.number() })).transform(({ a }) => ({ twice: a * 2 })),
      { a: 2 },
      'twice=4',
      formType,
    ],
  ])('is sent as %s', async (_, schema, value, ...wanted) => {
    const { body, type } = await sent(schema, value);
    expect([body, type]).toEqual(wanted);
  });

  it('is none where its schema gives undefined', async () => {
    expect(await sent(form(z.object({})).optional(), undefined)).toEqual({
      body: '',
      type: undefined,
    });
  });

  it.each<[string, z.ZodType, unknown, string]>([
    ['an object in a form', form(anything), { a: { b: 1 } }, '"body.a" is not a text, number or'],
    [
      'a list in a list',
      form(anything),
      { a: [['b']] },
      '"body.a" is not a text, number or boolean',
    ],
    ['NaN in a form', form(anything), { a: NaN }, '"body.a" is not a text, number or boolean'],
    ['an invalid date in a form', form(anything), { a: new Date(NaN) }, '"body.a" is not a text'],
    ['half a character in a form', form(anything), { a: '\ud800' }, 'is not well-formed Unicode'],
    ['half a character in a text', text(), '\ud800', 'is not well-formed Unicode'],
    [
      'a number that a function made of a text',
      text().transform(Number),
      '1',
      '"body" is not a text',
    ],
    [
      'an element without a name',
      xml(anything),
      { '': '' },
      '"body" has a field whose name is not a valid',
    ],
    [
      'a list in a table',
      csv(z.object({ a: z.unknown() })),
      [{ a: [] }],
      '"body.0.a" is not a text',
    ],
    ['a value that does not fit', form(z.object({ a: z.string() })), { a: 1 }, '"body.a": Invalid'],
  ])('is an error for %s', async (_, body, value, words) => {
    const { service, call, server } = await start();
    const send = operation(service, { route: 'POST /a', body, response: z.unknown() });
    const failure = await failureOf(call(send, { body: value }, undefined));
    expect(failure).toMatchObject({ kind: 'invalid-argument', argument: 'body' });
    expect(failure.message).toContain(words);
    expect(server.requests).toEqual([]);
  });
});

describe('a response body', () => {
  const document = xml(z.object({ r: z.object({ n: z.array(z.coerce.number()) }) }));
  const table = csv(
    z.object({ id: z.string(), n: z.coerce.number(), note: z.string().optional() }),
  );
  const rows = [
    { id: 'a', n: 1, note: 'x' },
    { id: 'b', n: 2 },
  ];
  const fields = form(
    z.object({
      a: z.string(),
      n: z.coerce.number().optional(),
      list: z.array(z.string()).default([]),
    }),
  );

  it.each<[string, z.ZodType, Answering, unknown]>([
    ['a form', fields, { body: 'a=x+y%26&n=2&b=no' }, { a: 'x y&', n: 2, list: [] }],
    ['a form with a list of one', fields, { body: 'a=&list=1' }, { a: '', list: ['1'] }],
    ['a form with a list of two', fields, { body: 'list=1&a&list=2' }, { a: '', list: ['1', '2'] }],
    ['a form with a mark before it', fields, { body: '\ufeffa=b' }, { a: 'b', list: [] }],
    ['a form as plain text', fields, { body: 'a=b', type: 'text/plain' }, { a: 'b', list: [] }],
    [
      'a form without __proto__',
      form(z.looseObject({})),
      { body: '__proto__=x&constructor=y' },
      { constructor: 'y' },
    ],
    ['a table', table, { body: 'id,n,note\r\na,1,x\r\nb,2,\r\n' }, rows],
    ['a table in another order', table, { body: 'note,more,n,id\nx,7,1,a\n,7,2,b' }, rows],
    ['a table with a mark before it', table, { body: '\ufeffid,n\nb,2\n\n' }, rows.slice(1)],
    [
      'a table with an empty text',
      table,
      { body: 'id,n,note\n"",1,""' },
      [{ id: '', n: 1, note: '' }],
    ],
    ['a table without rows', table, { body: 'id,n,note\n' }, []],
    ['an empty table', table, {}, []],
    [
      'a table without a header',
      csv(z.object({ id: z.string(), n: z.coerce.number() }), { header: false, separator: ';' }),
      { body: '"a;""b""\n";1\n', type: 'application/octet-stream' },
      [{ id: 'a;"b"\n', n: 1 }],
    ],
    [
      'a table of one column, where an empty line is a row',
      csv(z.object({ id: z.string() })),
      { body: 'id\n\na\n', type: 'text/csv; charset=utf-8; header=present' },
      [{ id: '' }, { id: 'a' }],
    ],
    [
      'a table in latin1',
      csv(z.object({ id: z.string() })),
      { body: Buffer.from('id\né', 'latin1'), type: 'text/csv;charset=iso-8859-1' },
      [{ id: 'é' }],
    ],
    ['XML', document, { body: '<r><n>1</n></r>', type: 'application/atom+xml' }, { r: { n: [1] } }],
    [
      'XML in the charset that it names',
      xml(z.object({ r: z.string() })),
      {
        body: Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?><r>é</r>', 'latin1'),
        type: 'text/xml',
      },
      { r: 'é' },
    ],
    ['a text', text(), { body: ' <é>\n', type: 'text/html; charset=utf-8' }, ' <é>\n'],
    ['an empty text', text(), {}, ''],
    ['a text in latin1', text(), { body: latin1, type: 'text/plain; charset=iso-8859-1' }, 'é'],
    ['a text that a function reads', text().transform(Number), { body: '42' }, 42],
    ['no text', text().nullable(), { status: 204 }, null],
    ['no text, which is undefined', text().optional(), { status: 204 }, undefined],
    ['json of a type', json(z.object({}), 'application/hal+json'), { body: '{}' }, {}],
  ])('is read as %s', async (_, response, answering, value) => {
    expect(await read(response, answering)).toEqual(value);
  });

  it.each<[string, z.ZodType, Answering, string]>([
    [
      'of another type',
      fields,
      { body: '{}', type: 'application/json' },
      'answered application/json, which is not a body of form()',
    ],
    ['of an unreadable type', fields, { body: 'a', type: '<é>' }, 'answered an unreadable type'],
    ['that is an image', text(), { body: 'a', type: 'image/png' }, 'answered image/png, which is'],
    ['with half an escape', fields, { body: 'a=%e' }, 'its body has an invalid percent-encoding'],
    ['with an escape beyond UTF-8', fields, { body: 'a=%e9' }, 'its body has an invalid percent'],
    [
      'that is no table',
      table,
      { body: '<p>', type: 'text/html' },
      'answered text/html, which is no',
    ],
    ['with a short row', table, { body: 'id,n\na' }, 'its body has 1 fields instead of 2 in row 1'],
    ['with a long row', table, { body: 'id,n\na,1\nb,2,3' }, 'has 3 fields instead of 2 in row 2'],
    ['with a quotation mark inside a field', table, { body: 'id,n\na"b,1' }, 'has a misplaced'],
    ['with text after a quotation', table, { body: 'id,n\n"a"b,1' }, 'quotation mark in line 2'],
    [
      'with an open quotation',
      table,
      { body: 'id,n\n"a,1\n' },
      'a quotation mark that is not closed',
    ],
    ['with two columns of one name', table, { body: 'id,id\na,b' }, 'has two columns of one name'],
    ['with an empty number', table, { body: 'id,n\na,' }, '/0/n in its body does not fit'],
    ['with a column less', table, { body: 'id\na' }, '/0/n in its body does not fit'],
    ['that is not UTF-8', text(), { body: latin1 }, 'its body is not UTF-8 at byte 0'],
    ['in another charset', text(), { body: 'a', type: 'text/plain; charset=koi8-r' }, 'koi8-r'],
    ['that does not fit', fields, { body: 'a=b&n=x' }, '/n in its body does not fit the schema'],
    [
      'that is missing',
      text(),
      { status: 204 },
      'the answer had no body; make the schema nullable',
    ],
    ['that is too large', text(), { body: 'a'.repeat(101) }, 'more than 100 bytes'],
  ])('is an error when it is one %s', async (_, response, answering, words) => {
    const { service, call } = await start(answering, { service: { maxBodyBytes: 100 } });
    const get = operation(service, { route: 'GET /a', response });
    const failure = await failureOf(call(get, {}, undefined));
    expect(['invalid-body', 'too-large']).toContain(failure.kind);
    expect(failure.message).toContain(words);
  });

  it('quotes nothing of the body', async () => {
    const failure = await unreadable(fields, { body: 'a=secret%e9' });
    expect(`${failure.stack} ${String(failure.cause)}`).not.toContain('secret');
  });

  it('is asked for by its type', async () => {
    const { service, call, server } = await start({ body: 'a=b' });
    for (const [index, response] of [
      fields,
      text(),
      json(z.unknown(), 'application/x+json'),
    ].entries()) {
      const get = operation(service, { name: `get${index}`, route: 'GET /a', response });
      // oxlint-disable-next-line no-await-in-loop -- in order
      await call(get, {}, undefined).catch(() => undefined);
    }
    expect(server.requests.map(({ headers }) => headers.accept)).toEqual([
      'application/x-www-form-urlencoded',
      'text/plain, text/*;q=0.9, */*;q=0.8',
      'application/x+json',
    ]);
  });

  it('is a part beside headers and status, and can be a failure', async () => {
    const { service, call } = await start({ body: 'error=1&code=404' });
    const parts = operation(service, {
      name: 'parts',
      route: 'GET /a',
      response: { body: form(z.object({ code: z.string() })), status: z.int() },
    });
    expect((await call(parts, {}, undefined)).value).toEqual({
      body: { code: '404' },
      status: 200,
    });
    const failing = operation(service, {
      name: 'failing',
      route: 'GET /a',
      response: form(z.looseObject({})),
      failure: { body: z.object({ error: z.literal('1'), code: z.string() }), status: 'code' },
    });
    expect(await failureOf(call(failing, {}, undefined))).toMatchObject({ status: 404 });
  });

  it('is kept by a cache, and parsed once', async () => {
    const { service, open, server } = await start({ body: 'a=b' });
    const get = operation(service, { route: 'GET /a', response: fields, cache: { ttlMs: 60_000 } });
    for (let round = 0; round < 2; round += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await open()(get, {}, undefined)).value).toEqual({ a: 'b', list: [] });
    expect(server.requests).toHaveLength(1);
  });
});

describe('an entry of a cache outside the process', () => {
  const document = z.object({ r: z.object({ n: z.array(z.coerce.number()) }) });
  it.each<[string, z.ZodType, string]>([
    ['form', form(z.object({ a: z.string(), n: z.coerce.number() })), 'a=b&n=1'],
    ['text', text(), 'a'],
    ['table', csv(z.object({ a: z.string(), n: z.coerce.number().optional() })), 'a,n\nb,\nc,1'],
    ['document', xml(document), '<r><n>1</n><n>2</n></r>'],
  ])('gives the same %s', async (_, response, body) => {
    const { service, call } = await start({ body }, { service: { maxDepth: 2 } });
    const get = operation(service, { route: 'GET /a', response, cache: { ttlMs: 1_000 } });
    const reply = await call(get, {}, undefined);
    const made = callOf(get);
    const entry = entryOfReply(made, reply, 0);
    const stored = JSON.parse(JSON.stringify(entry)) as NonNullable<typeof entry>;
    const { parsed: __, ...outcome } = stored.outcome as {
      parsed?: unknown;
    } & typeof stored.outcome;
    expect(replay(made, { ...stored, outcome }, 0).value).toEqual(reply.value);
  });
});

describe('equal bodies of a read by POST', () => {
  it('are one request while it is under way', async () => {
    const { service, open, server } = await start({ body: 'null' });
    const body = form(z.object({ q: z.string() }));
    const find = operation(service, { route: 'POST /a', body, response: z.null(), safe: true });
    await Promise.all(['a', 'a', 'b'].map((q) => open()(find, { body: { q } }, undefined)));
    expect(server.requests.map((request) => request.body).toSorted()).toEqual(['q=a', 'q=b']);
  });
});
