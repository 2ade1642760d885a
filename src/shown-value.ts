/** Names values, and kinds of them, that were not expected in messages about declarations. */

/**
 * A value as one would write it. Never throws, whatever the value is: the message is all that its
 * author gets.
 */
export function shownValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    case 'object':
      return value === null ? 'null' : shownObject(value);
    default:
      return String(value);
  }
}

/** Names the kind of a value that may be a secret, and shows nothing of its texts and numbers. */
export function shownSecret(value: unknown): string {
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number';
  return value === undefined ? 'missing' : Array.isArray(value) ? 'an array' : shownValue(value);
}

/** Lists of texts and the like as they are, and nothing of what may be long or have secrets. */
function shownObject(value: object): string {
  if (!Array.isArray(value)) return 'an object';
  const items = value.map((item: unknown) => (Array.isArray(item) ? 'a list' : shownValue(item)));
  return items.length > 10 ? 'a long list' : `[${items.join(',')}]`;
}

/** `an object`, `a string` */
export function withArticle(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}
