import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { defineComposition } from '../../src/dsl/composition.ts';
import { defineGateway } from '../../src/dsl/gateway.ts';
import { isChromiumSkipped, openPage } from '../support/chromium.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';

const compositions = {
  plain: defineComposition({ route: 'GET /plain', compose: () => ({ plain: true }) }),
};

it.skipIf(isChromiumSkipped)(
  'a page in Chromium reads answers and their headers only where its origin is allowed',
  async () => {
    const page = await servePages();
    const allowed = await startWithMocks({
      compositions,
      edge: { definition: defineGateway({ cors: { origins: [page.origin] } }) },
    });
    const closed = await startWithMocks({
      compositions,
      edge: { definition: defineGateway({}) },
    });
    expect(await page.show(`${allowed.url}/plain`)).toBe('200 {"plain":true} with its request id');
    expect(await page.show(`${allowed.url}/nothing`)).toContain('404 {"type"');
    expect(await page.show(`${closed.url}/plain`)).toBe('refused by the browser');
  },
);

/** A page that asks for the URL in its query, and shows the answer. */
const html = `<!doctype html><pre></pre><script>
  const request = new XMLHttpRequest();
  request.open('GET', decodeURIComponent(location.search.slice(1)), false);
  request.setRequestHeader('x-request-id', 'from-a-page');
  let shown;
  try {
    request.send();
    const id = request.getResponseHeader('x-request-id');
    shown = request.status + ' ' + request.responseText + (id === 'from-a-page' ? ' with its request id' : '');
  } catch { shown = 'refused by the browser'; }
  document.querySelector('pre').textContent = shown;
</script>`;

async function servePages() {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(html);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    async show(url: string): Promise<string | undefined> {
      const shown = await openPage(`${origin}/?${encodeURIComponent(url)}`);
      return /<pre>([^]*?)<\/pre>/.exec(shown)?.[1];
    },
  };
}
