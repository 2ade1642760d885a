/** Secrets of the gateway's own, each in a form of its own, searched for in all that is written. */
import { writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { adminOf, run } from '../support/processes.ts';
import { isRedisSkipped, startRedis } from '../support/redis.ts';
import { createAuthority } from '../support/certificates.ts';
import type { Authority } from '../support/certificates.ts';
import { listen, startServer } from '../support/servers.ts';
import { canary } from './_leaky.ts';
import { startCollector } from './_collector.ts';
import { leaksIn, nowhere, toldOf } from './_production.ts';

const secrets = {
  TOKEN: canary('token'),
  PASSWORD: canary('password'),
  HEADER_KEY: canary('headerkey'),
  QUERY_KEY: `${canary('querykey')}&%`,
  TENANT: canary('tenant'),
  CLIENT_SECRET: `${canary('clientsecret')}&%`,
};
const ofFile = canary('file');
const granted = canary('granted');
/** The token that the client sends, which an issuer is sent to be exchanged. */
const subject = canary('subject');

/** Every form in which they are sent, or could be shown. */
const words = [
  ...Object.entries(secrets),
  ['FILE', ofFile],
  ['GRANTED', granted],
  ['SUBJECT', subject],
].flatMap(([name = '', secret = '']) => [
  [name, secret.slice(0, 24)] as const,
  [`${name} percent-encoded`, encodeURIComponent(secret)] as const,
  ...[secret, `me:${secret}`, `me:${encodeURIComponent(secret)}`].map(
    (text) => [`${name} in base64`, Buffer.from(text).toString('base64').slice(0, 32)] as const,
  ),
]);

const kinds = {
  bearer: `bearer({ env: 'TOKEN' })`,
  file: `bearer({ file: process.env.SECRET_FILE })`,
  basic: `basic({ user: 'me', password: { env: 'PASSWORD' } })`,
  header: `apiKey({ env: 'HEADER_KEY' }, { header: 'x-key' })`,
  query: `apiKey({ env: 'QUERY_KEY' }, { query: 'key' })`,
  client: `clientCredentials({
    tokenUrl: { env: 'TOKEN_URL' }, clientId: 'me', clientSecret: { env: 'CLIENT_SECRET' } })`,
  body: `clientCredentials({ sends: 'body', scope: 'a',
    tokenUrl: { env: 'TOKEN_URL' }, clientId: 'me', clientSecret: { env: 'CLIENT_SECRET' } })`,
  refused: `clientCredentials({
    tokenUrl: { env: 'REFUSING_URL' }, clientId: 'me', clientSecret: { env: 'CLIENT_SECRET' } })`,
  exchange: `tokenExchange({
    tokenUrl: { env: 'TOKEN_URL' }, clientId: 'me', clientSecret: { env: 'CLIENT_SECRET' } })`,
  stranger: `tokenExchange({ sends: 'body',
    tokenUrl: { env: 'STRANGER_URL' }, clientId: 'me', clientSecret: { env: 'CLIENT_SECRET' } })`,
};
/** With TLS, and certificates of the gateway. */
const own = `ca: { env: 'CA' }, cert: { env: 'CERT' }, key: { env: 'CERT_KEY' }`;
const secureKinds = {
  secure: `bearer({ env: 'TOKEN' }), tls: { ${own}, serverName: 'shop.internal' }`,
  untrusted: `bearer({ env: 'TOKEN' }), tls: { ${own}, serverName: 'other.internal' }`,
};
const urlOf = (name: string): string => (name in secureKinds ? 'SECURE_URL' : 'KEYED_URL');
const goneUrlOf = (name: string): string => (name in secureKinds ? 'GONE_SECURE_URL' : 'GONE_URL');
const allKinds = { ...kinds, ...secureKinds };
const names = Object.keys(allKinds);

function compositionOf([name, auth]: readonly [string, string], url: string): string {
  return `
    import { apiKey, basic, bearer, call, clientCredentials, defineComposition, defineService,
      operation, tokenExchange } from 'plait';
    import { z } from 'zod';
    const service = defineService({ name: 'keyed-${name}', url: { env: '${url}' }, retry: false,
      timeoutMs: 2_000, headers: { 'x-tenant': { env: 'TENANT' } }, auth: ${auth} });
    const ask = operation(service, { name: 'ask', route: 'GET /:how', cache: { ttlMs: 60_000 },
      response: z.object({ value: z.string() }) });
    export default defineComposition({ route: 'GET /${name}-${url.toLowerCase()}/:how',
      compose: ({ params }) => call(ask, { how: params.how }) });`;
}

const hows = ['ok', 'echo-500', 'echo-401', 'echo-302', 'reset', 'hang', 'not-http', 'wrong'];

/** Says in failures whatever it was sent. */
const echo: RequestListener = function echo(request, response) {
  const said = JSON.stringify([request.url, request.headers]);
  const how = new URL(request.url ?? '', 'http://x').pathname.slice(1);
  const status = Number(/echo-(\d+)/.exec(how)?.[1]);
  if (how === 'ok') response.end('{"value":"fine"}');
  else if (how === 'wrong') response.end(JSON.stringify({ value: [said] }));
  else if (how === 'reset') request.socket.destroy();
  else if (how === 'not-http') request.socket.end(said);
  else if (status > 0) {
    const told = { location: `/${encodeURIComponent(said)}`, 'www-authenticate': said };
    response.writeHead(status, told).end(said);
  }
};

/** Asks for the certificate of its client. */
async function startSecure(authority: Authority): Promise<string> {
  const server = createServer(
    { ...authority.issue('shop.internal'), ca: authority.cert, requestCert: true },
    echo,
  );
  return (await listen(server)).url.replace('http:', 'https:');
}

/** Repeats what it was sent, and the code of an error. */
async function startIssuer(status: number, error?: string) {
  const issuer = await startServer((_, response) => {
    const echoed = JSON.stringify(issuer.requests.at(-1));
    const said = { error: error ?? echoed, error_description: echoed, token_type: 'bearer' };
    response.writeHead(status).end(JSON.stringify({ ...said, access_token: granted }));
  });
  return issuer;
}

describe.skipIf(isRedisSkipped)('a secret of the gateway', () => {
  it('is in nothing that is written, stored or answered, whatever goes wrong', async () => {
    const [service, issuer, refusing, strict] = await Promise.all([
      startServer(echo),
      startIssuer(200),
      startIssuer(401),
      startIssuer(400, 'invalid_grant'),
    ]);
    const collector = await startCollector();
    const redis = await startRedis();
    const authority = createAuthority();
    const certificate = authority.issue('gateway');
    const files = Object.entries(allKinds).flatMap((kind) => [
      [`${kind[0]}.ts`, compositionOf(kind, urlOf(kind[0]))] as const,
      [
        `${kind[0]}-gone.ts`,
        compositionOf(kind, goneUrlOf(kind[0])).replace("'keyed-", "'gone-"),
      ] as const,
    ]);
    const folder = await folderWith(Object.fromEntries(files));
    const file = join(folder, '..', 'secret');
    await writeFile(file, ofFile);
    const environment = {
      ...nowhere,
      ...secrets,
      SECRET_FILE: file,
      KEYED_URL: service.url,
      GONE_URL: 'http://127.0.0.1:9',
      SECURE_URL: await startSecure(authority),
      GONE_SECURE_URL: 'https://127.0.0.1:9',
      CA: authority.cert,
      CERT: certificate.cert,
      CERT_KEY: certificate.key,
      TOKEN_URL: `${issuer.url}/token`,
      REFUSING_URL: `${refusing.url}/token`,
      STRANGER_URL: `${strict.url}/token`,
      REDIS_URL: redis.url,
      PORT: '0',
      ADMIN_PORT: '0',
      // In development, the log has the causes of errors.
      LOG_LEVEL: 'trace',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    };
    const options = ['--compositions', folder];
    const gateway = run('bin/plait.js', ['start', ...options], environment);
    const url = await gateway.ready;
    const admin = adminOf(gateway);

    const asked = names.flatMap((name) => [
      ...hows.map((how) => `/${name}-${urlOf(name).toLowerCase()}/${how}`),
      `/${name}-${goneUrlOf(name).toLowerCase()}/ok`,
    ]);
    const answers = await Promise.all(
      asked.map(async (path) => {
        const response = await fetch(url + path, {
          headers: { authorization: `Bearer ${subject}` },
        });
        const said = JSON.stringify([...response.headers]) + (await response.text());
        return { path, status: response.status, said };
      }),
    );
    // On a busy machine, Redis may have been too slow for all of them.
    const storedNames = async () => {
      await fetch(`${url}/${names[0]}-keyed_url/ok`);
      return redis.ask('KEYS *');
    };
    const { sinks: told } = await toldOf({
      admin,
      redis,
      storedNames,
      options,
      environment,
    });
    gateway.kill('SIGTERM');
    await gateway.exitCode;

    const sinks = {
      log: `${gateway.lines.join('\n')}\n${gateway.errors()}`,
      spans: collector.received().toString('latin1'),
      answers: answers.map((one) => one.said).join('\n'),
      ...told,
    };
    const ofKey = certificate.key
      .split('\n')
      .map((line, index) => [`line ${index} of the key`, line] as const);
    const secretLines = ofKey.filter(([, line]) => line.length > 20 && !line.startsWith('-'));
    expect(leaksIn(sinks, [...words, ...secretLines])).toEqual([]);

    // All of it was there to be told: every way of failing, and every secret at its place.
    const statusOf = (path: string) => answers.find((one) => one.path === path)?.status;
    for (const name of names.filter((one) => !['refused', 'untrusted', 'stranger'].includes(one)))
      expect([name, statusOf(`/${name}-${urlOf(name).toLowerCase()}/ok`)]).toEqual([name, 200]);
    expect(statusOf('/refused-keyed_url/ok')).toBe(502);
    expect(statusOf('/stranger-keyed_url/ok')).toBe(401);
    expect(statusOf('/untrusted-secure_url/ok')).toBe(502);
    const requests = JSON.stringify([...service.requests, ...issuer.requests]);
    for (const word of [ofFile, granted, subject, ...Object.values(secrets)])
      expect(
        [
          word,
          encodeURIComponent(word),
          Buffer.from(`me:${word}`).toString('base64'),
          Buffer.from(`me:${encodeURIComponent(word)}`).toString('base64'),
        ].some((form) => requests.includes(form)),
      ).toBe(true);
    expect(Object.values(sinks).every((sink) => sink.length > 100)).toBe(true);
  });
});
