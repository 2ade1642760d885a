/** Names of steps: the path of their value in the response, or else the operation's name. */
import type { Block, Node, Template } from '../dsl/node.ts';
import { absorbs, blockOf, readsOf, traitsOf } from '../dsl/node-traits.ts';
import type { Composed } from './run-compose.ts';

/** A name for every node; the names of steps are unique within the composition. */
export function nameSteps({ nodes, root }: Composed): readonly string[] {
  const landed = new Map<number, string>();

  function nameBlock(block: Block, prefix: string): void {
    // A step that is the whole body has no path of its own: the path is that of the `given` or
    // `each`.
    if (block.template.kind !== 'reference') nameParts(block.template, prefix);
    for (const id of block.nodes) {
      const node = nodes[id];
      if (node === undefined) continue;
      const name = nameOf(id, node) ?? fallbackName(nodes, node, placeOfReader(id) ?? prefix);
      const inner = blockOf(node);
      if (inner !== undefined) nameBlock(inner, prefixOf(node, name));
      landed.set(id, name);
    }
  }

  /** The name of a second source is that of its step. */
  function nameOf(id: number, node: Node): string | undefined {
    const own = landed.get(id);
    return node.kind === 'instead' ? (own ?? landed.get(node.guarded)) : own;
  }

  function nameParts(template: Template, prefix: string): void {
    if (template.kind === 'object') {
      for (const [key, part] of template.entries) nameParts(part, join(prefix, token(key)));
    }
    if (template.kind === 'array') {
      for (const [index, part] of template.items.entries())
        nameParts(part, join(prefix, String(index)));
    }
    if (template.kind === 'reference' && template.source.path.length === 0)
      land(template.source.node, prefix);
  }

  /** Gives the name to a node, and to the step inside `optional`, `pick` and the like. */
  function land(id: number, name: string): void {
    const node = nodes[id];
    if (node === undefined || landed.has(id) || name === '') return;
    landed.set(id, name);
    const wrapped = wrappedBy(node);
    if (wrapped !== undefined) land(wrapped, name);
  }

  /** A `given` or `each` whose result only a `map` reads is named after the path of that `map`. */
  function placeOfReader(id: number): string | undefined {
    const node = nodes[id];
    if (node === undefined || !traitsOf(node).canBeIncomplete) return undefined;
    const reader = nodes.findIndex((other) => readsOf(other).some((source) => source.node === id));
    const by = nodes[reader];
    return by && absorbs(by) ? placeOfReader(reader) : landed.get(reader);
  }

  nameBlock(root, '');
  return unique(nodes, landed);
}

/** The prefix of the names inside its block. */
function prefixOf({ kind }: Node, name: string): string {
  return kind === 'instead' ? join(name, kind) : name;
}

/** A `given` or `each` that has no place in the response is named after what it fetches. */
function fallbackName(nodes: readonly Node[], node: Node, prefix: string): string {
  return join(prefix, fetchedBy(nodes, node) ?? node.kind);
}

function fetchedBy(nodes: readonly Node[], node: Node): string | undefined {
  if (node.kind === 'call') return token(node.operation.name);
  for (const id of blockOf(node)?.nodes ?? []) {
    const inner = nodes[id];
    const name = inner && fetchedBy(nodes, inner);
    if (name !== undefined) return name;
  }
  return undefined;
}

/** A second step of the same name becomes `name#2`. A guard has the name of the step it guards. */
function unique(nodes: readonly Node[], landed: ReadonlyMap<number, string>): string[] {
  const names: string[] = [];
  const taken = new Set<string>();
  for (const [id, node] of nodes.entries()) {
    const name = node.kind === 'input' ? node.input : (landed.get(id) ?? node.kind);
    const first = absorbs(node) ? (names[firstGuarded(nodes, node.guarded)] ?? name) : name;
    if (node.kind === 'guard') names.push(first);
    else if (node.kind === 'instead') names.push(unused(join(first, 'instead'), taken));
    // Only steps are in traces and problems; the others may share a name.
    else names.push(traitsOf(node).isStep ? unused(name, taken) : name);
  }
  return names;
}

/** The step that a guard or a second source is for: none of their own. */
export function firstGuarded(nodes: readonly Node[], id: number): number {
  const node = nodes[id];
  return node && absorbs(node) ? firstGuarded(nodes, node.guarded) : id;
}

/** The node whose value a guard or a shape passes on; both have one name. */
function wrappedBy(node: Node): number | undefined {
  switch (node.kind) {
    case 'guard':
    case 'instead':
      return node.guarded;
    case 'shape':
      return node.from.path.length === 0 ? node.from.node : undefined;
    case 'input':
    case 'item':
    case 'call':
    case 'map':
    case 'given':
    case 'each':
      return undefined;
    default:
      return node satisfies never;
  }
}

function unused(name: string, taken: Set<string>): string {
  let free = name;
  for (let count = 2; taken.has(free); count += 1) free = `${name}#${count}`;
  taken.add(free);
  return free;
}

function join(prefix: string, part: string): string {
  return prefix === '' ? part : `${prefix}.${part}`;
}

/** Replaces characters that an HTTP token cannot have: names go into `Plait-Degraded`. */
function token(key: string): string {
  return key.replace(/[^\w!#$%&'*+^`|~-]/g, '_');
}
