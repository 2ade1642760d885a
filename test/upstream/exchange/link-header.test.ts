/** `Link` headers (RFC 8288): the next page is found, whatever stands around it. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextLinks } from '../../../src/upstream/exchange/link-header.ts';
import { assertProperty } from '../../support/property.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

describe('the next links of a header', () => {
  it.each<[string, string, string[]]>([
    ['nothing', '', []],
    ['one', '</a>; rel="next"', ['/a']],
    ['a relation without quotes', '</a>;rel=next', ['/a']],
    ['another case', '</a>; REL="NEXT"', ['/a']],
    ['spaces around everything', ' </a> ;\trel = "next" ', ['/a']],
    ['several relations of one link', '</a>; rel="prev  next"', ['/a']],
    ['other links', '</p>; rel=prev, </a>; rel=next, </l>; rel=last', ['/a']],
    ['an address with commas and semicolons', '</a,b;rel=x>; rel=next', ['/a,b;rel=x']],
    ['text with commas, quotes and brackets', String.raw`</a>; title="\"<b>, ;"; rel=next`, ['/a']],
    ['a name that only ends in rel', '</a>; xrel=next', []],
    ['a relation that only begins with next', '</a>; rel=next-archive', []],
    ['only the first rel of a link', '</a>; rel=prev; rel=next', []],
    ['no relation', '</a>', []],
    ['a parameter without a value', '</a>; crossorigin; rel=next', ['/a']],
    ['empty parameters and elements', ', </a>;; rel=next,,', ['/a']],
    ['another context', '</a>; rel=next; anchor="/other"', []],
    ['the same address twice', '</a>; rel=next, </a>; rel=next', ['/a']],
    ['several addresses', '</a>; rel=next, </b>; rel=next', ['/a', '/b']],
    ['an address that is the page itself', '<>; rel=next', ['']],
  ])('are found where there is %s', (_, text, links) => {
    expect(nextLinks(text)).toEqual(links);
  });

  it.each([
    '/a; rel=next',
    '</a; rel=next',
    '</a> rel=next',
    '</a>; rel="next',
    '</a>; rel=next, x',
  ])('are not guessed from %s', (text) => {
    expect(nextLinks(text)).toBeUndefined();
  });

  it('are those that were written, for any addresses, parameters and spaces', () => {
    const space = fc.constantFrom('', ' ', '\t ');
    const address = fc.stringMatching(/^[!#-;=?-~]{1,12}$/);
    const quoted = fc
      .string({ unit: 'binary-ascii', maxLength: 8 })
      .filter((text) => /^[\t -~]*$/.test(text))
      .map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`);
    const parameter = fc
      .tuple(space, fc.constantFrom('title', 'type', 'x*'), fc.oneof(quoted, fc.constant('t')))
      .map(([gap, name, value]) => `${gap};${gap}${name}${gap}=${gap}${value}`);
    const link = fc.record({
      address,
      before: fc.array(parameter, { maxLength: 3 }),
      isNext: fc.boolean(),
      after: fc.array(parameter, { maxLength: 3 }),
    });
    assertProperty(
      fc.property(fc.array(link, { maxLength: 5 }), space, (links, gap) => {
        const text = links
          .map(({ address: to, before, isNext, after }) => {
            const rel = isNext ? '; rel="last next"' : '; rel=prev';
            return `<${to}>${before.join('')}${rel}${after.join('')}`;
          })
          .join(`${gap},${gap}`);
        const expected = links.filter(({ isNext }) => isNext).map(({ address: to }) => to);
        expect(nextLinks(text)).toEqual([...new Set(expected)]);
      }),
    );
  });

  it('are read in linear time, whatever the text', () => {
    for (const text of [
      '<'.repeat(20_000),
      '; '.repeat(20_000),
      `<a>${'; a="'.repeat(9_000)}`,
      `<a>${';\t'.repeat(20_000)}x`,
    ]) {
      expect(cpuMsOf(() => nextLinks(text))).toBeLessThan(200);
    }
  });
});
