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
  const { argument } = operation.lookup;
  const others = without(args, argument);
  const varies = sourcesOf(others).some(({ node }) => items.has(node));
  return { key: fieldOf(args, argument), others, varies };
}

function fieldOf(args: Template, name: string): Template {
  if (args.kind === 'object') {
    const entry = args.entries.find(([key]) => key === name);
    if (entry !== undefined) return entry[1];
  }
  return { kind: 'literal', value: literalFields(args)[name] };
}

function without(args: Template, name: string): Template {
  if (args.kind === 'object') {
    return { kind: 'object', entries: args.entries.filter(([key]) => key !== name) };
  }
  const { [name]: _, ...others } = literalFields(args);
  return { kind: 'literal', value: others };
}

/** Arguments without references are one literal. */
function literalFields(args: Template): { readonly [name: string]: Json } {
  const value = args.kind === 'literal' ? args.value : undefined;
  return value as { readonly [name: string]: Json }; // `call` takes an object
}
