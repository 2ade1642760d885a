import { join } from 'node:path';
import { connect } from 'node:http2';
import { Agent, fetch } from 'undici';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { curl, isCurlSkipped } from '../support/curl.ts';
import { folderWith } from '../support/folder.ts';
import { run, runMocks, shipped } from '../support/processes.ts';
import { ask, fingerprintOf, writeTlsFiles } from '../support/tls.ts';
import type { TlsOptions } from '../support/tls.ts';

const path = '/orders/ord_1001/summary';

async function start(environment: Record<string, string> = {}, options: TlsOptions = {}) {
  const files = writeTlsFiles(options);
  const gateway = run('bin/plait.js', ['start', ...shipped], {
    ...(await runMocks()),
    PORT: '0',
    ...files.environment,
    ...environment,
  });
  const url = (await gateway.ready).replace('127.0.0.1', 'localhost');
  const folder = await folderWith({ 'ca.pem': files.ca });
  return { ...files, gateway, url, caFile: join(folder, 'ca.pem') };
}

describe('plait start with a certificate', () => {
  it.skipIf(isCurlSkipped)('serves curl HTTP/2 and HTTP/1.1', async () => {
    const { url, caFile } = await start();
    expect(url).toMatch(/^https:/);
    const get = (...args: string[]) => curl('--cacert', caFile, ...args, url + path);
    const [two, one] = [await get('--http2'), await get('--http1.1')];
    expect([two.outcome, one.outcome]).toEqual(['2 200', '1.1 200']);
    expect(two.body).toBe(one.body);
    expect((await get('--http2', '-X', 'POST', '-d', '{}')).outcome).toBe('2 405');
    expect((await get('--http2', '--head')).outcome).toBe('2 200');
    await expect(get('--tls-max', '1.1')).rejects.toThrow('curl');
    // It knows nothing of the authority.
    await expect(curl('--http2', url + path)).rejects.toThrow('certificate');
  });

  it('serves fetch over HTTP/2, many requests at a time', async () => {
    const { url, ca } = await start();
    const connectOptions = { ca, ALPNProtocols: ['h2'] };
    const dispatcher = new Agent({ allowH2: true, connections: 1, connect: connectOptions });
    onTestFinished(() => dispatcher.destroy());
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const response = await fetch(url + path, { dispatcher });
        return `${response.status} ${await response.text()}`;
      }),
    );
    expect(new Set(answers)).toEqual(
      new Set([expect.stringContaining('200 {"order":{"id":"ord_1001"')]),
    );
  });

  it('loses no request while the files are exchanged under load', async () => {
    const authority = createAuthority();
    const { url, ca, write, gateway } = await start({}, { authority });
    const load = Array.from({ length: 4 }, () => askAgainAndAgain(url, ca));
    for (let round = 0; round < 2; round += 1) {
      const before = await fingerprintOf(url, ca);
      write(authority.issue('localhost'));
      await vi.waitUntil(async () => (await fingerprintOf(url, ca)) !== before);
    }
    const most = Math.max(...load.map(({ answered }) => answered()));
    await vi.waitUntil(() => load.every(({ answered }) => answered() > most + 5));
    const lost = await Promise.all(load.map(({ stop }) => stop()));
    expect(lost.flat()).toEqual([]);
    expect(gateway.errors()).not.toContain('cert.pem');
  });

  it.each([
    ['SHUTDOWN_DELAY_MS', '200'],
    ['SHUTDOWN_DELAY_MS', '0'],
  ])('stops under load without losing a request that it has taken (%s=%s)', async (name, delay) => {
    const { url, ca, gateway } = await start({ [name]: delay });
    const load = Array.from({ length: 6 }, () => askAgainAndAgain(url, ca));
    await vi.waitUntil(() => load.every(({ answered }) => answered() > 5));
    gateway.kill('SIGTERM');
    expect(await gateway.exitCode).toBe(0);
    const lost = await Promise.all(load.map(({ stop }) => stop()));
    expect(lost.flat()).toEqual([]);
  });

  it('does not start with files that do not belong together', async () => {
    const { environment, write } = writeTlsFiles();
    const { key } = createAuthority();
    write({ key });
    const gateway = run('bin/plait.js', ['start', ...shipped], {
      ...(await runMocks()),
      PORT: '0',
      ...environment,
    });
    expect(await gateway.exitCode).toBe(1);
    expect(gateway.errors()).toContain('is not the key of the certificate in');
  });
});

interface Load {
  answered(): number;
  /** Ends it, and gives the requests that were lost. */
  stop(): Promise<readonly string[]>;
}

/** Asks one request after the other over one connection, until that ends. */
function askAgainAndAgain(url: string, ca: string): Load {
  const session = connect(url, { ca });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  let lastTaken = Infinity;
  session.on('goaway', (_code, id) => (lastTaken = id ?? 0));
  const over = new AbortController();
  let answered = 0;
  const lost: string[] = [];
  const work = (async () => {
    while (!over.signal.aborted && !session.closed && !session.destroyed) {
      const id = 2 * answered + 1;
      try {
        const { status } = await ask(session, path);
        if (status !== 200) lost.push(`answered with ${status}`);
        answered += 1;
      } catch (error) {
        // One that was not taken may be sent again.
        if (id <= lastTaken) lost.push(`${id} of ${lastTaken}: ${String(error)}`);
        return;
      }
    }
  })();
  return {
    answered: () => answered,
    async stop() {
      over.abort();
      await work;
      session.close();
      return lost;
    },
  };
}
