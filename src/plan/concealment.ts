/**
 * Finds calls whose arguments are made of the client's credentials or identity: keys have a hash of
 * those.
 */
import type { CallNode, Node, Source } from '../dsl/node.ts';
import { blockSources, sourcesOf } from '../dsl/node-traits.ts';
import { ownerOf } from './visit.ts';

/** The inputs that say who the client is, by their names. */
export interface Credentials {
  readonly cookies: readonly string[];
  readonly headers: readonly string[];
}

/**
 * Whether an argument of a call is a claim, a cookie in `credentials` or a header that has one, as
 * an API key, or is made of one by `map`, `pick`, `given` and the like. The answer of a service is
 * none, whatever it was asked with.
 */
export function createConcealment(nodes: readonly Node[], credentials: Credentials) {
  const known = new Map<string, boolean>();

  function isMadeOfOne(source: Source): boolean {
    const name = JSON.stringify([source.node, source.path]);
    const before = known.get(name);
    if (before !== undefined) return before;
    const found = behind(source, nodes[source.node]);
    known.set(name, found);
    return found;
  }

  function behind({ node: id, path }: Source, node: Node | undefined): boolean {
    switch (node?.kind) {
      case undefined:
      case 'call':
        return false;
      case 'input':
        return isCredential(node.input, path[0]);
      case 'item':
        return ownerValue(id);
      case 'map':
        return sourcesOf(node.inputs).some(isMadeOfOne);
      case 'shape':
        return isMadeOfOne({ node: node.from.node, path: [...node.from.path, ...path] });
      case 'guard':
        return isMadeOfOne({ node: node.guarded, path });
      case 'instead':
        return [{ node: node.guarded, path }, ...blockSources(node.block)].some(isMadeOfOne);
      case 'given':
      case 'each':
        return blockSources(node.block).some(isMadeOfOne);
      default:
        return node satisfies never;
    }
  }

  /** Whether the value that an `each` or `given` hands to its body is. */
  function ownerValue(item: number): boolean {
    const owner = ownerOf(nodes, item);
    if (owner === undefined || owner.kind === 'instead') return false;
    return isMadeOfOne(owner.kind === 'given' ? owner.on : owner.over);
  }

  function isCredential(input: string, name: string | undefined): boolean {
    if (input === 'identity') return true;
    const names = input === 'cookies' || input === 'headers' ? credentials[input] : [];
    // Without a name, it is all of them.
    return name === undefined ? names.length > 0 : names.includes(name);
  }

  return function conceals({ args }: Pick<CallNode, 'args'>): boolean {
    return sourcesOf(args).some(isMadeOfOne);
  };
}
