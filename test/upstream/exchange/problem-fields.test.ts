/** Whatever a service says is wrong: what is read of it can be shown to any client. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parsePath } from '../../../src/dsl/path.ts';
import { toPointer } from '../../../src/json.ts';
import { fieldsIn } from '../../../src/upstream/exchange/problem-fields.ts';
import { assertProperty } from '../../support/property.ts';

const rule = {
  errors: parsePath('errors', 'errors', 'test'),
  pointer: parsePath('at', 'pointer', 'test'),
  detail: parsePath('text', 'detail', 'test'),
};

it('every place is read as it is meant, in each way to write it', () => {
  const names = fc.array(fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/), {
    minLength: 1,
    maxLength: 9,
  });
  assertProperty(
    fc.property(names, (path) => {
      const fragment = `#${toPointer(path.map(encodeURIComponent))}`;
      const inBrackets = path.map((name) => `['${name}']`).join('');
      for (const at of [path, toPointer(path), fragment, path.join('.'), `$${inBrackets}`])
        expect(fieldsIn(rule, { errors: [{ at, text: 't' }] })).toEqual([{ path, detail: 't' }]);
    }),
  );
});

it('names with slashes and tildes are read from JSON Pointers and lists', () => {
  const names = fc.array(fc.stringMatching(/^[a-c~/.[\]]{1,9}$/), { minLength: 1, maxLength: 5 });
  assertProperty(
    fc.property(names, (path) => {
      for (const at of [path, toPointer(path)])
        expect(fieldsIn(rule, { errors: [{ at, text: 't' }] })).toEqual([{ path, detail: 't' }]);
    }),
  );
});

it('nothing but short lines is kept of any body', () => {
  const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 500 }), fc.jsonValue());
  const entry = fc.record({ at: anything, text: anything, secret: fc.constant('4711') });
  const body = fc.oneof(fc.record({ errors: fc.array(entry, { maxLength: 60 }) }), fc.jsonValue());
  assertProperty(
    fc.property(body, (value) => {
      const fields = fieldsIn(rule, value);
      expect(fields.length).toBeLessThanOrEqual(50);
      for (const text of fields.flatMap(({ path = [], detail }) => [...path, detail])) {
        expect(text).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,200}$/u);
        expect(text.isWellFormed()).toBe(true);
      }
    }),
  );
});
