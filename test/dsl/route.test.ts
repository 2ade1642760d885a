import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRoute } from '../../src/dsl/route.ts';
import { messageOf } from '../support/page.ts';
import { assertProperty } from '../support/property.ts';

const word = fc.stringMatching(/^[A-Za-z_]\w{0,8}$/);
const plain = fc
  .stringMatching(/^[\w.~!$&'()+,;=@-]{1,8}$/)
  .filter((part) => part !== '.' && part !== '..');

describe('parseRoute', () => {
  it('takes a route apart', () => {
    expect(parseRoute('GET /orders/:orderId/summary', 'x')).toEqual({
      text: 'GET /orders/:orderId/summary',
      method: 'GET',
      path: '/orders/:orderId/summary',
      template: '/orders/{orderId}/summary',
      params: ['orderId'],
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
    const segments = fc.array(
      fc.oneof(
        plain.map((part) => ({ kind: 'text' as const, text: part })),
        word.map((name) => ({ kind: 'param' as const, name })),
      ),
      { maxLength: 6 },
    );
    const distinct = segments.filter((parts) => {
      const names = parts.flatMap((part) => (part.kind === 'param' ? [part.name] : []));
      return new Set(names).size === names.length;
    });
    assertProperty(
      fc.property(
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
        distinct,
        (method, parts) => {
          const written = parts.map((part) => (part.kind === 'text' ? part.text : `:${part.name}`));
          const path = `/${written.join('/')}`;
          const route = parseRoute(`${method} ${path}`, 'x');
          expect(route.method).toBe(method);
          expect(route.path).toBe(path);
          expect(route.segments).toEqual(parts);
        },
      ),
    );
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
    ['GET /a/', ''],
    ['GET /a//b', ''],
    ['GET /:', ':'],
    ['GET /:9', ':9'],
    ['GET /:id?', ':id?'],
    ['GET /:id.json', ':id.json'],
    ['GET /a:b', 'a:b'],
    ['GET /*', '*'],
    ['GET /../x', '..'],
    ['GET /%2e', '%2e'],
    ['GET /a?b=c', 'a?b=c'],
    ['GET /ä', 'ä'],
  ])('refuses a segment of %s', (route, segment) => {
    expect(messageOf(() => parseRoute(route, 'page'))).toBe(
      `page: route "${route}" cannot be used. Segment "${segment}" is neither text nor ":name". ` +
        'Use letters, digits and - . _ ~, or a parameter.',
    );
  });

  it('refuses a parameter that is there twice', () => {
    expect(messageOf(() => parseRoute('GET /a/:id/b/:id', 'page'))).toBe(
      'page: route "GET /a/:id/b/:id" cannot be used. Parameter ":id" is there twice; give each ' +
        'its own name.',
    );
  });
});

/** The route again, from its parts, or what is said against it. */
function outcome(text: string): string {
  try {
    const { method, path } = parseRoute(text, 'page');
    return `${method} ${path}`;
  } catch {
    return messageOf(() => parseRoute(text, 'page'));
  }
}
