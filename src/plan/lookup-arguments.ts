/**
 * Splits the arguments of a lookup into the key and the others, which all keys of a request share.
 */
import type { CallNode, Json, Template } from '../dsl/node.ts';
import { sourcesOf } from '../dsl/node-traits.ts';
import type { LookupArguments } from './plan.ts';

/** `items`: the nodes whose value differs between the items of a list; none outside `each`. */
export function lookupArgumentsOf(
  { operation, args }: CallNode,
  items: ReadonlySet<number>,
): LookupArguments | undefined {
  if (operation.lookup === undefined) return undefined;
  const names = operation.lookup.arguments;
  const others = without(args, names);
  const varies = sourcesOf(others).some(({ node }) => items.has(node));
  return { key: keyOf(args, names), others, varies };
}

/** The list of the parts of a compound key, or the only argument that is a key. */
function keyOf(args: Template, names: readonly string[]): Template {
  const [only, ...parts] = names.map((name) => fieldOf(args, name));
  if (only === undefined) throw new Error('a lookup has at least one argument');
  return parts.length === 0 ? only : { kind: 'array', items: [only, ...parts] };
}

function fieldOf(args: Template, name: string): Template {
  if (args.kind === 'object') {
    const entry = args.entries.find(([key]) => key === name);
    if (entry !== undefined) return entry[1];
  }
  return { kind: 'literal', value: literalFields(args)[name] };
}

function without(args: Template, names: readonly string[]): Template {
  if (args.kind === 'object') {
    return { kind: 'object', entries: args.entries.filter(([key]) => !names.includes(key)) };
  }
  const others = Object.entries(literalFields(args)).filter(([key]) => !names.includes(key));
  return { kind: 'literal', value: Object.fromEntries(others) };
}

/** Arguments without references are one literal. */
function literalFields(args: Template): { readonly [name: string]: Json } {
  const value = args.kind === 'literal' ? args.value : undefined;
  return value as { readonly [name: string]: Json }; // `call` takes an object
}
