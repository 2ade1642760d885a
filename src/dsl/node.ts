/** A composition as data: the words of the DSL add nodes, and a plan is made of those. */
import type { Operation } from './operation.ts';
import type { PagesRule } from './pages-rule.ts';

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * A value, or a field of it: the number of the node that produces it, and the path to the field.
 */
export interface Source {
  readonly node: number;
  readonly path: readonly string[];
}

/** The static form of a response, an argument list or the inputs of a `map`. */
export type Template =
  | { readonly kind: 'literal'; readonly value: Json | undefined }
  | { readonly kind: 'reference'; readonly source: Source }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Template])[] }
  | { readonly kind: 'array'; readonly items: readonly Template[] };

/**
 * Nodes that run together, and the template they fill: the whole composition, or the part of it
 * that `each` runs for every item and `given` when its value is present.
 */
export interface Block {
  readonly nodes: readonly number[];
  readonly template: Template;
  /** Templates that are filled beside its value: the status and the headers of an answer. */
  readonly beside?: readonly Template[];
}

export type InputName = 'params' | 'query' | 'body' | 'headers' | 'cookies' | 'identity';

export type Node =
  | InputNode
  | ItemNode
  | CallNode
  | MapNode
  | ShapeNode
  | GuardNode
  | InsteadNode
  | GivenNode
  | EachNode;

/** A part of the client's request. */
export interface InputNode {
  readonly kind: 'input';
  readonly input: InputName;
}

/** The value that `each` and `given` hand to their body. */
export interface ItemNode {
  readonly kind: 'item';
}

/** Nodes that begin only when other steps have succeeded, none of whose values they read. */
interface Ordered {
  /** The numbers of those steps. */
  readonly after?: readonly number[];
}

export interface CallNode extends Ordered {
  readonly kind: 'call';
  readonly operation: Operation;
  readonly args: Template;
  /** Present if the value is a list whose pages are asked for one after the other. */
  readonly pages?: PagesRule;
}

export interface MapNode {
  readonly kind: 'map';
  readonly inputs: Template;
  readonly compute: (inputs: never) => unknown;
}

export interface ShapeNode {
  readonly kind: 'shape';
  readonly from: Source;
  readonly mode: 'pick' | 'omit';
  readonly keys: readonly string[];
}

/** Tolerates the failure of one step: its value becomes `instead`. */
export interface GuardNode {
  readonly kind: 'guard';
  readonly mode: 'optional' | 'fallback';
  /** The number of that step. */
  readonly guarded: number;
  readonly instead: Json;
  /** How long the step may take, from when it begins; absent: as long as the request. */
  readonly withinMs?: number;
}

/** Tolerates the failure of one step: its value becomes that of the block, run only then. */
export interface InsteadNode extends Ordered {
  readonly kind: 'instead';
  /** The number of that step. */
  readonly guarded: number;
  /** How long the step may take, from when it begins; absent: as long as the request. */
  readonly withinMs?: number;
  /** The number of the node that stands for the failure inside the block. */
  readonly item: number;
  readonly block: Block;
}

/** Runs its block when the value `on` is present. */
export interface GivenNode extends Ordered {
  readonly kind: 'given';
  readonly on: Source;
  /** The number of the node that stands for the present value inside the block. */
  readonly item: number;
  readonly block: Block;
}

/** Runs its block for every item of the list `over`. */
export interface EachNode extends Ordered {
  readonly kind: 'each';
  readonly over: Source;
  readonly max: number;
  /** How many of its calls may be under way at a time, lookups aside; absent: any number. */
  readonly concurrency?: number;
  /** The number of the node that stands for the present item inside the block. */
  readonly item: number;
  readonly block: Block;
}
