import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { serveItems } from '../support/items.ts';
import { collect, open, readAnswers } from '../support/raw-http.ts';
import type { RawAnswer } from '../support/raw-http.ts';

/** The problem that the client gets, or the request that the service gets. */
type Expected = number | string;
type Row = readonly [what: string, sent: string, expected: Expected, then: 'kept' | 'closed'];

const host = 'host: gateway\r\n';
const get = (target: string, fields = host, version = 'HTTP/1.1') =>
  `GET ${target} ${version}\r\n${fields}\r\n`;
const post = (fields: string, body = '', version = 'HTTP/1.1') =>
  `POST /items ${version}\r\n${host}content-type: application/json\r\n${fields}\r\n${body}`;
const chunked = 'transfer-encoding: chunked\r\n';

const rows: readonly Row[] = [
  ['a plain request', get('/items/1'), 'GET /items/1', 'kept'],
  ['a request after empty lines', `\r\n\r\n${get('/items/1')}`, 'GET /items/1', 'kept'],
  ['HTTP/1.0 without Host', get('/items/1', '', 'HTTP/1.0'), 'GET /items/1', 'closed'],

  ['no Host', get('/items/1', ''), 400, 'closed'],
  ['two Hosts', get('/items/1', host + host), 400, 'closed'],
  ['two different Hosts', get('/items/1', `${host}host: other\r\n`), 400, 'closed'],
  ['an empty Host', get('/items/1', 'host:\r\n'), 400, 'closed'],
  ['a Host with a path', get('/items/1', 'host: a/b\r\n'), 400, 'closed'],
  ['a Host with a user', get('/items/1', 'host: a@b\r\n'), 400, 'closed'],
  ['a Host with a space', get('/items/1', 'host: a b\r\n'), 400, 'closed'],
  ['a list of Hosts', get('/items/1', 'host: a, b\r\n'), 400, 'closed'],
  ['a Host with too long a port', get('/items/1', 'host: a:123456\r\n'), 400, 'closed'],

  ['absolute form', get('http://gateway/items/1'), 'GET /items/1', 'kept'],
  ['absolute form, https', get('https://gateway/items/1'), 'GET /items/1', 'kept'],
  ['absolute form with a user', get('http://me@gateway/items/1'), 400, 'kept'],
  ['absolute form with a password', get('http://me:pw@gateway/items/1'), 400, 'kept'],
  ['absolute form without a host', get('http:///items/1'), 400, 'kept'],
  ['absolute form of another scheme', get('ftp://gateway/items/1'), 400, 'kept'],
  ['absolute form without a path', get('http://gateway'), 404, 'kept'],
  ['absolute form beside two Hosts', get('http://a/items/1', host + host), 400, 'closed'],
  ['authority form', get('gateway:80'), 400, 'closed'],
  ['asterisk form', get('*'), 400, 'kept'],
  ['asterisk form with OPTIONS', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 400, 'kept'],
  ['a relative target', get('items/1'), 400, 'closed'],
  ['a target with a fragment', get('/items/1#2'), 400, 'kept'],
  ['a target with bytes beyond ASCII', get('/items/\u00e9'), 400, 'closed'],
  ['a raw backslash', get('/items\\1'), 400, 'kept'],

  ['TRACE', `TRACE /items/1 HTTP/1.1\r\n${host}\r\n`, 405, 'kept'],
  ['CONNECT', `CONNECT gateway:80 HTTP/1.1\r\n${host}\r\n`, 405, 'closed'],
  ['a method nobody knows', `FETCH /items/1 HTTP/1.1\r\n${host}\r\n`, 400, 'closed'],
  ['a method in lower case', `get /items/1 HTTP/1.1\r\n${host}\r\n`, 400, 'closed'],
  ['a method without a route', `PROPFIND /items/1 HTTP/1.1\r\n${host}\r\n`, 405, 'kept'],

  ['HTTP/0.9', 'GET /items/1\r\n\r\n', 505, 'closed'],
  ['HTTP/1.2', get('/items/1', host, 'HTTP/1.2'), 505, 'closed'],
  ['HTTP/2.0 as text', get('/items/1', host, 'HTTP/2.0'), 505, 'closed'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'closed'],
  ['a version of another protocol', get('/items/1', host, 'HTCPCP/1.0'), 400, 'closed'],
  ['the start of a TLS connection', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400, 'closed'],

  ['a tab after the method', `GET\t/items/1 HTTP/1.1\r\n${host}\r\n`, 400, 'closed'],
  ['a space before the colon', get('/items/1', 'host : gateway\r\n'), 400, 'closed'],
  ['a space before a name', get('/items/1', `${host} x: 1\r\n`), 400, 'closed'],
  ['a folded field', get('/items/1', `${host}x: 1\r\n 2\r\n`), 400, 'closed'],
  ['a bare LF', `GET /items/1 HTTP/1.1\r\nhost: gateway\n\r\n`, 400, 'closed'],
  ['a bare CR', get('/items/1', 'host: gateway\rx: 1\r\n'), 400, 'closed'],
  ['a NUL in a field', get('/items/1', `${host}x: a\u0000b\r\n`), 400, 'closed'],
  ['a field without a colon', get('/items/1', `${host}x\r\n`), 400, 'closed'],
  ['a field without a name', get('/items/1', `${host}: 1\r\n`), 400, 'closed'],
  ['201 fields', get('/items/1', host + 'x: 1\r\n'.repeat(200)), 431, 'closed'],
  [
    'more fields than Node keeps',
    get('/items/1', `${host}${'x:\r\n'.repeat(1_500)}`),
    431,
    'closed',
  ],
  ['200 fields', get('/items/1', host + 'x: 1\r\n'.repeat(199)), 'GET /items/1', 'kept'],
  ['fields of 17 KiB', get('/items/1', `${host}x: ${'1'.repeat(17_000)}\r\n`), 431, 'closed'],
  ['a target of 17 KiB', get(`/items/${'1'.repeat(17_000)}`), 431, 'closed'],

  ['an empty segment', get('//items/1'), 400, 'kept'],
  ['an empty segment within', get('/items//1'), 400, 'kept'],
  ['%5c', get('/items/a%5cb'), 400, 'kept'],
  ['%5C', get('/items/a%5Cb'), 400, 'kept'],
  ['%00', get('/items/a%00b'), 400, 'kept'],
  ['%zz', get('/items/a%zzb'), 400, 'kept'],
  ['a cut percent sign', get('/items/a%2'), 400, 'kept'],
  ['bytes that are not UTF-8', get('/items/%ff'), 400, 'kept'],
  ['%2f', get('/items/a%2fb'), 'GET /items/a%2Fb', 'kept'],
  ['a semicolon', get('/items/a;v=1'), 'GET /items/a%3Bv%3D1', 'kept'],
  ['dot segments', get('/x/../items/1'), 'GET /items/1', 'kept'],

  ['GET with a length', `${get('/items/1', `${host}content-length: 3\r\n`)}abc`, 400, 'closed'],
  [
    'GET with a length of 0',
    get('/items/1', `${host}content-length: 0\r\n`),
    'GET /items/1',
    'kept',
  ],
  ['GET in chunks', `${get('/items/1', host + chunked)}0\r\n\r\n`, 400, 'closed'],
  ['two lengths', post('content-length: 2\r\ncontent-length: 3\r\n', '{}1'), 400, 'closed'],
  ['a list of lengths', post('content-length: 2, 2\r\n', '{}'), 400, 'closed'],
  ['a length with a sign', post('content-length: +2\r\n', '{}'), 400, 'closed'],
  ['a negative length', post('content-length: -2\r\n', '{}'), 400, 'closed'],
  ['a length beyond numbers', post(`content-length: ${'9'.repeat(20)}\r\n`, '{}'), 400, 'closed'],
  ['length and chunks', post(`content-length: 2\r\n${chunked}`, '0\r\n\r\n'), 400, 'closed'],
  ['chunks in HTTP/1.0', post(chunked, '2\r\n{}\r\n0\r\n\r\n', 'HTTP/1.0'), 400, 'closed'],
  ['another coding', post('transfer-encoding: gzip\r\n', '{}'), 400, 'closed'],
  ['chunked before another coding', post('transfer-encoding: chunked, gzip\r\n'), 400, 'closed'],
  [
    'another coding before chunked',
    post('transfer-encoding: gzip, chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'),
    400,
    'closed',
  ],
  ['chunked twice', post(chunked + chunked, '2\r\n{}\r\n0\r\n\r\n'), 400, 'closed'],
  [
    'chunked in capitals',
    post('Transfer-Encoding: CHUNKED\r\n', '2\r\n{}\r\n0\r\n\r\n'),
    'POST /items',
    'kept',
  ],
  ['no coding by name', post('transfer-encoding: identity\r\n', '{}'), 400, 'closed'],
  ['a chunk size that is no number', post(chunked, 'zz\r\n{}\r\n0\r\n\r\n'), 400, 'closed'],
  ['a chunk longer than its size', post(chunked, '1\r\n{}\r\n0\r\n\r\n'), 400, 'closed'],
  ['a chunk ended by LF', post(chunked, '2\n{}\n0\n\n'), 400, 'closed'],
  ['chunks', post(chunked, '2\r\n{}\r\n0\r\n\r\n'), 'POST /items', 'kept'],
  ['a body too large', post('content-length: 2000000\r\n', '{}'), 413, 'closed'],
  ['JSON too deep', post('content-length: 130\r\n', '['.repeat(65) + ']'.repeat(65)), 400, 'kept'],

  [
    'Expect: 100-continue',
    post('expect: 100-continue\r\ncontent-length: 2\r\n', '{}'),
    'POST /items',
    'kept',
  ],
  ['another expectation', post('expect: 200-ok\r\ncontent-length: 2\r\n', '{}'), 417, 'closed'],
  [
    'an offer of h2c',
    get(
      '/items/1',
      `${host}connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n`,
    ),
    'GET /items/1',
    'kept',
  ],
  [
    'an offer of WebSocket',
    get('/items/1', `${host}connection: upgrade\r\nupgrade: websocket\r\n`),
    'GET /items/1',
    'kept',
  ],
];

describe('a request sent as bytes', () => {
  it.each(rows)('%s', async (_what, sent, expected, then) => {
    const { url, asked } = await serveItems();
    const { answers, isClosed } = await talk(url, sent);
    const [answer] = answers;
    expect({ status: answer?.status, asked: asked() }).toEqual(
      typeof expected === 'number'
        ? { status: expected, asked: [] }
        : { status: 200, asked: [expected] },
    );
    expect(isProblem(answer)).toBe(typeof expected === 'number');
    // A request for `/livez` follows at once: it is answered, or the connection is closed.
    expect({ isClosed, more: answers.slice(1).map(({ status }) => status) }).toEqual(
      then === 'kept' ? { isClosed: false, more: [200] } : { isClosed: true, more: [] },
    );
  });
});

/** Whether an answer is a problem that names its request, with the headers that it has to have. */
function isProblem({ headers, status, body }: RawAnswer = noAnswer): boolean {
  if (headers['content-type'] !== 'application/problem+json') return false;
  if (headers['date'] === undefined || (status === 405 && headers['allow'] === undefined))
    return false;
  const problem: unknown = JSON.parse(body);
  return isDeepStrictEqual(
    { ...Object(problem), status, requestId: headers['x-request-id'] },
    problem,
  );
}

const noAnswer: RawAnswer = { status: 0, headers: {}, body: '' };

/** Sends `sent`, and `GET /livez` after it, and reads what comes back. */
async function talk(url: string, sent: string) {
  const socket = await open(url);
  const received = collect(socket);
  const readUntil = (count: number): Promise<true> =>
    vi.waitUntil(() => socket.closed || readAnswers(received()).length >= count, { interval: 2 });
  socket.write(sent, 'latin1');
  await readUntil(1);
  // An end that follows the answer at once.
  await new Promise((resolve) => void setTimeout(resolve, 5));
  if (!socket.closed) socket.write(get('/livez'));
  await readUntil(2);
  const { closed } = socket;
  socket.destroy();
  return { answers: readAnswers(received()), isClosed: closed };
}
