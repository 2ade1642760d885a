/** Random requests as bytes, the same for the same seed: ordinary ones and what no client would send. */

export interface RandomRequest {
  /** Everything that is written to the socket. */
  readonly bytes: Buffer;
  /** The request line and the headers, for reports. */
  readonly head: string;
}

/** The path of a resource that a gateway may have, and what may stand in it. */
const paths = [
  '/orders/{id}/summary',
  '/orders/{id}/tracking',
  '/customers/{id}/orders',
  '/customers/{id}/dashboard',
  '/echo',
  '/cached/{id}',
  '/livez',
  '/readyz',
  '/nothing/{id}',
  '/',
];

const ids = [
  'ord_1001',
  'ord_1002',
  'ord_1003',
  'cus_1',
  'cus_2',
  'none',
  '..',
  '.',
  '%2e%2e',
  '%2E.',
  '',
  'a/b',
  'a%2Fb',
  'a%2f..%2fb',
  'a%5Cb',
  'a\\b',
  '%252e',
  'a%3Fb',
  'a;b=c',
  '%00',
  'a%0ab',
  '%zz',
  '%',
  '%e0%a4',
  '%C3%A9',
  'caf\u00e9',
  'a"b',
  'a<b>',
  'a|b^c`d',
  'a b%20c',
  '{x}',
  '[x]',
  ':x',
  '*',
  '__proto__',
  'constructor',
  'x'.repeat(1_100),
];

const queries = [
  '',
  '',
  '',
  '?limit=2',
  '?limit=0',
  '?limit=x',
  '?limit=1&limit=2',
  '?status=paid',
  '?unknown=1',
  '?',
  '?a=%zz',
  '?limit=%32',
  '?tag=a&tag=b',
  '?limit=2#top',
  '#top',
  '?x=\\..\\y',
  '?q=a b',
  '?q="<>`{}|^',
  `?q=${'y'.repeat(200)}`,
];

const methods = [
  ...Array.from({ length: 12 }, () => 'GET'),
  'HEAD',
  'HEAD',
  'POST',
  'POST',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'SEARCH',
  'get',
  'BREW',
];

const hosts = [
  ...Array.from({ length: 12 }, () => ['host: gateway']),
  ['Host: 127.0.0.1:8080'],
  ['host: Gateway.Example'],
  ['host: [::1]:80'],
  ['host: gateway:99999'],
  ['host: 999.999.999.999'],
  ['host: a b'],
  ['host: user@gateway'],
  ['host: gateway/x'],
  ['host:'],
  [],
  ['host: gateway', 'host: gateway'],
  ['host: gateway', 'Host: other'],
];

const bodies = [
  '{}',
  '{"name":"x"}',
  '[1,2,3]',
  '"text"',
  'null',
  '{"a":',
  '',
  '{"__proto__":{"a":1}}',
  '['.repeat(70),
  `"${'z'.repeat(5_000)}"`,
  `"${'z'.repeat(1_100_000)}"`,
  '\u00ef\u00bb\u00bf{}',
  '"caf\u00c3\u00a9"',
];

const contentTypes = [
  'application/json',
  'application/json',
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset=latin1',
  'text/plain',
  'application/problem+json',
  '',
];

const extras = [
  'accept-encoding: gzip, br',
  'accept-language: de, en;q=0.5',
  'accept: text/html',
  'authorization: Bearer abc',
  'cookie: a=1; b=2',
  'if-none-match: *',
  'if-none-match: "abc", W/"def"',
  'if-none-match: nonsense',
  'if-modified-since: Wed, 25 Nov 2026 00:00:00 GMT',
  'range: bytes=0-10',
  'x-request-timeout-ms: 60000',
  'x-request-timeout-ms: 0',
  'x-request-timeout-ms: soon',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'traceparent: nonsense',
  'x-forwarded-host: evil.example',
  'x-flag: on',
  'x-flag: on\r\nx-flag: off',
  'upgrade: websocket',
  'expect: 100-continue',
  'content-encoding: gzip',
  'transfer-encoding: identity',
  'bad header: x',
  `x-large: ${'v'.repeat(17_000)}`,
  'x-caf\u00e9: 1',
  'x-value: caf\u00e9',
  'origin: https://shop.example',
];

/** Numbers from 0 to 1 that only depend on the seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomRequest(random: () => number, index: number): RandomRequest {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T; // in range
  const method = pick(methods);
  const fields = [
    ...pick(hosts),
    // Most name themselves: ids that a gateway makes differ.
    ...(random() < 0.9 ? [`x-request-id: request-${index}`] : ['x-request-id: not a fit one']),
    ...(random() < 0.5 ? [pick(extras)] : []),
    ...(random() < 0.15 ? [pick(extras)] : []),
    'connection: close',
  ];
  const hasBody = /^P(?:OST|UT|ATCH)$/.test(method) || random() < 0.03;
  const body = hasBody ? framed(pick(bodies), random() < 0.3) : { fields: [], text: '' };
  const type = hasBody ? [`content-type: ${pick(contentTypes)}`] : [];
  const version = random() < 0.04 ? 'HTTP/1.0' : 'HTTP/1.1';
  const line = `${method} ${targetOf(pick, random)} ${version}`;
  const head = [line, ...fields, ...type, ...body.fields].join('\r\n');
  return { head, bytes: Buffer.from(`${head}\r\n\r\n${body.text}`, 'latin1') };
}

function targetOf(pick: <T>(from: readonly T[]) => T, random: () => number): string {
  const path = pick(paths).replace('{id}', random() < 0.5 ? 'ord_1001' : pick(ids));
  const target = path + pick(queries);
  const kind = random();
  if (kind < 0.9) return target;
  return pick([
    `http://gateway${target}`,
    `HTTP://evil.example:81${target}`,
    `https://gateway${target}`,
    `ftp://gateway${target}`,
    `//evil${target}`,
    `/x/..${target}`,
    `/./${target.slice(1)}`,
    `/%6f${target.slice(2)}`,
    '*',
    target.slice(1) || 'x',
    'http://',
  ]);
}

function framed(text: string, chunked: boolean): { fields: readonly string[]; text: string } {
  if (!chunked) return { fields: [`content-length: ${text.length}`], text };
  const half = Math.ceil(text.length / 2);
  const chunks = [text.slice(0, half), text.slice(half)].filter((chunk) => chunk !== '');
  const written = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  return { fields: ['transfer-encoding: chunked'], text: `${written.join('')}0\r\n\r\n` };
}
