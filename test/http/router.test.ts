import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRouter } from '../../src/http/router.ts';

/** A router with these routes; what answers is the route itself. */
function routerOf(...routes: readonly string[]) {
  const router = createRouter<string>();
  for (const route of routes) {
    const [method = '', path = ''] = route.split(' ');
    router.add(method, path, route);
  }
  return router;
}

/** Where text and parameters are: text comes first. */
function kinds(parts: readonly string[]): string {
  return parts.map((part) => (part.startsWith(':') ? 1 : 0)).join('');
}

describe('a router', () => {
  it('hands out what stands for the parameters, decoded after it was taken apart', () => {
    const router = routerOf('GET /orders/:order/items/:item');
    expect(router.find('GET', '/orders/a%2Fb/items/%C3%A9')).toEqual({
      value: 'GET /orders/:order/items/:item',
      params: { order: 'a/b', item: 'é' },
    });
  });

  it('prefers text to parameters, from the left, in whatever order they are added', () => {
    const routes = ['GET /:a/list', 'GET /things/:b', 'GET /things/list', 'GET /:a/:b'];
    for (const router of [routerOf(...routes), routerOf(...routes.toReversed())]) {
      const found = ['/things/list', '/things/7', '/others/list', '/others/7'].map(
        (path) => router.find('GET', path)?.value,
      );
      expect(found).toEqual(['GET /things/list', 'GET /things/:b', 'GET /:a/list', 'GET /:a/:b']);
    }
  });

  it('comes back when text leads nowhere', () => {
    const router = routerOf('GET /things/list/all', 'GET /things/:id/parts');
    expect(router.find('GET', '/things/list/parts')).toEqual({
      value: 'GET /things/:id/parts',
      params: { id: 'list' },
    });
  });

  it('asks each method by itself', () => {
    const router = routerOf('GET /things/recent', 'PUT /things/:id');
    expect(router.find('PUT', '/things/recent')?.params).toEqual({ id: 'recent' });
    expect(router.methodsAt('/things/recent')).toEqual(['GET', 'PUT']);
    expect(router.methodsAt('/things/7')).toEqual(['PUT']);
    expect(router.methodsAt('/nothing')).toEqual([]);
  });

  it.each(['/things/', '/things', '/things//', '//7', '/things/7/', ''])(
    'takes nothing for a parameter only where something stands: %j',
    (path) => {
      expect(routerOf('GET /things/:id').find('GET', path)).toBeUndefined();
    },
  );

  it('finds the root', () => {
    expect(routerOf('GET /').find('GET', '/')?.value).toBe('GET /');
  });

  it.each(['__proto__', 'constructor', 'toString'])('has no route by the name %s', (name) => {
    const router = routerOf('GET /things/:id');
    expect(router.find('GET', `/${name}`)).toBeUndefined();
    expect(router.find(name, '/things/7')).toBeUndefined();
    expect(router.find('GET', `/things/${name}`)?.params).toEqual({ id: name });
  });

  it('leaves what cannot be decoded as it is', () => {
    expect(routerOf('GET /things/:id').find('GET', '/things/%zz')?.params).toEqual({ id: '%zz' });
  });

  it('finds the first, by preference, of all routes that match', () => {
    const segment = fc.constantFrom('a', 'b', ':x', ':y');
    const path = fc.array(segment, { minLength: 1, maxLength: 4 });
    const asked = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(path, { maxLength: 12 }), asked, (paths, segments) => {
        const router = routerOf(...paths.map((parts) => `GET /${parts.join('/')}`));
        const matching = paths
          .filter(
            (parts) =>
              parts.length === segments.length &&
              parts.every((part, index) => part.startsWith(':') || part === segments[index]),
          )
          .toSorted((one, other) => kinds(one).localeCompare(kinds(other)));
        const found = router.find('GET', `/${segments.join('/')}`)?.value;
        const expected = matching[0] && `GET /${matching[0].join('/')}`;
        expect(found?.replaceAll(/:\w/g, ':')).toBe(expected?.replaceAll(/:\w/g, ':'));
      }),
    );
  });
});
