import { describe, expect, it } from 'vitest';
import { serveItems } from '../support/items.ts';
import {
  codeOf,
  data,
  encode,
  frame,
  get,
  headers,
  openHttp2,
  request,
} from '../support/raw-http2.ts';
import type { Field, RawHttp2 } from '../support/raw-http2.ts';
import { createCertificate } from '../support/tls.ts';

/**
 * The problem that the client gets, the request that the service gets, or the error of the stream.
 * GOAWAY ends the whole connection.
 */
type Expected =
  | number
  | `${string} /items${string}`
  | 'PROTOCOL_ERROR'
  | 'ENHANCE_YOUR_CALM'
  | 'GOAWAY';
type Row = readonly [what: string, sent: readonly Buffer[], expected: Expected];

const ask = (fields: readonly Field[]): Buffer[] => [headers(1, fields)];
const withField = (name: string, value: string): Buffer[] => ask(get('/items/1', [name, value]));
const withPath = (path: string): Buffer[] => ask(get(path));
const withAuthority = (authority: string): Buffer[] =>
  ask([...pseudo('https', '/items/1'), [':authority', authority]]);
const withScheme = (scheme: string): Buffer[] =>
  ask([...pseudo(scheme, '/items/1'), [':authority', 'gateway']]);
const post = (body: string, ...fields: Field[]): Buffer[] => [
  headers(1, request('POST', '/items', ['content-type', 'application/json'], ...fields), true),
  data(1, body),
];

function pseudo(scheme: string, path: string): Field[] {
  return [
    [':method', 'GET'],
    [':scheme', scheme],
    [':path', path],
  ];
}

function fieldsOf(count: number): Field[] {
  return Array.from({ length: count }, (_, index) => [`x-${index}`, '1']);
}

/** Fields of so many KiB, in as many frames as they need. */
function largeFields(kibibytes: number): Buffer[] {
  const fields = Array.from({ length: kibibytes }, (_, index): Field => [
    `x-${index}`,
    '1'.repeat(1_018),
  ]);
  const bytes = encode(get('/items/1', ...fields));
  const most = 16_000;
  const rest = bytes.subarray(most);
  const parts = Array.from({ length: Math.ceil(rest.length / most) }, (_, index) =>
    rest.subarray(index * most, (index + 1) * most),
  );
  return [
    frame('HEADERS', 1, bytes.subarray(0, most), 1),
    ...parts.map((part, index) =>
      frame('CONTINUATION', 1, part, index === parts.length - 1 ? 4 : 0),
    ),
  ];
}

const item = 'GET /items/1';
const rows: readonly Row[] = [
  ['a plain request', withPath('/items/1'), item],
  ['a body', post('{}'), 'POST /items'],
  ['a body with its length', post('{}', ['content-length', '2']), 'POST /items'],

  ['Host and no :authority', ask([...pseudo('https', '/items/1'), ['host', 'gateway']]), item],
  ['neither', ask(pseudo('https', '/items/1')), 'PROTOCOL_ERROR'],
  ['a Host like :authority', withField('host', 'gateway'), item],
  ['a Host like :authority in upper case', withField('host', 'GATEWAY'), item],
  ['a Host that contradicts :authority', withField('host', 'other'), 400],
  ['two Hosts', ask(get('/items/1', ['host', 'gateway'], ['host', 'gateway'])), 'PROTOCOL_ERROR'],
  ['two :authority', ask(get('/items/1', [':authority', 'gateway'])), 'PROTOCOL_ERROR'],
  ['an empty :authority', withAuthority(''), 'PROTOCOL_ERROR'],
  ['a :authority with a user', withAuthority('me@gateway'), 'PROTOCOL_ERROR'],
  ['a :authority with a path', withAuthority('gateway/x'), 'PROTOCOL_ERROR'],
  ['a :authority with a space', withAuthority('a b'), 'PROTOCOL_ERROR'],
  ['a list as :authority', withAuthority('a,b'), 400],
  ['too long a port', withAuthority('gateway:123456'), 400],
  ['an IPv6 address', withAuthority('[::1]:443'), item],
  ['pseudo-headers after others', ask([['x', '1'], ...get('/items/1')]), 'PROTOCOL_ERROR'],
  ['an unknown pseudo-header', ask([[':x', '1'], ...get('/items/1')]), 'PROTOCOL_ERROR'],
  ['the scheme http', withScheme('http'), item],
  ['another scheme', withScheme('ftp'), 400],

  ['an absolute :path', withPath('http://other/items/1'), 'PROTOCOL_ERROR'],
  ['a relative :path', withPath('items/1'), 'PROTOCOL_ERROR'],
  ['an empty :path', withPath(''), 'PROTOCOL_ERROR'],
  ['asterisk form', withPath('*'), 'PROTOCOL_ERROR'],
  ['asterisk form with OPTIONS', ask(request('OPTIONS', '*')), 400],
  ['a fragment', withPath('/items/1#2'), 400],
  ['a raw backslash', withPath('/items\\1'), 400],
  ['a space in the path', withPath('/items/1 2'), 'PROTOCOL_ERROR'],
  ['bytes beyond ASCII', withPath('/items/\u00e9'), 400],
  ['an empty segment', withPath('//items/1'), 400],
  ['an empty segment within', withPath('/items//1'), 400],
  ['%5c', withPath('/items/a%5cb'), 400],
  ['%00', withPath('/items/a%00b'), 400],
  ['%zz', withPath('/items/a%zzb'), 400],
  ['a cut percent sign', withPath('/items/a%2'), 400],
  ['bytes that are not UTF-8', withPath('/items/%ff'), 400],
  ['%2f', withPath('/items/a%2fb'), 'GET /items/a%2Fb'],
  ['a semicolon', withPath('/items/a;v=1'), 'GET /items/a%3Bv%3D1'],
  ['dot segments', withPath('/x/../items/1'), item],

  ['TRACE', ask(request('TRACE', '/items/1')), 405],
  [
    'CONNECT',
    [
      headers(1, [
        [':method', 'CONNECT'],
        [':authority', 'gateway:80'],
      ]),
    ],
    405,
  ],
  ['a method nobody knows', ask(request('FETCH', '/items/1')), 405],
  ['a method in lower case', ask(request('get', '/items/1')), 400],
  ['a method with a space', ask(request('GET /x', '/items/1')), 'PROTOCOL_ERROR'],

  ['Connection', withField('connection', 'close'), 'PROTOCOL_ERROR'],
  ['Keep-Alive', withField('keep-alive', 'timeout=5'), 'PROTOCOL_ERROR'],
  ['Proxy-Connection', withField('proxy-connection', 'close'), 'PROTOCOL_ERROR'],
  ['Transfer-Encoding', withField('transfer-encoding', 'chunked'), 'PROTOCOL_ERROR'],
  ['Upgrade', withField('upgrade', 'h2c'), 'PROTOCOL_ERROR'],
  ['TE', withField('te', 'gzip'), 'PROTOCOL_ERROR'],
  ['TE: trailers', withField('te', 'trailers'), item],
  ['a name in upper case', withField('X-A', '1'), 'PROTOCOL_ERROR'],
  ['200 fields', ask(get('/items/1', ...fieldsOf(196))), item],
  ['201 fields', ask(get('/items/1', ...fieldsOf(197))), 431],
  ['fields of 17 KiB', largeFields(17), 431],
  [
    'everything wrong at once',
    ask([
      ...pseudo('ftp', '//a#b'),
      [':authority', 'a,b'],
      ['host', 'c'],
      ['x', '1'.repeat(16_200)],
    ]),
    400,
  ],
  ['fields of 33 KiB', largeFields(33), 'ENHANCE_YOUR_CALM'],

  ['GET with a body', [headers(1, get('/items/1'), true), data(1, 'abc')], 400],
  ['GET with an empty body', [headers(1, get('/items/1'), true), data(1, '')], 400],
  ['GET with a length', withField('content-length', '3'), 'PROTOCOL_ERROR'],
  ['GET with a length of 0', withField('content-length', '0'), item],
  ['a body shorter than its length', post('{}', ['content-length', '3']), 'PROTOCOL_ERROR'],
  ['a body longer than its length', post('{}', ['content-length', '1']), 'GOAWAY'],
  ['two lengths', post('{}', ['content-length', '2'], ['content-length', '2']), 'PROTOCOL_ERROR'],
  ['a length with a sign', post('{}', ['content-length', '+2']), 'PROTOCOL_ERROR'],
  ['JSON too deep', post('['.repeat(65) + ']'.repeat(65)), 400],
  ['Expect: 100-continue', post('{}', ['expect', '100-continue']), 'POST /items'],
  ['another expectation', post('{}', ['expect', '200-ok']), 417],
];

describe('a request sent as frames of HTTP/2', () => {
  it.each(rows)('%s', async (_what, sent, expected) => {
    const { certificate } = createCertificate();
    const { url, asked } = await serveItems({ certificate });
    const client = await openHttp2(url);
    client.write(...sent);
    const isServed = typeof expected === 'string' && expected.includes(' ');
    expect(await outcomeOf(client, 1)).toBe(isServed ? 200 : expected);
    expect(asked()).toEqual(isServed ? [expected] : []);
    if (expected === 'GOAWAY') return;
    // The connection is as good as before.
    client.write(headers(101, get('/livez')));
    expect(await client.body(101)).toContain('"ok"');
  });

  it.each([
    ['a NUL', 'x', 'a\0b'],
    ['a line end', 'x', 'a\r\nb: c'],
    ['a space before its value', 'x', ' 1'],
    ['no name', '', '1'],
    ['a space in its name', 'x y', '1'],
    ['a colon in its name', 'x:y', '1'],
  ])('never has a field with %s: it is left out', async (_what, name, value) => {
    const { certificate } = createCertificate();
    const seen: string[][] = [];
    const { url } = await serveItems({
      certificate,
      middleware: [
        (c, next) => {
          seen.push([...c.req.raw.headers.keys()]);
          return next();
        },
      ],
    });
    const client = await openHttp2(url);
    client.write(headers(1, get('/items/1', [name, value], ['z', '1'])));
    expect(await outcomeOf(client, 1)).toBe(200);
    expect(seen).toEqual([['host', 'z']]);
  });
});

/** The status of a problem that names its request, 200 for another answer, or why there is none. */
async function outcomeOf(client: RawHttp2, stream: number): Promise<number | string> {
  const body = await Promise.race([
    client.body(stream),
    client.next('RST_STREAM', stream).then(codeOf),
    client.next('GOAWAY').then(({ type }) => type),
  ]);
  if (!body.startsWith('{')) return body;
  const problem = JSON.parse(body) as { status?: number; requestId?: string };
  if (problem.status === undefined) return 200;
  return problem.requestId === undefined
    ? `a problem without its request: ${body}`
    : problem.status;
}
