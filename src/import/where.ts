/** Where a schema is used. */
import { isTrueAt } from './document.ts';
import type { Document, Part } from './document.ts';

/** Fields that are only read, or only written, belong to one of them. */
export type Direction = 'request' | 'response';

export interface Where {
  readonly direction: Direction;
  /** Below a property, where a getter may name what is declared later. */
  readonly isInProperty: boolean;
  /** The schemas around it of which it is a part itself, and not a field or an item. */
  readonly composing: readonly Part[];
}

/** Inside of a field or an item. */
export function inside(where: Where, isInProperty = where.isInProperty): Where {
  return { ...where, isInProperty, composing: [] };
}

/** Whether a property is not there: one that is only read is not sent, and vice versa. */
export function isHidden(
  property: Part | undefined,
  { direction }: Where,
  { follow }: Document,
): boolean {
  if (property === undefined) return false;
  const keyword = direction === 'request' ? 'readOnly' : 'writeOnly';
  return isTrueAt(property, keyword) || isTrueAt(follow(property), keyword);
}
