/**
 * The meaning of a plan: the outcome of a request, found by plain recursion over steps, without
 * time, columns or callbacks. If several things fail, it is left open which of them is named.
 */
import type { Source, Template } from '../../../src/dsl/node.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import type {
  CallStep,
  EachStep,
  GivenStep,
  GuardStep,
  InsteadStep,
  MapStep,
} from '../../../src/plan/plan.ts';
import type {
  Plan,
  PlanBlock,
  ResponsePath,
  ShapeStep,
  Step,
  TimedStep,
} from '../../../src/plan/plan.ts';
import { toPointer } from '../../../src/json.ts';
import {
  Undecided,
  allOf,
  attempt,
  earlyOf,
  failed,
  failuresOf,
  internal,
  noReasons,
  none,
  ofClient,
  oneOf,
  valued,
} from './result.ts';
import type { Missing, Open, Part, Result, StepResult } from './result.ts';
import { verdictOf } from './world.ts';
import type { World } from './world.ts';

/** Everything that the outcome of a request depends on. */
export interface Situation {
  readonly plan: Plan;
  readonly world: World;
  readonly body: unknown;
  /** Whether tolerated steps are left out. */
  readonly sheds: boolean;
  /** Operations that never answer; what cuts off the request does so when all others have. */
  readonly hanging: readonly Operation[];
  readonly cutBy: 'deadline' | 'disconnected';
}

export type Meaning = (
  | { readonly kind: 'answered'; readonly value: unknown; readonly missing: readonly Missing[] }
  | { readonly kind: 'failed'; readonly reasons: ReadonlySet<string> }
) & {
  /** Whether all items of lists run the same steps: none fails, skips, or has an empty list. */
  readonly isEven: boolean;
};

/** One run of a block for one item. */
interface Scope {
  readonly block: PlanBlock;
  readonly parent: Scope | undefined;
  readonly item: unknown;
  readonly index: number;
  /** Whether it begins only when the request has been cut off. */
  readonly isLate: boolean;
  readonly results: Map<number, StepResult>;
}

/** `undefined` if it depends on which of several failures comes first. */
export function meaningOf(situation: Situation): Meaning | undefined {
  try {
    return new Reader(situation).meaning();
  } catch (error) {
    if (error instanceof Undecided) return undefined;
    throw error;
  }
}

function scopeOf(
  block: PlanBlock,
  parent: Scope | undefined,
  { item, index, isLate }: Pick<Scope, 'item' | 'index' | 'isLate'>,
): Scope {
  return { block, parent, item, index, isLate, results: new Map() };
}

class Reader {
  readonly #situation: Situation;
  readonly #calls = { inTime: new Set<string>(), late: new Set<string>() };
  #isEven = true;

  constructor(situation: Situation) {
    this.#situation = situation;
  }

  meaning(): Meaning {
    const { plan } = this.#situation;
    const result = this.#block(
      scopeOf(plan.root, undefined, { item: undefined, index: 0, isLate: false }),
    );
    // The request remembers the replies to earlier calls, even after it has been cut off.
    if (!this.#calls.late.isDisjointFrom(this.#calls.inTime)) throw new Undecided();
    const isEven = this.#isEven;
    if (result.reasons !== undefined) return { kind: 'failed', reasons: result.reasons, isEven };
    const missing = [...result.missing].map(([part, isOpen]) => ({ ...part, isOpen }));
    return { kind: 'answered', value: result.value, missing, isEven };
  }

  #block(scope: Scope): Result {
    const { needs, template } = scope.block;
    const results = needs.map((id) => this.#step(scope, id));
    const early = scope.isLate ? noReasons : earlyOf(results);
    const isLoose = results.some((one) => one.reasons !== undefined && one.isLoose === true);
    if (early.size > 0 && !isLoose) return failed(early, { isLate: false });
    const failures = failuresOf(results);
    const isLate = scope.isLate || results.some((one) => one.isLate);
    if (failures.size > 0) return failed(failures, { isLate, early, isLoose });
    const value = attempt(() => this.#fill(scope, template), isLate);
    return { ...value, missing: this.#missingIn(scope, allOf(results.map((one) => one.sources))) };
  }

  #missingIn(scope: Scope, sources: Open<number>): Open<Part> {
    const found = scope.block.degradedBy.flatMap((id) => {
      const isOpen = sources.get(id);
      if (isOpen === undefined) return [];
      const parts = [...this.#step(scope, id).missing];
      return [new Map(parts.map(([part, isOpenThere]) => [part, isOpen || isOpenThere]))];
    });
    return allOf(found);
  }

  #step(from: Scope, id: number): StepResult {
    const step = this.#stepOf(id);
    const scope = around(from, step.depth);
    const known = scope.results.get(id);
    if (known !== undefined) return known;
    const needs = step.needs.map((need) => this.#step(scope, need));
    const result = this.#run(scope, step);
    const isLoose =
      scope.block.repeated ||
      step.kind === 'each' ||
      [...needs, result].some((one) => one.reasons !== undefined && one.isLoose === true);
    const failing = needs.filter(({ reasons }) => reasons !== undefined).map((one) => one.sources);
    const sources =
      failing.length > 0 ? oneOf(failing) : new Map(allOf(needs.map((one) => one.sources)));
    if (result.reasons === undefined) sources.set(id, false);
    if (scope.block.repeated)
      this.#isEven &&= result.reasons === undefined && !isShort(step, result);
    const ended = { ...result, sources, ...(result.reasons !== undefined && { isLoose }) };
    scope.results.set(id, ended);
    return ended;
  }

  #run(scope: Scope, step: Step): Result {
    if (step.kind === 'guard') return this.#guard(scope, step, this.#step(scope, step.guarded));
    if (step.kind === 'instead') return this.#instead(scope, step, this.#step(scope, step.guarded));
    const needs = step.needs.map((id) => this.#step(scope, id));
    const isLate = scope.isLate || needs.some((one) => one.isLate);
    const failures = failuresOf(needs);
    const early = scope.isLate ? noReasons : earlyOf(needs);
    if (failures.size > 0) return failed(failures, { isLate, early });
    switch (step.kind) {
      case 'input':
        return valued(step.input === 'body' ? this.#situation.body : undefined, isLate);
      case 'item':
        return valued(scope.item, isLate);
      case 'shape':
        return attempt(() => shaped(this.#read(scope, step.from), step), isLate);
      case 'map':
        return this.#map(scope, step, isLate);
      case 'call':
      case 'given':
      case 'each':
        return this.#isShed(step)
          ? failed(['shed'], { isLate })
          : this.#perform(scope, step, isLate);
      default:
        return step satisfies never;
    }
  }

  #perform(scope: Scope, step: Exclude<TimedStep, InsteadStep>, isLate: boolean): Result {
    switch (step.kind) {
      case 'call':
        return this.#call(scope, step, isLate);
      case 'given':
        return this.#given(scope, step, isLate);
      case 'each':
        return this.#each(scope, step, isLate);
      default:
        return step satisfies never;
    }
  }

  #given(scope: Scope, { on, block }: GivenStep, isLate: boolean): Result {
    const present = attempt(() => this.#read(scope, on), isLate);
    if (present.reasons !== undefined) return present;
    if (present.value === null || present.value === undefined) return valued(null, isLate);
    const result = this.#block(scopeOf(block, scope, { item: present.value, index: 0, isLate }));
    return { ...result, isLate: isLate || result.isLate };
  }

  #guard(scope: Scope, { name, instead, paths }: GuardStep, guarded: Result): Result {
    if (guarded.reasons === undefined) return { ...guarded, missing: none };
    const { reasons, isLate } = guarded;
    const intolerable = [...reasons].filter((one) => one === internal || one === 'disconnected');
    const isAllowed = this.#situation.plan.degraded === 'allow';
    if (!isAllowed || intolerable.length === reasons.size) return failed(reasons, { isLate });
    if (intolerable.length > 0) throw new Undecided();
    const pointers = (paths.length === 0 ? [[]] : paths).map((path) => pointerTo(scope, path));
    return {
      value: instead,
      isLate,
      missing: new Map([[{ step: name, pointers, reasons }, false]]),
    };
  }

  /** Left open: what becomes of a step whose writes may have been done, or that fails at the cut. */
  #instead(scope: Scope, step: InsteadStep, guarded: Result): Result {
    if (guarded.reasons === undefined) return { ...guarded, missing: none };
    const { reasons, early, isLate } = guarded;
    const never = [...reasons].filter((one) => afterWhich.has(one));
    const isAllowed = this.#situation.plan.degraded === 'allow';
    if (!isAllowed || never.length === reasons.size) return failed(reasons, { isLate, early });
    if (never.length > 0 || isLate || scope.isLate || this.#mayWrite(step.guarded))
      throw new Undecided();
    const second = this.#block(scopeOf(step.block, scope, { item: undefined, index: 0, isLate }));
    if (second.reasons !== undefined) return firstOf(reasons, second);
    const pointers = (step.paths.length === 0 ? [[]] : step.paths).map((path) =>
      pointerTo(scope, path),
    );
    const missing = new Map([[{ step: step.first, pointers, reasons }, false], ...second.missing]);
    return { ...second, missing };
  }

  /** Whether a write is in a step, or in one that it needs. */
  #mayWrite(id: number): boolean {
    const step = this.#stepOf(id);
    return changesSomething(step) || step.needs.some((need) => this.#mayWrite(need));
  }

  #map(scope: Scope, { inputs, compute }: MapStep, isLate: boolean): Result {
    try {
      const value: unknown = compute(this.#fill(scope, inputs) as never); // as the engine does
      if (!(value instanceof Promise)) return valued(value, isLate);
    } catch {
      // It failed, too.
    }
    return failed(['map-failed'], { isLate });
  }

  #each(scope: Scope, { block, over, max, clientList }: EachStep, isLate: boolean): Result {
    const list = attempt(() => this.#read(scope, over), isLate);
    if (list.reasons !== undefined) return list;
    if (!Array.isArray(list.value)) return failed(['not-a-list'], { isLate });
    if (list.value.length > max) {
      const blamed = clientList === undefined ? '' : ofClient;
      return failed([`too-many-items${blamed}`], { isLate });
    }
    const items = list.value.map((item: unknown, index) =>
      this.#block(scopeOf(block, scope, { item, index, isLate })),
    );
    const late = isLate || items.some((one) => one.isLate);
    const failures = failuresOf(items);
    if (failures.size > 0) {
      const early = isLate ? noReasons : earlyOf(items);
      return failed(failures, { isLate: late, early });
    }
    const missing = allOf(items.map((one) => one.missing));
    return { value: items.map(({ value }) => value), isLate: late, missing };
  }

  #call(scope: Scope, step: CallStep, isLate: boolean): Result {
    const { operation: own } = step;
    const { world, hanging, cutBy } = this.#situation;
    const filled = attempt(() => this.#fill(scope, step.args), isLate);
    if (filled.reasons !== undefined) return filled;
    // Programs give no other arguments.
    const { id, other } = filled.value as { readonly id: unknown; readonly other?: unknown };
    const compared = own.lookup === undefined ? [id, other] : [other];
    if (own.name !== 'write' && !compared.every(hasJson)) return failed([internal], { isLate });
    if (own.lookup === undefined && own.name !== 'write')
      this.#calls[isLate ? 'late' : 'inTime'].add(`${own.name} ${JSON.stringify([id, other])}`);
    if (isLate) return failed([cutBy], { isLate });
    const refused = refusedArgument(own, id, other);
    if (refused !== undefined) {
      const isFromClient = step.clientInputs.some(({ argument }) => argument === refused);
      const blamed = isFromClient ? ofClient : '';
      return failed([`invalid-argument${blamed}`], { isLate });
    }
    if (hanging.includes(own)) return failed([cutBy], { isLate: true });
    const asked = { key: String(id), other: typeof other === 'string' ? other : undefined };
    const verdict = verdictOf(world, own, asked);
    return 'reason' in verdict
      ? failed([verdict.reason], { isLate })
      : valued(verdict.value, isLate);
  }

  #isShed(step: Step): boolean {
    const { sheds, plan } = this.#situation;
    return sheds && plan.degraded === 'allow' && !changesSomething(step) && this.#mayBeMissed(step);
  }

  /** Whether guards take its place, also around second sources: none of these is asked then. */
  #mayBeMissed({ id, tolerated }: Step): boolean {
    return (
      tolerated !== undefined &&
      this.#situation.plan.steps.every(
        (one) => one.kind !== 'instead' || one.guarded !== id || this.#mayBeMissed(one),
      )
    );
  }

  /** Throws if the value does when it is read. */
  #read(from: Scope, { node, path }: Source): unknown {
    const { value } = this.#step(from, node);
    return path.reduce<unknown>((outer, key) => {
      if (outer === null || outer === undefined) return outer;
      // Whatever has a property can be read by its name.
      return Object.hasOwn(outer, key) ? (outer as Record<string, unknown>)[key] : undefined;
    }, value);
  }

  #fill(scope: Scope, template: Template): unknown {
    switch (template.kind) {
      case 'literal':
        return template.value;
      case 'reference':
        return this.#read(scope, template.source);
      case 'array':
        return template.items.map((part) => this.#fill(scope, part));
      case 'object':
        return Object.fromEntries(
          template.entries.map(([key, part]) => [key, this.#fill(scope, part)]),
        );
      default:
        return template satisfies never;
    }
  }

  #stepOf(id: number): Step {
    const step = this.#situation.plan.steps[id];
    if (step === undefined) throw new Error(`the plan has no step ${id}`);
    return step;
  }
}

/** The failures after which no second source is asked. */
const afterWhich: ReadonlySet<string> = new Set([internal, 'disconnected', 'deadline', 'shed']);

/** The first failure stands, unless nobody may tolerate the second. */
function firstOf(first: ReadonlySet<string>, second: Result): Result {
  const { reasons = noReasons, isLate } = second;
  const intolerable = [...reasons].filter((one) => one === internal || one === 'disconnected');
  if (intolerable.length === reasons.size) return second;
  if (intolerable.length > 0) throw new Undecided();
  return failed(first, { isLate, ...(earlyOf([second]).size > 0 && { early: first }) });
}

/** Whether its block had nothing to run for. */
function isShort({ kind }: Step, { value }: Result): boolean {
  return kind === 'given' ? value === null : Array.isArray(value) && value.length === 0;
}

/** This scope, or the one around it, whose block is at `depth`. */
function around(scope: Scope, depth: number): Scope {
  return scope.block.depth > depth && scope.parent !== undefined
    ? around(scope.parent, depth)
    : scope;
}

function pointerTo(scope: Scope, path: ResponsePath): string {
  return toPointer(
    path.map((part) => (typeof part === 'string' ? part : String(around(scope, part).index))),
  );
}

function hasJson(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}

/** The name of an argument that cannot be sent. */
function refusedArgument({ lookup }: Operation, id: unknown, other: unknown): string | undefined {
  const isText = other === undefined || other === null || typeof other === 'string';
  if (lookup === undefined && !isText) return 'other';
  if (typeof id !== 'string' || id === '') return 'id';
  return lookup?.keys.kind === 'separated' && id.includes(',') ? 'id' : undefined;
}

function changesSomething(step: Step): boolean {
  if (step.kind === 'call') return step.operation.name === 'write';
  return 'block' in step && step.block.steps.some(changesSomething);
}

function shaped(value: unknown, step: ShapeStep): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => shaped(item, step));
  if (typeof value !== 'object' || value === null) return value;
  if (step.mode === 'omit')
    return Object.fromEntries(Object.entries(value).filter(([name]) => !step.keys.includes(name)));
  const names = step.keys.filter((name) => Object.hasOwn(value, name));
  return Object.fromEntries(names.map((name) => [name, Reflect.get(value, name)]));
}
