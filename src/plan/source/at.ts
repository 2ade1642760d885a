/** Where an evaluation is, what it reports to, and how its parts go on with each other's. */
import type { AnyNode } from 'acorn';
import type { MistakeKind } from './mistake.ts';
import type { FunctionNode } from './parse.ts';
import type { Closure, Scope, Value } from './value.ts';

/** The functions that evaluate any code: they call the parts of the evaluation, and are called. */
export interface Evaluator {
  /** The value of an expression; statements have none. */
  evaluate(node: AnyNode, at: At): Value;
  /** The same, without reporting that a function of `map` uses a reference. */
  peek(node: AnyNode, at: At): Value;
  /** Follows a function that is called with `args`, and returns what it returns. */
  follow(closure: Closure, args: readonly Value[], at: At): Value;
}

/** Receives events while a function is followed. */
export interface Reading {
  report(kind: MistakeKind, node: AnyNode, at: At): void;
  /** A function of which the source is not at hand. */
  meetsUnread(callee: Value): void;
  /** A function that may never be called. */
  meetsFunction(closure: Closure, at: At): void;
  /** Whether to follow a function once more. */
  mayEnter(node: FunctionNode): boolean;
  leaves(node: FunctionNode): void;
}

/** Where the evaluation is. */
export interface At {
  readonly evaluator: Evaluator;
  readonly reading: Reading;
  readonly scope: Scope;
  /**
   * `compose`: it runs while `compose` does. `map`: it runs for each request. `perhaps`: no
   * call of it is seen.
   */
  readonly phase: 'compose' | 'map' | 'perhaps';
  /** Whether a `catch` is around it. */
  readonly isTried: boolean;
  /** The function, for messages. */
  readonly maker: string;
  /** Whether it is called by the composition, which need not give it all arguments. */
  readonly isHelper: boolean;
  readonly returns: Value[];
}

/** For what is evaluated only for its value. */
export const silent: Reading = {
  report: () => undefined,
  meetsUnread: () => undefined,
  meetsFunction: () => undefined,
  mayEnter: () => false,
  leaves: () => undefined,
};
