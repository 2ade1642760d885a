/** Bodies of requests that may be missing: what arrives as one, and what leaves for a service. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import { call, given } from '../../src/dsl/steps.ts';
import { startServer } from '../support/servers.ts';
import { failureOf, openShop } from '../support/upstream-calls.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { raw } from '../support/raw-http.ts';

const Note = z.object({ note: z.string() });
const fallbackNote = { note: 'none' };

const schemas = {
  plain: Note,
  unknown: z.unknown(),
  coerced: z.coerce.string(),
  nullable: Note.nullable(),
  optional: Note.optional(),
  nullish: Note.nullish(),
  default: Note.default(fallbackNote),
  prefault: Note.prefault(fallbackNote),
  caught: Note.catch(fallbackNote),
  union: z.union([Note, z.undefined()]),
  preprocessed: z.preprocess((value) => value ?? fallbackNote, Note),
};

type Name = keyof typeof schemas;

/** The value of a body: of a request in `compose`, of an argument on its way. */
const absent = 'absent';

const needed = ['plain', 'unknown', 'coerced', 'nullable'] as const;
const defaulted = ['default', 'prefault', 'caught', 'preprocessed'] as const;
const omissible = ['optional', 'nullish', 'union'] as const;

/** The bytes of a request after its request line and `host`. */
const json = 'content-type: application/json\r\n';
const requests: Record<string, string> = {
  'no body': '\r\n',
  'no body, with a type': `${json}\r\n`,
  'a body of length 0': 'content-length: 0\r\n\r\n',
  'a body of length 0, with a type': `${json}content-length: 0\r\n\r\n`,
  'a body of length 0, with another type': 'content-type: text/plain\r\ncontent-length: 0\r\n\r\n',
  'no chunk': 'transfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'no chunk, with a type': `${json}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  'white space': `${json}content-length: 4\r\n\r\n \r\n\t`,
  'a chunk of white space': `${json}transfer-encoding: chunked\r\n\r\n1\r\n \r\n0\r\n\r\n`,
  'a byte order mark': `${json}content-length: 3\r\n\r\n\u00ef\u00bb\u00bf`,
};

/** Sends bytes, as Latin-1, to a composition that answers with its body. */
async function send(name: Name, rest: string) {
  const composition = defineComposition({
    route: 'POST /notes',
    body: schemas[name] as z.ZodType<{ note: string } | null | undefined>,
    compose: ({ body }) => ({ body, note: given(body, ({ note }) => note) }),
  });
  const { url } = await startWithMocks({ compositions: { composition } });
  const head = 'POST /notes HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n';
  const { status, body } = await raw(url, head + rest);
  const answer = JSON.parse(body) as { body?: unknown; errors?: unknown };
  return { status, body: Object.hasOwn(answer, 'body') ? answer.body : absent, answer };
}

const sized = (text: string): string => `${json}content-length: ${text.length}\r\n\r\n${text}`;

describe.each(Object.entries(requests))('%s', (_, rest) => {
  it.each(omissible)('is undefined for a body that is %s', async (name) => {
    expect(await send(name, rest)).toMatchObject({ status: 200, body: absent });
  });

  it.each(defaulted)('is what the schema says for one that is %s', async (name) => {
    expect(await send(name, rest)).toMatchObject({ status: 200, body: fallbackNote });
  });

  it.each(needed)('is a 400 that asks for a body for one that is %s', async (name) => {
    const { status, answer } = await send(name, rest);
    expect(status).toBe(400);
    expect(answer).toMatchObject({
      detail: 'The body is missing.',
      errors: [
        {
          in: 'body',
          pointer: '',
          detail: 'is missing: send JSON with Content-Type: application/json',
        },
      ],
    });
  });
});

describe('null', () => {
  it.each(['unknown', 'nullable', 'nullish'] as const)('is null for %s', async (name) => {
    expect(await send(name, sized('null'))).toMatchObject({ status: 200, body: null });
  });

  it.each(['plain', 'optional', 'default', 'prefault', 'union'] as const)(
    'is a 400 for %s: it is something else than no body',
    async (name) => {
      expect((await send(name, sized('null'))).status).toBe(400);
    },
  );
});

describe('a body that is there', () => {
  it.each(Object.keys(schemas).filter((name) => name !== 'coerced') as Name[])(
    'is read as ever if the schema is %s',
    async (name) => {
      const body = { note: 'a' };
      expect(await send(name, sized('{"note":"a"}'))).toMatchObject({ status: 200, body });
    },
  );

  it.each([
    ['without a type', 'content-length: 2\r\n\r\n{}'],
    ['of another type', 'content-type: text/plain\r\ncontent-length: 2\r\n\r\n{}'],
    ['in chunks and without a type', 'transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['of white space and without a type', 'content-length: 2\r\n\r\n  '],
    [
      'of another type, whose chunks are not read',
      'content-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('%s is a 415 even if it is optional', async (_, rest) => {
    expect((await send('optional', rest)).status).toBe(415);
  });
});

const shop = defineService({ name: 'upstream', url: { env: 'UPSTREAM_URL' } });

/** The body of a call as it leaves: its text, `absent`, or the failure. */
async function sentWith(name: Name, args: Record<string, unknown>) {
  const { url, requests: received } = await startServer();
  const { service, call: callShop } = openShop({ url });
  const write = operation(service, {
    name: 'write',
    route: 'POST /notes',
    body: schemas[name],
    response: z.null(),
  });
  await callShop(write, args, undefined);
  const [request] = received;
  const { 'content-type': type, 'content-length': length } = request?.headers ?? {};
  return { body: request?.body, type, length };
}

describe('a call of an operation', () => {
  it.each(['optional', 'nullish', 'union', 'unknown'] as const)(
    'sends neither a body nor a type for undefined if its body is %s',
    async (name) => {
      const nothing = { body: '', type: undefined, length: '0' };
      expect(await sentWith(name, { body: undefined })).toEqual(nothing);
      expect(await sentWith(name, {})).toEqual(nothing);
    },
  );

  it.each(defaulted)('sends what the schema says for undefined if it is %s', async (name) => {
    const body = JSON.stringify(fallbackNote);
    const sent = { body, type: 'application/json', length: String(body.length) };
    expect(await sentWith(name, {})).toEqual(sent);
  });

  it.each(['nullable', 'nullish', 'unknown'] as const)('sends null if it is %s', async (name) => {
    const sent = { body: 'null', type: 'application/json', length: '4' };
    expect(await sentWith(name, { body: null })).toEqual(sent);
  });

  it.each([
    ['plain', undefined],
    ['nullable', undefined],
    ['plain', null],
    ['optional', null],
    ['default', null],
    ['union', null],
  ] as const)('is not sent if its body is %s and %s is given', async (name, body) => {
    expect(await failureOf(sentWith(name, { body }))).toMatchObject({
      kind: 'invalid-argument',
      argument: 'body',
    });
  });

  it('needs no argument for a body that is optional, and passes a missing one on', async () => {
    const { url, requests: received } = await startServer();
    const write = operation(shop, {
      route: 'POST /notes',
      body: Note.optional(),
      response: z.null(),
    });
    const composition = defineComposition({
      route: 'POST /notes',
      body: Note.optional(),
      compose: ({ body }) => ({ none: call(write, {}), same: call(write, { body }) }),
    });
    const app = await startWithMocks({
      compositions: { composition },
      environment: { UPSTREAM_URL: url },
    });
    expect(await app.get('/notes', { method: 'POST' })).toMatchObject({ status: 200 });
    expect(received.map(({ body }) => body)).toEqual(['', '']);
  });
});
