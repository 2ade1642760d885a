/** Headers of the client that never go to a service, and those that go to writes only. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { lookup } from '../../src/dsl/declare-lookup.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import { call } from '../../src/dsl/steps.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startUpstream } from '../support/upstream.ts';

const things = defineService({ name: 'things', url: { env: 'UPSTREAM_URL' } });
const item = z.object({ id: z.string() });
const keys = { query: 'ids' };

/** Each place in which headers can be listed, with the beginning of its messages. */
const places = {
  'service "x"': (forward: string[]) => defineService({ name: 'x', url: 'http://x', forward }),
  'things.getX': (forward: string[]) =>
    operation(things, { route: 'GET /x', response: item, forward }),
  'things.search': (forward: string[]) =>
    operation(things, {
      name: 'search',
      route: 'POST /x',
      safe: true,
      body: item,
      response: item,
      forward,
    }),
  'things.byId': (forward: string[]) =>
    lookup(things, { name: 'byId', route: 'GET /x', keys, by: 'id', item, forward }),
  'things.postX': (forward: string[]) =>
    operation(things, { route: 'POST /x', body: item, response: item, forward }),
};

/** The message with which each place refuses a header, or what it forwards. */
function outcomesOf(header: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(places).map(([place, declare]) => {
      try {
        return [place, declare([header]).forward];
      } catch (error) {
        return [place, String(error).replace(/^CompositionError: /, '')];
      }
    }),
  );
}

const ofConnection = 'it belongs to one connection (RFC 9110, 7.6.1), and not to the request';
const ofBody = 'it describes the body of the client, which is not the one that is sent';
const ofGateway = 'the gateway sends one of its own';
const ofPart =
  'the service would answer with a part or with nothing, which is no answer to the other clients ' +
  'of a shared call. The gateway answers If-None-Match itself';
const ofForm = 'the gateway reads JSON in UTF-8 and says so itself, and the answer may be shared';
const ofMethod = 'it may turn a read into a write. Declare an operation with that method';

describe('a header is refused at start-up wherever it is listed in forward', () => {
  it.each([
    ...['Connection', 'keep-alive', 'Proxy-Connection', 'proxy-authorization', 'TE'].map((name) => [
      name,
      ofConnection,
    ]),
    ...['trailer', 'Transfer-Encoding', 'upgrade', 'HTTP2-Settings', 'Expect'].map((name) => [
      name,
      ofConnection,
    ]),
    ...['Content-Length', 'content-type', 'Content-Encoding', 'content-range', 'content-md5'].map(
      (name) => [name, ofBody],
    ),
    ...['Host', 'traceparent', 'tracestate', 'X-Request-Timeout-Ms'].map((name) => [
      name,
      ofGateway,
    ]),
    ...['If-None-Match', 'if-modified-since', 'If-Range', 'range', 'A-IM'].map((name) => [
      name,
      ofPart,
    ]),
    ...['Accept', 'accept-encoding', 'Accept-Charset'].map((name) => [name, ofForm]),
    ...['X-HTTP-Method-Override', 'x-http-method'].map((name) => [name, ofMethod]),
  ])('%s', (header, reason) => {
    const problem = `header "${header?.toLowerCase()}" cannot be forwarded: ${reason}.`;
    const refused = Object.keys(places).map((place) => [place, `${place}: ${problem}`]);
    expect(outcomesOf(header ?? '')).toEqual(Object.fromEntries(refused));
  });

  it.each(['two words', 'line\nbreak', '', 'ä', 'a:b'])('%j, which is no name', (header) => {
    const advice = 'Name a request header, as in "authorization".';
    const problem = `header "${header}" cannot be forwarded. ${advice}`;
    const refused = Object.keys(places).map((place) => [place, `${place}: ${problem}`]);
    expect(outcomesOf(header)).toEqual(Object.fromEntries(refused));
  });

  it('a text instead of a list', () => {
    const forward = 'authorization' as unknown as string[]; // as from a file that tsc has not seen
    expect(() => places['things.getX'](forward)).toThrow(
      'things.getX: forward is "authorization". Use a list of header names, as in ["authorization"].',
    );
  });
});

describe('a condition for writes', () => {
  it.each(['If-Match', 'If-Unmodified-Since'])('%s goes to writes only', (header) => {
    const name = header.toLowerCase();
    const problem =
      `header "${name}" cannot be forwarded to reads: it is a condition for a write. List it in ` +
      'the forward of operations that write.';
    expect(outcomesOf(header)).toEqual({
      'service "x"': `service "x": ${problem}`,
      'things.getX': `things.getX: ${problem}`,
      'things.search': `things.search: ${problem}`,
      'things.byId': `things.byId: ${problem}`,
      'things.postX': [name],
    });
  });

  it('arrives, and its failure is the answer to the client', async () => {
    const upstream = await startUpstream();
    const rename = operation(things, {
      route: 'PUT /things/:id',
      body: item,
      response: item,
      forward: ['if-match'],
    });
    const composition = defineComposition({
      route: 'PUT /things/:id',
      body: item,
      compose: ({ params, body }) => ({ thing: call(rename, { id: params.id, body }) }),
    });
    const app = await startWithMocks({
      compositions: { composition },
      environment: { UPSTREAM_URL: upstream.url },
    });
    const answer = app.get('/things/a', {
      method: 'PUT',
      body: '{"id":"a"}',
      headers: { 'content-type': 'application/json', 'if-match': '"v1"' },
    });
    const arrival = await upstream.next('PUT /things/a');
    expect(arrival.headers['if-match']).toBe('"v1"');
    arrival.answer({}, 412);
    expect((await answer).status).toBe(412);
  });
});

describe('any other header', () => {
  it.each(['Authorization', 'accept-language', 'Cookie', 'Idempotency-Key', 'x-tenant', 'prefer'])(
    '%s is forwarded',
    (header) => {
      const all = Object.keys(places).map((place) => [place, [header.toLowerCase()]]);
      expect(outcomesOf(header)).toEqual(Object.fromEntries(all));
    },
  );
});
