/** The path before the routes of all compositions. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { createGateway } from '../../src/gateway.ts';
import { compileAll } from '../../src/plan/compile.ts';

const things = defineComposition({
  route: 'GET /things/:id',
  query: z.object({}),
  compose: ({ params }) => ({ id: params.id }),
});
const root = defineComposition({ route: 'GET /', compose: () => ({ at: 'root' }) });

const create = (basePath: string) => {
  const { plans } = compileAll([
    { name: 'things', composition: things },
    { name: 'root', composition: root },
  ]);
  return createGateway({ plans, addresses: new Map(), basePath });
};

async function ask(basePath: string, path: string, method = 'GET') {
  await using gateway = create(basePath);
  const response = await gateway.app.request(`http://gateway${path}`, { method });
  const text = await response.text();
  return {
    status: response.status,
    allow: response.headers.get('allow'),
    json: text === '' ? undefined : JSON.parse(text),
  };
}

describe('a base path', () => {
  it.each([
    ['/api', '/api/things/7', 200],
    ['/api', '/things/7', 404],
    ['/api', '/apithings/7', 404],
    ['/api', '/API/things/7', 404],
    ['/api', '/api/api/things/7', 404],
    ['/api', '/api', 200],
    ['/api', '/api/', 200],
    ['/api', '/', 404],
    ['/api', '/livez', 200],
    ['/api', '/readyz', 200],
    ['/api', '/api/livez', 404],
    ['/api/v1', '/api/v1/things/7', 200],
    ['/api.v1', '/apixv1/things/7', 404],
    ['/', '/things/7', 200],
    ['', '/things/7', 200],
    ['', '/', 200],
  ])('of %j: %s is a %i', async (basePath, path, status) => {
    expect((await ask(basePath, path)).status).toBe(status);
  });

  it('is a part of what problems and OPTIONS say', async () => {
    expect((await ask('/api', '/api/things/7?x=1')).json).toMatchObject({
      status: 400,
      instance: '/api/things/7',
    });
    expect(await ask('/api', '/api/things/7', 'OPTIONS')).toMatchObject({
      status: 204,
      allow: 'GET, HEAD, OPTIONS',
    });
    expect(await ask('/api', '/api/things/7', 'POST')).toMatchObject({ status: 405 });
    expect(await ask('/api', '/things/7', 'OPTIONS')).toMatchObject({ status: 404 });
  });

  it.each(['api', '/api/', '//api', '/:id', '/api/..', '/a b', '/%61pi', '/livez', '/*'])(
    'of %j is refused',
    (basePath) => {
      expect(() => create(basePath)).toThrow(
        `basePath is ${JSON.stringify(basePath)}. Use a path without a slash at the end, of ` +
          'letters, digits and . _ ~ -, as in /api.',
      );
    },
  );
});
