/** How a request came: attributes of its span and labels of its duration, by the conventions. */
import { expect, it, vi } from 'vitest';
import { open } from '../support/raw-http.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { ask, connectHttp2, createCertificate } from '../support/tls.ts';
import { startTraced } from './_traced.ts';

const { telemetry, sink } = await startTraced();

const get = (version: string): string =>
  `GET /x HTTP/${version}\r\nhost: gateway\r\nx-request-id: ${version}\r\n\r\n`;

it('is a version and a scheme of each request, as it came', async () => {
  const { certificate, ca } = createCertificate();
  const plain = await startWithMocks({ compositions: {}, telemetry });
  const secure = await startWithMocks({ compositions: {}, telemetry, certificate });
  (await open(plain.url)).write(get('1.0'));
  (await open(secure.url)).write(get('1.1'));
  await ask(connectHttp2(secure.url, { ca }), '/x', { 'x-request-id': '2' });
  await vi.waitFor(() => {
    const found = sink.spans.map(({ attributes }) => [
      attributes['plait.request_id'],
      attributes['network.protocol.version'],
      attributes['url.scheme'],
    ]);
    expect(found.toSorted()).toEqual([
      ['1.0', '1.0', 'http'],
      ['1.1', '1.1', 'https'],
      ['2', '2', 'https'],
    ]);
  });
  expect(countedVersions((await telemetry.metrics?.()) ?? '')).toEqual([
    '1.0 http',
    '1.1 https',
    '2 https',
  ]);
});

/** The versions and schemes by which the durations of requests are told apart. */
function countedVersions(text: string): string[] {
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith('http_server_request_duration_seconds_count'));
  return lines
    .map((line) => `${labelIn(line, 'network_protocol_version')} ${labelIn(line, 'url_scheme')}`)
    .toSorted();
}

function labelIn(line: string, name: string): string | undefined {
  return new RegExp(`${name}="([^"]+)"`).exec(line)?.[1];
}
