import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import { unrestricted } from '../../src/engine/response-freshness.ts';
import { createApp } from '../../src/http/app.ts';
import { compositionRoutes } from '../../src/http/endpoint.ts';
import { compile } from '../../src/plan/compile.ts';
import { assertProperty } from '../support/property.ts';

const Found = z.object({ route: z.string(), params: z.record(z.string(), z.string()) });

/** An app with these routes; what answers is the route itself, and what stands for its parameters. */
function appOf(...routes: readonly string[]) {
  const plans = routes.map((route) => {
    const text = route as 'GET /'; // any other would do
    const composition = defineComposition({ route: text, compose: () => ({}) });
    return compile({ name: 'page', composition });
  });
  const app = createApp({
    clock: systemClock,
    watchers: [],
    outerLayers: [],
    layers: [],
    readiness: () => 'ok',
    onInternalError: () => undefined,
    routes: compositionRoutes(plans, {
      clock: systemClock,
      admit: () => undefined,
      notServed: [],
      isDevelopment: false,
      unknownQuery: 'refuse',
      identifyFor: () => () => ({ denied: 'unauthenticated', challenges: '' }),
      basePath: '',
      execute: async ({ route }, { inputs }) => ({
        value: { route: route.text, params: inputs.params },
        beside: undefined,
        degraded: [],
        freshness: unrestricted,
        kind: 'answered',
        sent: 0,
        completed: [],
        uncertain: [],
      }),
    }),
  });
  const ask = async (method: string, path: string) =>
    app.request(`http://gateway${path}`, { method });
  return {
    ask,
    find: async (path: string, method = 'GET') => {
      const response = await ask(method, path);
      return response.ok ? Found.parse(await response.json()) : undefined;
    },
  };
}

/** Where text and parameters are: text comes first. */
function kinds(parts: readonly string[]): string {
  return parts.map((part) => (part.startsWith(':') ? 1 : 0)).join('');
}

describe('the routes of compositions', () => {
  it('hand out the values of parameters, decoded after the path was split', async () => {
    const { find } = appOf('GET /orders/:order/items/:item');
    expect(await find('/orders/a%2Fb/items/%C3%A9')).toEqual({
      route: 'GET /orders/:order/items/:item',
      params: { order: 'a/b', item: 'é' },
    });
  });

  it('prefer text to parameters, from the left, in whatever order they are added', async () => {
    const routes = ['GET /:a/list', 'GET /things/:b', 'GET /things/list', 'GET /:a/:b'];
    for (const { find } of [appOf(...routes), appOf(...routes.toReversed())]) {
      const paths = ['/things/list', '/things/7', '/others/list', '/others/7'];
      const found = await Promise.all(paths.map(async (path) => (await find(path))?.route));
      expect(found).toEqual(['GET /things/list', 'GET /things/:b', 'GET /:a/list', 'GET /:a/:b']);
    }
  });

  it('are searched on for a parameter where text leads nowhere', async () => {
    const { find } = appOf('GET /things/list/all', 'GET /things/:id/parts');
    expect(await find('/things/list/parts')).toEqual({
      route: 'GET /things/:id/parts',
      params: { id: 'list' },
    });
  });

  it('are found for each method separately', async () => {
    const { ask, find } = appOf('GET /things/recent', 'PUT /things/:id');
    const allowed = async (path: string) => (await ask('OPTIONS', path)).headers.get('allow');
    expect((await find('/things/recent', 'PUT'))?.params).toEqual({ id: 'recent' });
    expect(await allowed('/things/recent')).toBe('GET, HEAD, PUT, OPTIONS');
    expect(await allowed('/things/7')).toBe('PUT, OPTIONS');
    expect(await allowed('/nothing')).toBeNull();
  });

  it.each(['/things/', '/things', '/things//', '//7', '/things/7/', ''])(
    'take nothing for a parameter only where something stands: %j',
    async (path) => {
      expect(await appOf('GET /things/:id').find(path)).toBeUndefined();
    },
  );

  it.each([
    ['POST /orders:search', '/orders:search', '/orders:find'],
    ['POST /orders:search/:id', '/orders:search/7', '/orders/7'],
    ['GET /orders/:id/', '/orders/7/', '/orders/7'],
    ['GET /orders/', '/orders/', '/orders'],
    ['GET /caf%C3%A9', '/caf%c3%a9', '/caf'],
    ['GET /a%20b', '/a%20b', '/a+b'],
    ['GET /%41bc', '/Abc', '/abc'],
    ['GET /a@b', '/a@b', '/a'],
    ["GET /a!$&'(),;=~", "/a!$&'(),;=~", '/a'],
  ])('may be %s, which serves %s and not %s', async (route, path, other) => {
    const [method = ''] = route.split(' ', 1);
    const { find } = appOf(route, 'DELETE /x');
    expect((await find(path, method))?.route).toBe(route);
    expect(await find(other, method)).toBeUndefined();
  });

  it('tell a path with a slash at its end from the one without', async () => {
    const { find } = appOf('GET /a/:b', 'GET /a/', 'GET /a', 'GET /a/:b/');
    const found = await Promise.all(
      ['/a', '/a/', '/a/7', '/a/7/'].map(async (path) => (await find(path))?.route),
    );
    expect(found).toEqual(['GET /a', 'GET /a/', 'GET /a/:b', 'GET /a/:b/']);
  });

  it('may include the root', async () => {
    expect((await appOf('GET /').find('/'))?.route).toBe('GET /');
  });

  it.each(['__proto__', 'constructor', 'toString'])(
    'do not include one by the name %s that nobody declared',
    async (name) => {
      const { ask, find } = appOf('GET /things/:id');
      expect((await ask('GET', `/${name}`)).status).toBe(404);
      expect((await ask(name, '/things/7')).status).toBe(405);
      expect((await find(`/things/${name}`))?.params).toEqual({ id: name });
    },
  );

  it('do not pollute the prototype of objects, whatever the method is called', async () => {
    const { ask } = appOf('GET /things/:id');
    await ask('__proto__', '/things/7');
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('leave a value that cannot be decoded as it is', async () => {
    const { find } = appOf('GET /things/:id');
    expect((await find('/things/%zz'))?.params).toEqual({ id: '%zz' });
  });

  it('are found by preference, of all that match', async () => {
    const segment = fc.constantFrom('a', 'b', ':x', ':y');
    const path = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((parts) =>
        parts.map((part, index) => (part.startsWith(':') ? `${part}${index}` : part)),
      );
    const asked = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });
    await assertProperty(
      fc.asyncProperty(fc.array(path, { maxLength: 12 }), asked, async (paths, segments) => {
        const { find } = appOf(...paths.map((parts) => `GET /${parts.join('/')}`));
        const matching = paths
          .filter(
            (parts) =>
              parts.length === segments.length &&
              parts.every((part, index) => part.startsWith(':') || part === segments[index]),
          )
          .toSorted((one, other) => kinds(one).localeCompare(kinds(other)));
        const found = (await find(`/${segments.join('/')}`))?.route;
        const expected = matching[0] && `GET /${matching[0].join('/')}`;
        expect(found?.replaceAll(/:\w+/g, ':')).toBe(expected?.replaceAll(/:\w+/g, ':'));
      }),
    );
  });
});
