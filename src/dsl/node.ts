/** What a composition is made of, as data. The words of the DSL add nodes; a plan is nodes, checked. */
import type { Operation } from './operation.ts';

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A value inside what a node produces: the node's number and the fields that lead to it. */
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

/** Nodes that run together and the template they fill: the whole composition, or a part that runs per item or not at all. */
export interface Block {
  readonly nodes: readonly number[];
  readonly template: Template;
}

export type InputName = 'params' | 'query' | 'body' | 'headers';

export type Node =
  /** A part of the client's request. */
  | { readonly kind: 'input'; readonly input: InputName }
  /** What `each` and `given` hand to their body. */
  | { readonly kind: 'item' }
  | { readonly kind: 'call'; readonly operation: Operation; readonly args: Template }
  | {
      readonly kind: 'map';
      readonly inputs: Template;
      readonly compute: (inputs: never) => unknown;
    }
  | ShapeNode
  | GuardNode
  /** `item` is the node that stands for the present value inside the block. */
  | { readonly kind: 'given'; readonly on: Source; readonly item: number; readonly block: Block }
  | {
      readonly kind: 'each';
      readonly over: Source;
      readonly max: number;
      readonly item: number;
      readonly block: Block;
    };

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
  readonly step: number;
  readonly instead: Json;
}
