import { call, defineComposition, defineService, operation } from 'plait';
import type { Composition, Service } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compileAll } from '../../src/plan/compile.ts';
import type { NamedComposition } from '../../src/plan/compile.ts';
import { things } from '../support/page.ts';

function named(name: string, composition: Composition): NamedComposition {
  return { name, composition };
}

function calling(route: `GET /${string}`, path: `/${string}`, service: Service): Composition {
  const own = operation(service, {
    name: 'own',
    route: `GET ${path}`,
    response: z.object({ id: z.string() }),
  });
  return defineComposition({ route, compose: () => ({ own: call(own, {}) }) });
}

const shop = (url: string): Service => defineService({ name: 'shop', url });
const plain = (route: `GET /${string}`): Composition =>
  defineComposition({ route, compose: () => ({ ok: true }) });

/** Loads `old`, and then all of `next` while `old` is running. */
function reload(old: readonly NamedComposition[], next: readonly NamedComposition[]) {
  const { claims } = compileAll(old);
  const { plans, errors } = compileAll(next, new Set(claims));
  return { served: plans.map(({ name }) => name), errors: errors.map(({ message }) => message) };
}

const newcomer = 'This one is new, so the other stays.';

describe('two routes', () => {
  it.each<[`/${string}`, `/${string}`, boolean]>([
    ['/x/:id', '/x/:key', true],
    ['/x/:id/', '/x/:key/', true],
    ['/x/:id', '/x/:id/', false],
    ['/x', '/x/', false],
    ['/x:find', '/x:find', true],
    ['/x:find', '/x:list', false],
    ['/x:find', '/:x', false],
    ['/caf%C3%A9', '/caf%c3%a9', true],
    ['/%41bc', '/Abc', true],
    ['/Abc', '/abc', false],
  ])('%s and %s: whether they collide is %s', (one, other, collide) => {
    const { errors } = compileAll([
      named('one', plain(`GET ${one}`)),
      named('other', plain(`GET ${other}`)),
    ]);
    expect(errors).toHaveLength(collide ? 2 : 0);
  });

  it("of which one is the gateway's own collide, however that is written", () => {
    const { errors } = compileAll([named('one', plain('GET /%6Civez'))]);
    expect(errors.map(({ message }) => message)).toEqual([
      'one: /%6Civez is served by the gateway itself. Choose another path.',
    ]);
  });
});

describe('a newcomer that collides with what is running', () => {
  it('does not take its route', () => {
    const old = named('old', plain('GET /x/:id'));
    const result = reload([old], [named('a-new', plain('GET /x/:key')), old]);
    expect(result).toEqual({
      served: ['old'],
      errors: [`a-new: route GET /x/:key is also served by old. Change one of them. ${newcomer}`],
    });
  });

  it('is a composition that was there with another route', () => {
    const old = named('old', plain('GET /x'));
    const before = named('changed', plain('GET /y'));
    const result = reload([old, before], [named('changed', plain('GET /x')), old]);
    expect(result.served).toEqual(['old']);
    expect(result.errors).toEqual([expect.stringMatching(/^changed: .*This one is new/)]);
  });

  it('does not take the name of its operation', () => {
    const old = named('old', calling('GET /x', '/a', things));
    const fresh = named('a-new', calling('GET /y', '/b', things));
    const result = reload([old], [fresh, old]);
    expect(result.served).toEqual(['old']);
    expect(result.errors).toEqual([
      expect.stringMatching(
        /^a-new: two operations are called things\.own \(GET \/b in .*test\.ts:\d+ and GET \/a in .*test\.ts:\d+\)\..* This one is new, so the other stays\.$/,
      ),
    ]);
  });

  it('leaves alone what does not collide', () => {
    const old = named('old', plain('GET /x'));
    const result = reload(
      [old],
      [named('twin', plain('GET /x')), named('other', plain('GET /z')), old],
    );
    expect(result.served).toEqual(['other', 'old']);
  });

  it('takes over when the older one is gone', () => {
    const result = reload([named('old', plain('GET /x'))], [named('new', plain('GET /x'))]);
    expect(result).toEqual({ served: ['new'], errors: [] });
  });
});

describe('a collision in which the newcomer is not known', () => {
  it.each<[string, readonly NamedComposition[]]>([
    ['two new routes', [named('a', plain('GET /y')), named('b', plain('GET /y'))]],
    [
      'two services of one name that one file defines',
      [
        named('a', calling('GET /y', '/a', shop('http://a'))),
        named('b', calling('GET /z', '/b', shop('http://b'))),
      ],
    ],
  ])('takes down all parties and says so: %s', (_, fresh) => {
    const old = named('old', plain('GET /x'));
    const { served, errors } = reload([old], [...fresh, old]);
    expect(served).toEqual(['old']);
    expect(errors).toEqual([
      expect.stringMatching(/^a: .* Which of them is new is not known, so none is served\.$/),
      expect.stringMatching(/^b: .* Which of them is new is not known, so none is served\.$/),
    ]);
  });
});
