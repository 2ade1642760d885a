/** The first line of the log says what has started: where it listens, and what it serves. */
import { expect, it } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { adminOf, run } from '../support/processes.ts';
import { request } from '../support/request.ts';
import { writeTlsFiles } from '../support/tls.ts';

const folder = {
  'fine.ts': `
    import { defineComposition } from 'plait';
    export default defineComposition({ route: 'GET /fine', compose: () => ({ fine: true }) });`,
  'broken.ts': `export default 42;`,
};

const started = 'The gateway has started';

/** Starts it, and waits for the lines that say so. */
async function start(environment: Record<string, string>) {
  const args = ['start', '--tolerant', '--compositions', await folderWith(folder)];
  const program = run('bin/plait.js', args, {
    PORT: '0',
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'json',
    ...environment,
  });
  const url = await program.ready;
  await expect.poll(program.errors).toMatch(`"${started}"`);
  const lines = program.errors().match(/^.+$/gm) ?? [];
  const line = lines.find((text) => text.includes(started)) ?? '';
  return { url, admin: adminOf(program), line: JSON.parse(line), text: program.errors() };
}

it('says its version, its addresses and how many compositions are served and are not', async () => {
  const { url, admin, line } = await start({ BASE_PATH: '/api' });
  // The folder has the shipped compositions, too, whose services have no addresses here.
  const { json } = await request(`${admin}/upstreams`);
  expect(line).toEqual({
    level: 'info',
    time: expect.any(String),
    message: started,
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    node: process.version,
    mode: 'development',
    url,
    port: Number(new URL(url).port),
    base_path: '/api',
    admin,
    tls: 'off',
    compositions: 1,
    not_served: json.notServed.length,
    duration_ms: expect.any(Number),
  });
});

it('says whether TLS is on and clients need a certificate, and no secret', async () => {
  const token = 'canary-4711-canary-4711-canary-4711';
  const { line, text } = await start({
    ...writeTlsFiles({ clients: 'required' }).environment,
    ADMIN_TOKEN: token,
  });
  expect(line).toMatchObject({
    url: expect.stringMatching(/^https:/),
    tls: 'on',
    client_certificates: 'required',
  });
  expect(text).not.toContain('canary');
});
