/** Names in a document → names in source code, each of them once. */

/** `list_orders`, `Orders/list`, `list orders` → `listOrders`. */
export function camelCase(text: string): string {
  const [first = '', ...rest] = wordsOf(text);
  const isAcronym = /^[A-Z\d]+$/.test(first);
  const start = isAcronym ? first.toLowerCase() : first.charAt(0).toLowerCase() + first.slice(1);
  return safeStart(start + rest.map(capitalised).join(''));
}

/** `order-item` → `OrderItem`. */
export function pascalCase(text: string): string {
  return safeStart(wordsOf(text).map(capitalised).join(''));
}

/** `order-api` → `ORDER_API`, for variables. */
export function constantCase(text: string): string {
  return wordsOf(text).join('_').toUpperCase();
}

function wordsOf(text: string): readonly string[] {
  return text.match(/[A-Za-z\d]+/g) ?? [];
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** A name does not begin with a digit, and is not empty. */
function safeStart(name: string): string {
  return /^[A-Za-z]/.test(name) ? name : `_${name}`;
}

/** `orderIds` → `orderId`, `categories` → `category`; a name that is no plural stays. */
export function singular(name: string): string {
  if (/(?:[^aeiou])ies$/i.test(name)) return `${name.slice(0, -3)}y`;
  if (/(?:sses|xes|ches|shes|uses)$/i.test(name)) return name.slice(0, -2);
  return /[^su]s$/i.test(name) ? name.slice(0, -1) : name;
}

/** Names that mean the same in another spelling: `order_id`, `orderId`. */
export function alike(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, '');
}

export interface Names {
  /** A name that is not taken yet: `wanted`, or with a number behind it. */
  take(wanted: string): string;
}

/** The words of `plait` that a file may import. */
export const words = (
  'apiKey basic bearer bytes clientCredentials csv defineService form ignoredBody json lookup ' +
  'multipart operation text'
).split(' ');

const keywords = (
  'await break case catch class const continue debugger default delete do else enum export ' +
  'extends false finally for function if implements import in instanceof interface let new null ' +
  'package private protected public return static super switch this throw true try typeof var ' +
  'void while with yield arguments eval undefined z'
).split(' ');

const reserved = [...keywords, ...words];

/** Names of one file; `suffix` tells a name from a word of the language. */
export function createNames(suffix: string): Names {
  const taken = new Set(reserved);
  return {
    take(wanted) {
      const base = reserved.includes(wanted) ? wanted + suffix : wanted;
      let name = base;
      for (let count = 2; taken.has(name); count += 1) name = `${base}${count}`;
      taken.add(name);
      return name;
    },
  };
}
