/** Facts about each kind of node. The compiler asks a new kind for all of them. */
import type { Block, Node, Source, Template } from './node.ts';

export interface NodeTraits {
  /** Whether it is a step: it can be guarded, has a unique name and is shown by `explain`. */
  readonly isStep: boolean;
  /** Whether it ends later than it begins; otherwise it has its value at once. */
  readonly takesTime: boolean;
  /** Whether it runs although nothing reads its value: calling a service may change something. */
  readonly hasEffect: boolean;
  /** Whether tolerated failures can leave its value incomplete. */
  readonly canBeIncomplete: boolean;
}

const traits = {
  input: { isStep: false, takesTime: false, hasEffect: false, canBeIncomplete: false },
  item: { isStep: false, takesTime: false, hasEffect: false, canBeIncomplete: false },
  call: { isStep: true, takesTime: true, hasEffect: true, canBeIncomplete: false },
  map: { isStep: true, takesTime: false, hasEffect: false, canBeIncomplete: false },
  shape: { isStep: false, takesTime: false, hasEffect: false, canBeIncomplete: false },
  guard: { isStep: false, takesTime: false, hasEffect: true, canBeIncomplete: true },
  instead: { isStep: true, takesTime: true, hasEffect: true, canBeIncomplete: true },
  given: { isStep: true, takesTime: true, hasEffect: true, canBeIncomplete: true },
  each: { isStep: true, takesTime: true, hasEffect: true, canBeIncomplete: true },
} as const satisfies Record<Node['kind'], NodeTraits>;

export function traitsOf({ kind }: Pick<Node, 'kind'>): NodeTraits {
  return traits[kind];
}

type KindsThat<Trait extends keyof NodeTraits> = {
  [Kind in Node['kind']]: (typeof traits)[Kind][Trait] extends true ? Kind : never;
}[Node['kind']];

/** The kinds of nodes that are steps. */
export type StepKind = KindsThat<'isStep'>;

/** The kinds of nodes that take time. */
export type TimedKind = KindsThat<'takesTime'>;

export function takesTime(node: Node): node is Extract<Node, { kind: TimedKind }> {
  return traitsOf(node).takesTime;
}

/** The value of a node in the words of a developer, for messages. */
export function wordsFor(node: Node | undefined): string {
  switch (node?.kind) {
    case undefined:
      return 'an unknown step';
    case 'input':
      return node.input;
    case 'item':
      return 'the item';
    case 'call':
      return `the result of ${node.pages ? 'pages' : 'call'}(${node.operation.name})`;
    case 'shape':
    case 'guard':
      return `the result of ${node.mode}()`;
    case 'instead':
      return 'the result of fallback()';
    case 'map':
    case 'given':
    case 'each':
      return `the result of ${node.kind}()`;
    default:
      return node satisfies never;
  }
}

/** The nodes whose value is that of another step, unless it has failed. */
export function absorbs(node: Node): node is Extract<Node, { readonly guarded: number }> {
  return 'guarded' in node;
}

/** A node, whatever has become of its block. */
type Blockless = Node extends infer Kind
  ? Kind extends Node
    ? Omit<Kind, 'block'>
    : never
  : never;

/** The sources that a node itself reads, without those that the nodes of its block read. */
export function readsOf(node: Blockless): readonly Source[] {
  switch (node.kind) {
    case 'input':
    case 'item':
      return [];
    case 'call':
      return [...sourcesOf(node.args), ...earlierThan(node)];
    case 'map':
      return sourcesOf(node.inputs);
    case 'shape':
      return [node.from];
    case 'guard':
      return [{ node: node.guarded, path: [] }];
    case 'instead':
      return [{ node: node.guarded, path: [] }, ...earlierThan(node)];
    case 'given':
      return [node.on, ...earlierThan(node)];
    case 'each':
      return [node.over, ...earlierThan(node)];
    default:
      return node satisfies never;
  }
}

/** The steps that `after` puts before a node, as if it read their values. */
function earlierThan({ after = [] }: { readonly after?: readonly number[] }): readonly Source[] {
  return after.map((node) => ({ node, path: [] }));
}

/** The block that a node runs, if it has one. */
export function blockOf(node: Node): Block | undefined {
  switch (node.kind) {
    case 'instead':
    case 'given':
    case 'each':
      return node.block;
    case 'input':
    case 'item':
    case 'call':
    case 'map':
    case 'shape':
    case 'guard':
      return undefined;
    default:
      return node satisfies never;
  }
}

/** All sources that the value of a block refers to, and what is filled beside it. */
export function blockSources({ template, beside = [] }: Block): readonly Source[] {
  return [template, ...beside].flatMap(sourcesOf);
}

/** All sources a template refers to, in order. */
export function sourcesOf(template: Template): readonly Source[] {
  switch (template.kind) {
    case 'literal':
      return [];
    case 'reference':
      return [template.source];
    case 'object':
      return template.entries.flatMap(([, part]) => sourcesOf(part));
    case 'array':
      return template.items.flatMap(sourcesOf);
    default:
      return template satisfies never;
  }
}
