/** Which `traceparent` and `tracestate` are read (W3C Trace Context), and whose traces continue. */
import { call, defineComposition } from 'plait';
import { describe, expect, it, vi } from 'vitest';
import { paymentOf } from '../../compositions/upstreams/payments.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { originOf, readTraceparent } from '../../src/telemetry/trace-context.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { raw } from '../support/raw-http.ts';
import { clientTrace, startTraced } from './_traced.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const ids = `${traceId}-${spanId}`;
const zeros = '0'.repeat(32);

describe('a traceparent', () => {
  it.each([
    ['that is not sampled', `00-${ids}-00`, false],
    ['that is sampled', `00-${ids}-01`, true],
    ['with flags of a later level', `00-${ids}-03`, true],
    ['with only such flags', `00-${ids}-fe`, false],
    ['of a later version', `cc-${ids}-01`, true],
    ['of a later version with more members', `01-${ids}-01-what-the-future-brings`, true],
    ['of a later version with an empty member', `01-${ids}-01-`, true],
  ])('%s is read', (_, text, isSampled) => {
    expect(readTraceparent(text)).toEqual({ traceId, spanId, isSampled });
  });

  it.each([
    ['is absent', undefined],
    ['is empty', ''],
    ['is no text of this kind', 'secret'],
    ['has the version ff', `ff-${ids}-01`],
    ['has a version of one digit', `0-${ids}-01`],
    ['has a version in upper case', `CC-${ids}-01`],
    ['has a trace id of zeros', `00-${zeros}-${spanId}-01`],
    ['has a span id of zeros', `00-${traceId}-${zeros.slice(16)}-01`],
    ['has upper case', `00-${ids.toUpperCase()}-01`],
    ['has a trace id that is short', `00-${traceId.slice(1)}-${spanId}-01`],
    ['has a trace id that is long', `00-${traceId}0-${spanId}-01`],
    ['has a span id that is short', `00-${traceId}-${spanId.slice(1)}-01`],
    ['has flags of one digit', `00-${ids}-1`],
    ['has flags that are no number', `00-${ids}-.1`],
    ['has no flags', `00-${ids}`],
    ['goes on in version 00', `00-${ids}-01-more`],
    ['ends in a hyphen in version 00', `00-${ids}-01-`],
    ['goes on without a hyphen', `01-${ids}-01more`],
    ['is two', `00-${ids}-01, 00-${ids}-01`],
    ['is two of a later version', `01-${ids}-01-x, 01-${ids}-01`],
    ['is too long', `01-${ids}-01-${'x'.repeat(500)}`],
    ['has a line break', `00-${ids}-01\n`],
  ])('that %s is none', (_, text) => {
    expect(readTraceparent(text)).toBeUndefined();
  });
});

/** The `tracestate` that services get, of that of a trusted client. */
function forwarded(tracestate: string): string | undefined {
  const sent: Readonly<Record<string, string>> = { traceparent: `00-${ids}-01`, tracestate };
  const record = { peer: '10.0.0.1', clientTraceId: undefined };
  const request = { header: (name: string) => sent[name] };
  return originOf(request, record, { isTrusted: () => true }).parent?.tracestate;
}

/** Members of a length, each with a key of its own. */
function members(count: number, length: number): string[] {
  return Array.from({ length: count }, (_, index) => `k${index}=`.padEnd(length, 'v'));
}

describe('a tracestate', () => {
  it.each([
    ['as it is', 'vendor=1,rojo=00f067aa0ba902b7', 'vendor=1,rojo=00f067aa0ba902b7'],
    ['of a tenant', '0tenant@vendor=1', '0tenant@vendor=1'],
    [
      'with every character that a value may have',
      'a= !"#$%&\'()*+-./:;<>?@[\\]^_`{|}~',
      undefined,
    ],
    ['without white space around members', ' a=1 \t,\tb=2', 'a=1,b=2'],
    ['without empty members', ',a=1,,b=2,', 'a=1,b=2'],
    ['with the first of two members of one key', 'a=1,b=2,a=3', 'a=1,b=2'],
    ['with 32 members', members(32, 8).join(','), undefined],
    ['of 511 characters', members(4, 127).join(','), undefined],
  ])('is forwarded %s', (_, text, expected = text) => {
    expect(forwarded(text)).toBe(expected);
  });

  it.each([
    ['empty', ''],
    ['of commas only', ',,'],
    ['with a member that has no value', 'a=1,b'],
    ['with an empty value', 'a='],
    ['with a key in upper case', 'A=1'],
    ['with a key that begins with a digit', '1a=1'],
    ['with an empty key', '=1'],
    ['with an empty vendor', 'a@=1'],
    ['with white space in a key', 'a =1'],
    ['with a sign of equality in a value', 'a=1=2'],
    ['with a value that is not ASCII', 'a=ü'],
    ['with a control character', 'a=\u0007'],
    ['with a value that is too long', `a=${'v'.repeat(257)}`],
    ['with a key that is too long', `${'k'.repeat(257)}=1`],
    ['of 33 members', members(33, 8).join(',')],
  ])('that is %s is dropped whole', (_, text) => {
    expect(forwarded(text)).toBeUndefined();
  });

  it('is read in time that grows with its length, whatever a client writes', () => {
    const text = `a=1,b=1${' '.repeat(15_000)}2`;
    const often = () => Array.from({ length: 20 }, () => forwarded(text));
    // By a pattern for blanks at the end, which tries each of them, one takes about 80 ms.
    expect(cpuMsOf(often)).toBeLessThan(400);
  });

  it('that is too long loses long members first, and then the last ones', () => {
    const [short = '', ...others] = members(6, 100);
    const long = `long=${'v'.repeat(150)}`;
    expect(forwarded([long, short, ...others.slice(0, 3)].join(','))).toBe(
      [short, ...others.slice(0, 3)].join(','),
    );
    expect(forwarded([short, ...others].join(','))).toBe([short, ...others.slice(0, 4)].join(','));
  });
});

const payment = defineComposition({
  route: 'GET /payments/:orderId',
  compose: ({ params }) => ({ payment: call(paymentOf, { orderId: params.orderId }) }),
});

const said: string[] = [];
/** In production nobody is trusted unless it is said. */
const { telemetry, sink } = await startTraced({
  environment: { NODE_ENV: 'production', OTEL_TRACES_SAMPLER: 'always_on' },
  onWarning: (message) => said.push(message),
});

async function startUntrusting() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line));
  const log = createLog({ level: 'info', format: 'json', write });
  const app = await startWithMocks({
    compositions: { payment },
    telemetry,
    accessLog: { log, withCauses: false, headers: [] },
  });
  return { ...app, lines };
}

/** The span of the request for a path that nobody else has asked for. */
function rootOf(path: string) {
  return vi.waitFor(() => {
    const [root, ...more] = sink.spans.filter((one) => one.attributes['url.path'] === path);
    expect(root).toBeDefined();
    expect(more).toEqual([]);
    return root;
  });
}

describe('a request of a client that is not trusted', () => {
  it('is a trace of its own, with a link to the trace of the client', async () => {
    const { get, mocks } = await startUntrusting();
    const client = clientTrace();
    await get('/payments/a1', { headers: { ...client.headers, tracestate: 'vendor=1' } });
    const root = await rootOf('/payments/a1');
    expect(root).toMatchObject({
      parentSpanId: '',
      links: [{ traceId: client.traceId, spanId: client.spanId }],
      attributes: { 'plait.client_trace_id': client.traceId },
    });
    expect(root?.traceId).not.toBe(client.traceId);
    const [asked] = mocks.payments.requests();
    expect(asked?.headers['traceparent']).toContain(root?.traceId);
    expect(asked?.headers).not.toHaveProperty('tracestate');
  });

  it('has both traces in its log line and its problem', async () => {
    const { get, lines } = await startUntrusting();
    const client = clientTrace();
    const { json } = await get('/payments/a2?unknown=1', { headers: client.headers });
    const root = await rootOf('/payments/a2');
    expect(json).toMatchObject({ traceId: root?.traceId, clientTraceId: client.traceId });
    expect(lines).toMatchObject([
      { trace_id: root?.traceId, client_trace_id: client.traceId, status: 400 },
    ]);
  });

  it('cannot put a span into the trace of another client', async () => {
    const { get } = await startUntrusting();
    const stolen = clientTrace();
    const answers = await Promise.all(
      ['b1', 'b2', 'b3'].map((id) => get(`/payments/${id}?x=1`, { headers: stolen.headers })),
    );
    const traces = new Set(answers.map(({ json }) => String(json.traceId)));
    expect(traces.size).toBe(3);
    await expect.poll(() => sink.spans.filter((span) => traces.has(span.traceId)).length).toBe(3);
    expect(sink.spans.filter((span) => span.traceId === stolen.traceId)).toEqual([]);
  });

  it('has no link if what it sends is no traceparent, or two', async () => {
    const { url, lines } = await startUntrusting();
    const line = `traceparent: 00-${ids}-01\r\n`;
    const head = 'host: gateway\r\nconnection: close\r\n';
    await raw(url, `GET /payments/c1 HTTP/1.1\r\n${head}${line}${line}\r\n`);
    await raw(url, `GET /payments/c2 HTTP/1.1\r\n${head}traceparent: secret\r\n\r\n`);
    for (const path of ['/payments/c1', '/payments/c2'])
      expect(await rootOf(path)).toMatchObject({ links: [], parentSpanId: '' });
    for (const fields of lines) expect(fields).not.toHaveProperty('client_trace_id');
  });

  it('is logged the first time, with the setting by which its trace would continue', async () => {
    const { get } = await startUntrusting();
    await get('/payments/d1', { headers: clientTrace().headers });
    await get('/payments/d2', { headers: clientTrace().headers });
    expect(said).toEqual([
      'A request from 127.0.0.1 has a traceparent. Its trace is linked to and not continued, since ' +
        'that address is not in TRUSTED_PEERS. Name there the proxies and services whose traces go ' +
        'on here; those of other clients should stay as they are.',
    ]);
  });
});

it('a client without a trace has no link, and nothing of one in its log line', async () => {
  const { get, lines } = await startUntrusting();
  const { json } = await get('/payments/e1?unknown=1');
  expect(await rootOf('/payments/e1')).toMatchObject({ links: [], parentSpanId: '' });
  expect(json).not.toHaveProperty('clientTraceId');
  expect(lines[0]).not.toHaveProperty('client_trace_id');
});
