/** Routes with a slash at the end, with parameters beside text, and with escapes, over sockets. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { CompositionError, UpstreamError } from '../../../src/errors.ts';
import { traversalProblem } from '../../../src/path-segment.ts';
import { targetOf } from '../../../src/upstream/exchange/target.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import { dispatchFor, failureOf, nowhere, openShop } from '../../support/upstream-calls.ts';

const response = z.null();

/** An operation with a route that is not known to the compiler. */
function operationAt(text: string, rest: { slash?: readonly string[] } = {}, service = nowhere) {
  const route = text as 'GET /:id'; // any other would do
  return operation(service, { name: 'own', route, response, ...(rest as { slash?: ['id'] }) });
}

/** The target; `undefined` if the route or the argument is refused. */
function outcomeOf(route: string, id: unknown): string | undefined {
  try {
    return targetOf(dispatchFor(operationAt(route), { id }), {});
  } catch (error) {
    if (error instanceof UpstreamError || error instanceof CompositionError) return undefined;
    throw error;
  }
}

describe('the route of an operation', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['GET /items/', {}, '/items/'],
    ['GET /items/:id/', { id: 'a b' }, '/items/a%20b/'],
    ['POST /items:batchGet', {}, '/items:batchGet'],
    ['GET /:id.json', { id: 7 }, '/7.json'],
    ['GET /:id.json/', { id: 'ä' }, '/%C3%A4.json/'],
    ['POST /users/:id:activate', { id: 'a:b' }, '/users/a%3Ab:activate'],
    ['GET /:id%20x', { id: 'a' }, '/a%20x'],
    ['GET /caf%C3%A9/group%2Fname', {}, '/caf%C3%A9/group%2Fname'],
    ['GET /files/:path+/', { path: 'a/b c' }, '/files/a/b%20c/'],
    ['GET /', {}, '/'],
    ["GET /a!$&'(),;=~@", {}, "/a!$&'(),;=~@"],
  ])('%s with %j asks for %s below the prefix', async (route, args, target) => {
    const { url, requests } = await startServer();
    const { service, call } = openShop({ url: `${url}/v2/` });
    await call(operationAt(route, {}, service), args, undefined);
    expect(requests.map((request) => request.target)).toEqual([`/v2${target}`]);
  });
});

describe('a parameter beside text', () => {
  it.each<[string, unknown, string]>([
    ['GET /:id.json', '..', 'is a relative path'],
    ['GET /:id.json', '', 'is empty'],
    ['GET /:id.json', 'a/b', 'contains a slash'],
    ['GET /:id.json', '../a', 'contains a relative path'],
    ['GET /:id.json', '%2e%2e%2fa', 'contains a relative path once it is decoded again'],
    ['GET /:id%2e', '.', 'is a relative path'],
    ['GET /:id:x', '..;a', 'contains a relative path'],
    ['GET /:id;x', '..', 'is a relative path'],
    ['GET /:id.', '%2e', 'contains a relative path once it is decoded again'],
    ['GET /:id.', '\u2024', 'contains a relative path'],
    // Neither part is a relative path by itself.
    ['GET /:id%65', '%2e%2', 'contains a relative path once it is decoded again'],
    ['GET /:id%2Fa', '%2e.', 'contains a relative path once it is decoded again'],
  ])('is refused: %s with %j', async (route, id, problem) => {
    const { url, requests } = await startServer();
    const { service, call } = openShop({ url });
    const error = await failureOf(call(operationAt(route, {}, service), { id }, undefined));
    expect(error).toMatchObject({ kind: 'invalid-argument', argument: 'id' });
    expect(error.message).toBe(`shop.own: argument "id" ${problem}`);
    expect(requests).toEqual([]);
  });

  it('may contain slashes if its operation says so', () => {
    const own = operationAt('GET /:id.json', { slash: ['id'] });
    expect(targetOf(dispatchFor(own, { id: '@scope/name' }), {})).toBe('/%40scope%2Fname.json');
    expect(() => targetOf(dispatchFor(own, { id: '@scope/..' }), {})).toThrow(UpstreamError);
  });

  it('never reaches another path together with it, however often that is decoded', () => {
    const unit = fc.constantFrom('.', '%', '2', 'e', 'f', '5', 'c', '/', ';', '\\', 'a', '\u2024');
    const text = fc
      .string({ unit: fc.constantFrom('.', '%2e', '%65', '2e', 'e', ';', ':', '%2F', 'x', '~') })
      .filter((suffix) => /^[^2ex]/.test(suffix));
    assertProperty(
      fc.property(fc.string({ unit }), text, (id, suffix) => {
        const target = outcomeOf(`GET /a/:id${suffix}`, id);
        if (target === undefined) return;
        expect(target).toBe(`/a/${encodeURIComponent(id)}${suffix}`);
        expect(new URL(`http://h${target}`).pathname).toBe(target);
        expect(traversalProblem(target.slice('/a/'.length), { slash: true })).toBeUndefined();
      }),
      { full: 2_000 },
    );
  });
});
