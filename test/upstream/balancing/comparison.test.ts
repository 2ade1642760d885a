/** Unusable answers, and whether they count against service, address or operation. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { EjectionConfig } from '../../../src/dsl/service-policies.ts';
import { startServer } from '../../support/servers.ts';
import { openShop } from '../../support/upstream-calls.ts';

const json: RequestListener = (_, response) => void response.end('{"id":"a"}');

const slow: RequestListener = (request, response) =>
  void setTimeout(() => json(request, response), 20);

/** Answers one of two operations well. */
const mixed: RequestListener = (request, response) =>
  void response.end(request.url === '/good' ? '{"id":"a"}' : 'OK');

function answering(
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): RequestListener {
  return (_, response) => void response.writeHead(200, headers).end(body);
}

/** A service at these addresses, which gets one call after the other. */
async function startShop(listeners: readonly RequestListener[], ejection: EjectionConfig = {}) {
  const servers = await Promise.all(listeners.map((listener) => startServer(listener)));
  const shop = openShop({ url: servers.map(({ url }) => url).join(','), service: { ejection } });
  const toRead = (path: string) =>
    operation(shop.service, {
      name: path,
      route: `GET /${path}` as 'GET /things',
      response: z.object({ id: z.string() }),
    });
  const reads = new Map(['things', 'good', 'bad'].map((path) => [path, toRead(path)]));
  return {
    asked: () => servers.map(({ requests }) => requests.length),
    states: () => shop.upstreams.status()[0]?.endpoints.map(({ state }) => state),
    breaker: () => shop.upstreams.status()[0]?.breaker,
    async ask(path: string, times: number) {
      const called = reads.get(path) ?? expect.fail(`there is no ${path}`);
      let failed = 0;
      for (let time = 0; time < times; time += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one call after the other
        await shop
          .open()(called, {}, undefined)
          .catch(() => (failed += 1));
      }
      return failed;
    },
  };
}

describe('a complete answer that cannot be used', () => {
  it.each<[string, RequestListener]>([
    ['text', answering('OK')],
    ['a page', answering('<html></html>', { 'content-type': 'text/html' })],
    ['NaN', answering('NaN')],
    ['half of JSON', answering('{"id":')],
    ['nesting that is too deep', answering('['.repeat(65) + ']'.repeat(65))],
    ['an unknown encoding', answering('{}', { 'content-encoding': 'lzma' })],
    ['broken gzip', answering('{}', { 'content-encoding': 'gzip' })],
    [
      'gzip without its end',
      answering(gzipSync('{}').subarray(0, 15), { 'content-encoding': 'gzip' }),
    ],
    [
      'brotli under another name',
      answering(brotliCompressSync('{}'), { 'content-encoding': 'gzip' }),
    ],
    ['another shape', answering('{"id":7}')],
    ['more than is allowed', answering(`"${'x'.repeat(6_000_000)}"`)],
    ['nothing', answering('')],
  ])('does not open the breaker for the operations of its service: %s', async (_, unusable) => {
    const { ask, breaker } = await startShop([unusable]);
    expect(await ask('things', 30)).toBe(30);
    expect(breaker()).toBe('closed');
  });
});

describe('an address whose answers cannot be used', () => {
  it.each<[string, RequestListener]>([
    ['an instant page', answering('<html></html>', { 'content-type': 'text/html' })],
    ['another shape', answering('{}')],
  ])('is ejected if its siblings give good ones: %s', async (_, unusable) => {
    const { ask, asked, states } = await startShop([unusable, slow, slow], { failures: 3 });
    // Chance decides how soon it gets its third call.
    for (let call = 0; call < 300 && states()?.[0] === 'used'; call += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await ask('things', 1);
    }
    expect(states()).toEqual(['ejected', 'used', 'used']);
    expect(asked()[0]).toBeLessThanOrEqual(6);
  });

  it('attracts no calls, however fast it is', async () => {
    const { ask, asked } = await startShop([answering('<html></html>'), slow, slow]);
    await ask('things', 40);
    expect(asked()[0]).toBeLessThanOrEqual(6);
  });

  it('is not ejected if its siblings answer in the same way', async () => {
    const page = answering('<html></html>');
    const { ask, states } = await startShop([page, page, page]);
    expect(await ask('things', 60)).toBe(60);
    expect(states()).toEqual(['used', 'used', 'used']);
  });

  it('is not ejected if no address answers one operation well, and all another', async () => {
    const { ask, states } = await startShop([mixed, mixed, mixed]);
    for (let round = 0; round < 10; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await ask('bad', 7);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await ask('good', 7);
    }
    expect(states()).toEqual(['used', 'used', 'used']);
  });
});
