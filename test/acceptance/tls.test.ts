/** Services with a certificate authority of their own, and certificates of the gateway. */
import { call, defineComposition, defineService, operation } from 'plait';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { TlsConfig } from '../../src/dsl/tls.ts';
import { createGateway } from '../../src/gateway.ts';
import { openParts } from '../../src/parts.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { servicesOf } from '../../src/plan/visit.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import { createAuthority } from '../support/certificates.ts';
import type { Certificate } from '../support/certificates.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { folderWith } from '../support/folder.ts';

/** An https service that answers with the name in the client's certificate. */
async function startSecure(options: ServerOptions): Promise<{ url: string; handshakes: number }> {
  const seen = { url: '', handshakes: 0 };
  const server = createServer(options, ({ socket }, response) => {
    const { subject } = (socket as TLSSocket).getPeerCertificate(); // of an https server
    response.end(JSON.stringify({ client: subject?.CN ?? null }));
  });
  server.on('secureConnection', () => (seen.handshakes += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  seen.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return seen;
}

function plansOf(tls: TlsConfig | undefined) {
  const service = defineService({
    name: 'shop',
    url: { env: 'SHOP_URL' },
    retry: false,
    ...(tls && { tls }),
  });
  const whoAmI = operation(service, {
    route: 'GET /',
    response: z.object({ client: z.string().nullable() }),
  });
  const composition = defineComposition({ route: 'GET /a', compose: () => call(whoAmI, {}) });
  return compileAll([{ name: 'a', composition }]).plans;
}

const clock = createFakeClock();

async function ask(url: string, tls: TlsConfig | undefined, environment: Record<string, string>) {
  const plans = plansOf(tls);
  const settings = parseSettings(
    { SHOP_URL: url, LOG_LEVEL: 'error', ...environment },
    servicesOf(plans),
  );
  const { log, ...parts } = await openParts(settings, { clock });
  const gateway = createGateway({ plans, ...parts });
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    await log.close();
  });
  return async () => {
    const answer = await gateway.app.request('/a');
    return [answer.status, ((await answer.json()) as { client?: unknown }).client];
  };
}

describe('a service with an authority of its own', () => {
  it('is trusted if tls.ca says so, and otherwise not', async () => {
    const ca = createAuthority();
    const { url } = await startSecure(ca.issue('shop.internal'));
    const tls = { ca: { env: 'CA' }, serverName: 'shop.internal' };
    expect(await (await ask(url, tls, { CA: ca.cert }))()).toEqual([200, null]);
    expect(await (await ask(url, undefined, {}))()).toEqual([502, undefined]);
    expect(await (await ask(url, tls, { CA: createAuthority().cert }))()).toEqual([502, undefined]);
  });

  it('is not trusted under another name', async () => {
    const ca = createAuthority();
    const { url } = await startSecure(ca.issue('shop.internal'));
    const named = (serverName?: string) =>
      ask(url, { ca: { env: 'CA' }, ...(serverName && { serverName }) }, { CA: ca.cert });
    expect((await (await named('other.internal'))())[0]).toBe(502);
    expect((await (await named())())[0]).toBe(502);
  });
});

describe('a certificate of the gateway', () => {
  it('says to the service who is asking', async () => {
    const ca = createAuthority();
    const server = { ...ca.issue('shop.internal'), ca: ca.cert, requestCert: true };
    const { url } = await startSecure(server);
    const { cert, key } = ca.issue('gateway');
    const own = { cert: { env: 'CERT' }, key: { env: 'CERT_KEY' } };
    const tls = { ca: { env: 'CA' }, serverName: 'shop.internal', ...own };
    const variables = { CA: ca.cert, CERT: cert, CERT_KEY: key };
    expect(await (await ask(url, tls, variables))()).toEqual([200, 'gateway']);
  });

  it('is renewed when its files change, once both have', async () => {
    const ca = createAuthority();
    const server = { ...ca.issue('shop.internal'), ca: ca.cert, requestCert: true };
    const secure = await startSecure(server);
    const folder = await folderWith({ ca: ca.cert });
    const file = (name: string): string => join(folder, name);
    const replace = (name: 'cert' | 'key', certificate: Certificate): void => {
      writeFileSync(file(`${name}.new`), certificate[name]);
      renameSync(file(`${name}.new`), file(name));
    };
    const first = ca.issue('first');
    replace('cert', first);
    replace('key', first);
    const source = (name: string) => ({ file: file(name) });
    const tls = {
      ca: source('ca'),
      cert: source('cert'),
      key: source('key'),
      serverName: 'shop.internal',
    };
    const asks = await ask(secure.url, tls, {});
    const later = () => {
      clock.advance(1_000);
      return asks();
    };
    for (let index = 0; index < 5; index += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await asks()).toEqual([200, 'first']);
    const before = secure.handshakes;

    const second = ca.issue('second');
    replace('cert', second);
    for (let index = 0; index < 5; index += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await later()).toEqual([200, 'first']);
    expect(secure.handshakes).toBe(before);

    replace('key', second);
    await expect.poll(later).toEqual([200, 'second']);
    expect(secure.handshakes).toBe(before + 1);
  });
});

const read = (tls: TlsConfig, environment: Record<string, string>) =>
  parseSettings({ SHOP_URL: 'https://shop', ...environment }, servicesOf(plansOf(tls)));

describe('at the start', () => {
  it('texts that are no certificate or key are named, and not quoted', () => {
    const { cert } = createAuthority();
    const own = { cert: { env: 'CERT' }, key: { env: 'CERT_KEY' } };
    expect(() =>
      read({ ca: { env: 'CA' }, ...own }, { CA: 'canary', CERT: cert, CERT_KEY: 'canary' }),
    ).toThrow(
      /^CA is not a certificate in PEM form\. .*\nCERT_KEY is not a private key in PEM form, or is encrypted\. .*$/,
    );
  });

  it('a certificate with another key is refused', () => {
    const own = { cert: { env: 'CERT' }, key: { env: 'CERT_KEY' } };
    const [one, other] = [createAuthority(), createAuthority()];
    expect(() => read(own, { CERT: one.cert, CERT_KEY: other.key })).toThrow(
      /^service "shop": tls\.cert and tls\.key do not belong together\.$/,
    );
  });

  it.each([
    ['http://b', 'an http address'],
    ['unix:/run/b.sock', 'a unix socket'],
  ])('%s is refused', (url, kind) => {
    expect(() => read({ serverName: 'x' }, { SHOP_URL: `https://a,${url}` })).toThrow(
      new RegExp(`^service "shop": tls is for https, but SHOP_URL has ${kind}\\.$`),
    );
  });
});
