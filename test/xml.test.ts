/** XML as values: attributes, lists, texts; and what is refused. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NotXmlError, parseXml, writeXml } from '../src/xml.ts';
import { assertProperty } from './support/property.ts';
import { cpuMsOf } from './support/cpu-time.ts';

const anything = z.object({}).catchall(z.unknown());
const order = z.object({
  order: z.object({
    '@id': z.string(),
    total: z.coerce.number().optional(),
    line: z.array(z.object({ sku: z.string(), note: z.string().optional() })),
    ship: z.object({ to: z.string().optional() }).optional(),
  }),
});

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error instanceof NotXmlError ? `refused: it ${error.message}` : error;
  }
}

describe('a document', () => {
  it.each<[string, z.ZodType, string, unknown]>([
    [
      'a list of one',
      order,
      '<order id="7"><line><sku>a</sku></line></order>',
      { order: { '@id': '7', line: [{ sku: 'a' }] } },
    ],
    ['a list of none', order, '<order id="7"/>', { order: { '@id': '7', line: [] } }],
    [
      'an empty number',
      order,
      '<order id="7"><total/></order>',
      { order: { '@id': '7', line: [], total: undefined } },
    ],
    [
      'an empty object',
      order,
      '<order id="7"><ship/></order>',
      { order: { '@id': '7', line: [], ship: {} } },
    ],
    [
      'text and attributes',
      anything,
      '<a b="c">d<e/>f</a>',
      { a: { '@b': 'c', '#text': 'df', e: '' } },
    ],
    [
      'a text whose attributes nobody wants',
      z.object({ a: z.string() }),
      '<a b="c">d</a>',
      { a: 'd' },
    ],
    [
      'elements of one name',
      anything,
      '<a><b>1</b><c/><b>2</b></a>',
      { a: { b: ['1', '2'], c: '' } },
    ],
    [
      'entities, references and CDATA',
      anything,
      '<a>&lt;&#233;&#x1F600;<![CDATA[<b>&amp;]]></a>',
      { a: '<é😀<b>&amp;' },
    ],
    [
      'prefixes',
      anything,
      '<s:a xmlns:s="urn:x"><s:b/></s:a>',
      { 's:a': { '@xmlns:s': 'urn:x', 's:b': '' } },
    ],
    [
      'comments and instructions',
      anything,
      '<?xml version="1.0"?><!-- <b/> --><a><?php x?>b</a>',
      { a: 'b' },
    ],
    ['no __proto__', anything, '<a><__proto__>b</__proto__><c/></a>', { a: { c: '' } }],
  ])('gives %s', (_, schema, text, value) => {
    expect(parseXml(schema, text, 64)).toEqual(value);
  });

  it.each([
    ['a DTD', '<!DOCTYPE a><a/>', 'has a DTD, which is refused'],
    [
      'entities of its own',
      '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
      'has a DTD, which is refused',
    ],
    ['an unknown entity', '<a>\n&secret;</a>', 'is not well-formed XML in line 2'],
    ['an open element', '<a><b></a>', 'is not well-formed XML in line 1'],
    ['two roots', '<a/><b/>', 'is not well-formed XML in line 1'],
    ['an attribute twice', '<a b="" b=""/>', 'is not well-formed XML in line 1'],
    ['a control character', '<a>\u0001</a>', 'is not well-formed XML in line 1'],
    ['nothing', '', 'is not well-formed XML in line 1'],
    ['JSON', '{}', 'is not well-formed XML in line 1'],
    [
      'too many levels',
      '<a>'.repeat(65) + '</a>'.repeat(65),
      'is XML that is nested deeper than 64 levels (maxDepth)',
    ],
  ])('is refused with %s', (_, text, problem) => {
    expect(attempt(() => parseXml(anything, text, 64))).toBe(`refused: it ${problem}`);
  });

  it('is read as it was written', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 });
    const field = fc.constantFrom('a', 'b', 's:c');
    const leaf = fc.record({
      '@id': text,
      x: text,
      y: fc.array(text, { minLength: 2, maxLength: 3 }),
    });
    assertProperty(
      fc.property(field, leaf, (name, value) => {
        const written = attempt(() => writeXml({ [name]: value }, String));
        const result = attempt(() => parseXml(anything, String(written), 64));
        const isRefused = String(written).startsWith('refused: it has a character that XML');
        expect(isRefused ? value : result).toEqual(isRefused ? value : { [name]: value });
      }),
    );
  });

  it.each<[string, unknown, string]>([
    [
      'attributes, text and lists',
      { a: { '@b': 1, '#text': '<', c: ['x', 'y'], d: null, e: undefined } },
      '<a b="1">&#60;<c>x</c><c>y</c></a>',
    ],
    ['line ends as they are', { a: '\r\n\t"' }, '<a>&#13;&#10;&#9;&#34;</a>'],
    ['no roots', {}, 'refused: it has not exactly one field, the root element'],
    ['two roots', { a: '', b: '' }, 'refused: it has not exactly one field, the root element'],
    ['a list of roots', { a: ['', ''] }, 'refused: it has not exactly one field, the root element'],
    [
      'a field that is no name',
      { 'a b': '' },
      'refused: it has a field whose name is not a valid name in XML',
    ],
    [
      'an attribute that is no name',
      { a: { '@b="': '' } },
      'refused: it has a field whose name is not a valid name in XML',
    ],
    ['a control character', { a: '\0' }, 'refused: it has a character that XML does not have'],
  ])('is written with %s', (_, value, text) => {
    const result = String(attempt(() => writeXml(value, String)));
    expect(result.replace('<?xml version="1.0" encoding="UTF-8"?>', '')).toBe(text);
  });

  it('takes no more time than its size is worth', () => {
    const many = Array.from({ length: 50_000 }, (_, index) => `a${index}="1"`).join(' ');
    const read = () => {
      parseXml(anything, `<a ${many}>${'<b>c</b>'.repeat(50_000)}</a>`, 64);
      attempt(() => parseXml(anything, '<a>'.repeat(200_000), 64));
    };
    expect(cpuMsOf(read)).toBeLessThan(5_000);
  });
});
