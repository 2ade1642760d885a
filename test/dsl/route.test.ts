import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRoute } from '../../src/dsl/route.ts';
import type { Segment } from '../../src/dsl/route.ts';
import { traversalProblem } from '../../src/path-segment.ts';
import { messageOf } from '../support/page.ts';
import { assertProperty } from '../support/property.ts';

const word = fc.stringMatching(/^[A-Za-z_]\w{0,8}$/);
const plain = fc
  .stringMatching(/^(?:[\w.~!$&'()+,;=@:-]|%[2-6][\da-fA-F]){1,8}$/)
  .filter((part) => traversalProblem(part, { slash: true }) === undefined);

describe('parseRoute', () => {
  it('takes a route apart', () => {
    expect(parseRoute('GET /orders/:orderId/summary', 'x')).toEqual({
      text: 'GET /orders/:orderId/summary',
      method: 'GET',
      path: '/orders/:orderId/summary',
      template: '/orders/{orderId}/summary',
      params: ['orderId'],
      trailingSlash: false,
      segments: [
        { kind: 'text', text: 'orders' },
        { kind: 'param', name: 'orderId' },
        { kind: 'text', text: 'summary' },
      ],
    });
  });

  it('takes the root', () => {
    expect(parseRoute('DELETE /', 'x')).toMatchObject({ path: '/', template: '/', segments: [] });
  });

  it('gives back whatever segments a route was written from', () => {
    const suffix = plain
      .map((part) => `.${part}`)
      .filter((part) => traversalProblem(`x${part}`, { slash: true }) === undefined);
    const segments = fc.array(
      fc.oneof(
        plain.filter((part) => part[0] !== ':').map((text) => ({ kind: 'text' as const, text })),
        word.map((name) => ({ kind: 'param' as const, name })),
        word.map((name) => ({ kind: 'params' as const, name })),
        fc.record({ kind: fc.constant('mixed' as const), name: word, text: suffix }),
      ),
      { maxLength: 6 },
    );
    const distinct = segments.filter((parts) => {
      const names = parts.flatMap((part) => ('name' in part ? [part.name] : []));
      return new Set(names).size === names.length;
    });
    assertProperty(
      fc.property(
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
        distinct,
        fc.boolean(),
        (method, parts, hasSlash) => {
          const trailingSlash = hasSlash && parts.length > 0;
          const path = `/${parts.map(written).join('/')}${trailingSlash ? '/' : ''}`;
          const route = parseRoute(`${method} ${path}`, 'x');
          expect(route).toMatchObject({ method, path, segments: parts, trailingSlash });
        },
      ),
    );
  });

  it.each([
    ['GET /items/', '/items/', []],
    ['POST /items:batchGet', '/items:batchGet', []],
    ['GET /v1/:id.json', '/v1/{id}.json', ['id']],
    ['POST /users/:userId:activate', '/users/{userId}:activate', ['userId']],
    ['GET /:a-b/:b/', '/{a}-b/{b}/', ['a', 'b']],
    ['GET /:id%20x', '/{id}%20x', ['id']],
    ['GET /:id:id', '/{id}:id', ['id']],
    ['GET /:from-:to', '/{from}-:to', ['from']],
    ['GET /caf%C3%A9', '/caf%C3%A9', []],
    ['GET /group%2Fname', '/group%2Fname', []],
    ['GET /%3Aid', '/%3Aid', []],
    ['GET /files/:path+/', '/files/{path}/', ['path']],
  ])('reads %s as %s', (text, template, params) => {
    expect(parseRoute(text, 'x')).toMatchObject({ text, template, params });
  });

  it('reads any text or refuses it with the place and the text', () => {
    assertProperty(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((rest) => `GET /${rest}`),
        ),
        (anything) => {
          const said = outcome(anything);
          const accepted = said === anything;
          const refused = said.startsWith(
            `page: route ${JSON.stringify(anything)} cannot be used. `,
          );
          expect(accepted || refused, said).toBe(true);
        },
      ),
    );
  });

  it.each([
    '',
    'GET',
    '/orders',
    'get /orders',
    'HEAD /orders',
    'GET orders',
    'GET  /orders',
    'GET /orders ',
    'GET\t/orders',
  ])('refuses "%s" and shows how a route is written', (route) => {
    expect(messageOf(() => parseRoute(route, 'page'))).toBe(
      `page: route ${JSON.stringify(route)} cannot be used. Write a method (GET, POST, PUT, ` +
        'PATCH, DELETE), one space and a path, as in "GET /orders/:orderId".',
    );
  });

  it.each([
    ['GET //', ''],
    ['GET /a//', ''],
    ['GET /a//b', ''],
    ['GET /:', ':'],
    ['GET /:9', ':9'],
    ['GET /:id?', ':id?'],
    ['GET /:id+x', ':id+x'],
    ['GET /:id.%2f..', ':id.%2f..'],
    ['GET /:id*', ':id*'],
    ['GET /:id%', ':id%'],
    ['GET /a%zz', 'a%zz'],
    ['GET /..;x', '..;x'],
    ['GET /a%5Cb', 'a%5Cb'],
    ['GET /a%00', 'a%00'],
    ['GET /a%2F..%2Fb', 'a%2F..%2Fb'],
    ['GET /%252e%252e', '%252e%252e'],
    ['GET /*', '*'],
    ['GET /../x', '..'],
    ['GET /%2e', '%2e'],
    ['GET /ä', 'ä'],
  ])('refuses a segment of %s', (route, segment) => {
    expect(messageOf(() => parseRoute(route, 'page'))).toBe(
      `page: route "${route}" cannot be used. Segment "${segment}" is neither text nor ":name". ` +
        'Use letters, digits and - . _ ~, or a parameter.',
    );
  });

  it.each([
    ['GET /orders/{id}', '{id}', 'Write ":id".'],
    ['GET /a?b=c', 'a?b=c', 'Query parameters are declared by the option query.'],
  ])('says how %s is written here', (route, segment, advice) => {
    expect(messageOf(() => parseRoute(route, 'page'))).toBe(
      `page: route "${route}" cannot be used. Segment "${segment}" is neither text nor ":name". ` +
        advice,
    );
  });

  it('refuses a parameter that is there twice', () => {
    expect(messageOf(() => parseRoute('GET /a/:id/b/:id', 'page'))).toBe(
      'page: route "GET /a/:id/b/:id" cannot be used. Parameter ":id" is there twice; give each ' +
        'its own name.',
    );
  });
});

function written(segment: Segment): string {
  switch (segment.kind) {
    case 'text':
      return segment.text;
    case 'param':
      return `:${segment.name}`;
    case 'mixed':
      return `:${segment.name}${segment.text}`;
    case 'params':
      return `:${segment.name}+`;
    default:
      return segment satisfies never;
  }
}

/** The route again, from its parts, or what is said against it. */
function outcome(text: string): string {
  try {
    const { method, path } = parseRoute(text, 'page');
    return `${method} ${path}`;
  } catch {
    return messageOf(() => parseRoute(text, 'page'));
  }
}
