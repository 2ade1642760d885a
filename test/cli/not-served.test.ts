/** A gateway that is told to be tolerant says what it does not serve, everywhere. */
import { describe, expect, it } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { adminOf, run, runMocks } from '../support/processes.ts';
import { request } from '../support/request.ts';

const fine = `
  import { defineComposition } from 'plait';
  export default defineComposition({ route: 'GET /parts/:id', compose: () => ({ fine: true }) });`;

const broken = `
  import { defineComposition } from 'plait';
  export default defineComposition({
    route: 'GET /parts/special',
    compose: ({ params }) => ({ id: params.nope }),
  });`;

const unimportable = `
  import { nothing } from 'plait/canary';
  export default nothing({ route: 'GET /gone', compose: () => ({}) });`;

function calls(name: string): string {
  return `
    import { call, defineComposition, defineService, operation } from 'plait';
    import { z } from 'zod';
    const service = defineService({ name: '${name}', url: { env: '${name.toUpperCase()}_URL' } });
    const get = operation(service, { name: 'get', route: 'GET /a', response: z.unknown() });
    export default defineComposition({
      route: 'GET /${name}',
      compose: () => ({ a: call(get, {}) }),
    });`;
}

/** Beside `files`, the folder has the shipped compositions, over the services of `services`. */
async function start(
  files: Record<string, string>,
  environment: Record<string, string> = {},
  services = runMocks,
) {
  const folder = await folderWith(files);
  const gateway = run('bin/plait.js', ['start', '--tolerant', '--compositions', folder], {
    ...(await services()),
    PORT: '0',
    HOST: '127.0.0.1',
    ...environment,
  });
  const url = await gateway.ready;
  return { gateway, url, admin: adminOf(gateway), ask: (path: string) => request(url + path) };
}

describe('plait start --tolerant', () => {
  it('answers the routes of what it does not serve with 503, which says why in development', async () => {
    const { ask, admin } = await start({
      'fine.ts': fine,
      'broken.ts': broken,
      'gone.ts': unimportable,
      'alpha.ts': calls('alpha'),
    });
    expect((await ask('/parts/a')).json).toEqual({ fine: true });
    const special = await ask('/parts/special');
    expect([special.status, special.headers.get('retry-after')]).toEqual([503, '30']);
    expect(special.json).toMatchObject({
      type: 'urn:plait:problem:unavailable',
      detail: expect.stringMatching(/^The composition "broken" is not served: broken: .*nope/),
    });
    expect((await ask('/gone')).json.detail).toMatch(/^The composition "gone" is not served: /);
    expect((await ask('/alpha')).json.detail).toMatch(
      /"alpha" is not served: ALPHA_URL is not set/,
    );
    expect((await ask('/readyz')).status).toBe(200);
    const { json } = await request(`${admin}/upstreams`);
    expect(json.notServed).toMatchObject(
      [
        { composition: 'broken', route: 'GET /parts/special' },
        { composition: 'gone', route: 'GET /gone' },
        { composition: 'alpha', route: 'GET /alpha', reason: /ALPHA_URL/ },
      ].map((one) => ({ ...one, reason: expect.stringMatching(one.reason ?? /./) })),
    );
    const table = run('bin/plait.js', ['upstreams', '--admin', admin], {});
    expect(await table.exitCode).toBe(0);
    expect(table.lines).toContain('✗  not served: broken  GET /parts/special');
  });

  it('gives no detail in production', async () => {
    const { ask } = await start(
      { 'fine.ts': fine, 'broken.ts': broken },
      { NODE_ENV: 'production', SHUTDOWN_DELAY_MS: '0' },
    );
    const { status, json } = await ask('/parts/special');
    expect([status, json.detail]).toEqual([503, 'This is not served at the moment.']);
    expect(JSON.stringify(json)).not.toContain('broken');
  });

  it('is not ready with nothing to serve, and names all addresses that are missing at once', async () => {
    const { ask, gateway } = await start({ 'alpha.ts': calls('alpha') }, {}, async () => ({}));
    const { status, json } = await ask('/readyz');
    expect([status, json]).toEqual([503, { status: 'nothing-to-serve' }]);
    expect((await ask('/livez')).status).toBe(200);
    await expect.poll(gateway.errors).toContain('Nothing is served');
    const lines = gateway.errors().trim().split('\n');
    expect(lines[0]).toMatch(
      / warn {2}Not served: alpha, .*: ALPHA_URL, ORDERS_URL, PAYMENTS_URL and SHIPPING_URL are not set\. They are the base URLs of the services "alpha", "orders", /,
    );
    expect(lines[1]).toMatch(/ error Nothing is served: \/readyz answers 503/);
  });
});

describe('plait check --env', () => {
  it('tells of compositions and of the environment at once', async () => {
    const folder = await folderWith({
      'broken.ts': broken,
      'alpha.ts': calls('alpha'),
      'beta.ts': calls('beta'),
    });
    const check = run('bin/plait.js', ['check', '--env', '--compositions', folder], {
      PORT: 'canary',
      TLS_CERT_FILE: '/no/such.pem',
      TLS_KEY_FILE: '/no/such.key',
    });
    expect(await check.exitCode).toBe(1);
    const errors = check.errors();
    for (const words of [
      'PORT is "canary"',
      'ALPHA_URL, BETA_URL, ORDERS_URL, PAYMENTS_URL and SHIPPING_URL are not set.',
      '/no/such.pem',
      '/no/such.key',
      '1 error in compositions:',
      'broken: ',
    ]) {
      expect(errors).toContain(words);
    }
  });
});
