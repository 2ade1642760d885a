import { describe, expect, it } from 'vitest';
import { frozen } from '../src/frozen.ts';

describe('freezing', () => {
  it('reaches every part of plain data, and leaves instances as they are', () => {
    const value = { list: [{ n: 1 }], at: new Date(0), none: null };
    expect(frozen(value)).toBe(value);
    expect([value, value.list, value.list[0]].every((part) => Object.isFrozen(part))).toBe(true);
    expect(Object.isFrozen(value.at)).toBe(false);
  });

  it('reaches the parts of what was frozen without them, as a readonly schema does', () => {
    const part = { n: 1 };
    frozen(Object.freeze([Object.freeze({ part })]));
    expect(Object.isFrozen(part)).toBe(true);
  });

  it('ends where a value contains itself', () => {
    const loop: { self?: unknown; list: unknown[] } = { list: [] };
    loop.self = loop;
    loop.list.push(loop);
    expect(Object.isFrozen(frozen(loop).list)).toBe(true);
  });
});
