import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDraft } from '../../src/dsl/draft.ts';
import type { Template } from '../../src/dsl/node.ts';
import { toTemplate } from '../../src/dsl/template.ts';
import { assertProperty } from '../support/property.ts';

/** Any JSON, but for the one field name that is refused. */
const json = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'));

describe('toTemplate', () => {
  it('gives JSON back as the literal it is', () => {
    assertProperty(
      fc.property(json, (value) => {
        const template = toTemplate(createDraft('page'), value, 'it');
        expect(template).toEqual({ kind: 'literal', value });
      }),
    );
  });

  it('keeps every value in its place around a reference', () => {
    assertProperty(
      fc.property(
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          json,
        ),
        (others) => {
          const draft = createDraft('page');
          const reference = draft.add({ kind: 'input', input: 'params' });
          const template = toTemplate(draft, { ...others, list: [others, reference] }, 'it');
          expect(filled(template)).toEqual({ ...others, list: [others, 'node 0'] });
        },
      ),
    );
  });

  it('refuses a field that would set the prototype of the response', () => {
    const value = { list: [JSON.parse('{"__proto__":{"admin":true}}')] };
    expect(() => toTemplate(createDraft('page'), value, 'it')).toThrow(
      'page: it.list[0] has a field "__proto__", which is not an ordinary field in JavaScript. ' +
        'Rename it.',
    );
  });

  it('points with the fields that were read', () => {
    const draft = createDraft('page');
    const body = draft.add<{ customer: { id: string } }>({ kind: 'input', input: 'body' });
    expect(toTemplate(draft, body.customer.id, 'it')).toEqual({
      kind: 'reference',
      source: { node: 0, path: ['customer', 'id'] },
    });
  });

  it('leaves undefined out of objects', () => {
    const value = { a: undefined, list: [null, 1] };
    expect(toTemplate(createDraft('page'), value, 'it')).toEqual({
      kind: 'literal',
      value: { list: [null, 1] },
    });
  });

  it.each([
    ['undefined', [1, undefined]],
    ['a hole', Array.from({ length: 2 }).fill(1, 0, 1)],
  ])('refuses %s in a list', (_, list) => {
    const draft = createDraft('page');
    expect(() => toTemplate(draft, { list }, 'it')).toThrow(
      'page: it.list[1] is undefined, which a list cannot contain. Use null.',
    );
  });
});

/** The value of a template, with references as words. */
function filled(template: Template): unknown {
  if (template.kind === 'literal') return template.value;
  if (template.kind === 'reference') return `node ${template.source.node}`;
  if (template.kind === 'array') return template.items.map(filled);
  return Object.fromEntries(template.entries.map(([key, part]) => [key, filled(part)]));
}
