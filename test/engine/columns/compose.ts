/** Programs → `compose` functions. */
import type { Json } from '../../../src/dsl/node.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import type { Reference, Ref } from '../../../src/dsl/reference.ts';
import { fallback, optional } from '../../../src/dsl/guards.ts';
import { call, each, given, map, omit, pick } from '../../../src/dsl/steps.ts';
import { computations, textType, thingType } from './computations.ts';
import type { Type } from './computations.ts';
import type { Action, Argument, Choice, Guarded, Program } from './program.ts';
import { operations } from './operations.ts';
import { hashOf } from './world.ts';

/** A reference in reach. */
interface Known {
  readonly reference: Ref<unknown>;
  readonly type: Type;
  /** Whether it can be guarded. */
  readonly isStep?: boolean;
  /** Whether it was made by calls for the items of a list: see `Options.isFlat`. */
  readonly isScattered: boolean;
}

export interface Options {
  /**
   * Whether no call follows what the calls for the items of a list gave. Then it does not matter
   * how long items wait for each other: a deadline cuts off the same whether they do or not.
   */
  readonly isFlat?: boolean;
  /** Whether no two steps call the same operation. */
  readonly isDistinct?: boolean;
}

/** A `compose` function that does what a program says. The body of its requests is a thing. */
export function composeOf(program: Program, options: Options) {
  return ({ body }: { readonly body: unknown }): unknown => {
    const reference = body as Ref<unknown>; // its schema is that of a thing
    const request = { reference, type: thingType, isScattered: false };
    const unused = options.isDistinct ? new Set(operations) : undefined;
    const scope = { ...options, known: [request], unused, inEach: false, hasEach: false };
    return run(program, scope).template;
  };
}

/** The values that a block can refer to; they grow with every action. */
interface Scope extends Options {
  /** The newest first. */
  known: readonly Known[];
  /** The operations that are left to be called; absent: all of them. */
  readonly unused: Set<Operation> | undefined;
  readonly inEach: boolean;
  hasEach: boolean;
}

/** The template that a program returns, and the type of its value. */
interface Composed {
  readonly template: unknown;
  readonly type: Type;
}

function run({ actions, returns, template }: Program, scope: Scope): Composed {
  for (const action of actions) perform(action, scope);
  const found = returns.flatMap((choice) => returned(scope, choice) ?? []);
  const parts = Object.fromEntries(found.map(({ reference }, index) => [`r${index}`, reference]));
  const fields = Object.fromEntries(found.map(({ type: one }, index) => [`r${index}`, one]));
  const type: Type = { kind: 'record', fields };
  switch (template) {
    case 'object':
      return { template: parts, type };
    case 'nested':
      return { template: { ...parts, more: [1, { deep: parts['r0'] }] }, type };
    case 'bare':
      return { template: parts['r0'], type: fields['r0'] ?? textType };
    default:
      return template satisfies never;
  }
}

/** Mostly whole values: more can go wrong in them. */
function returned(scope: Scope, choice: Choice): Known | undefined {
  return choice % 3 === 2 ? chosen(scope, choice) : choose(scope.known, choice);
}

/** Leaves out what nothing in reach can be used for. */
function perform(action: Action, scope: Scope): void {
  switch (action.word) {
    case 'call':
      return ask(action, scope);
    case 'given':
    case 'each':
      return nest(action, scope);
    case 'second':
      return replace(action, scope);
    case 'map':
      return compute(action, scope);
    case 'pick':
    case 'omit':
      return shape(action, scope);
    case 'guard': {
      const of = choose(
        scope.known.filter(({ isStep }) => isStep === true),
        action.of,
      );
      return of && add(scope, guardedBy(action.guard, of));
    }
    default:
      return action satisfies never;
  }
}

function ask(action: Extract<Action, { word: 'call' }>, scope: Scope): void {
  const key = argumentOf(action.key, scope);
  const other = action.other && argumentOf(action.other, scope);
  const made = key && asked(scope, action.operation, key, other);
  if (made !== undefined) addStep(scope, action, { ...made, isScattered: scope.inEach });
}

function argumentOf({ of, via }: Argument, scope: Scope): Known | undefined {
  const key = chosenFor(scope, of, 'text');
  if (key === undefined || via === undefined || (scope.isFlat === true && scope.inEach)) return key;
  const answer = asked(scope, via, key);
  return answer && choose(inReach({ ...scope, known: [answer] }, ['text']), of);
}

function asked({ unused }: Scope, index: number, key: Known, other?: Known): Known | undefined {
  const among = unused === undefined ? operations : [...unused];
  const own = among[index % among.length];
  if (own === undefined) return undefined;
  unused?.delete(own);
  const args = { id: key.reference, ...(other && { other: other.reference }) };
  const reference = call<never, unknown>(own, args as never); // its type is chosen below
  const isMany = own.name === 'list' || own.lookup?.many === true;
  const type: Type = isMany ? { kind: 'list', of: thingType } : thingType;
  return { reference, type, isScattered: false };
}

function nest(action: Extract<Action, { word: 'given' | 'each' }>, scope: Scope): void {
  const isEach = action.word === 'each';
  const on = isEach
    ? chosenFor(scope, action.over, 'list')
    : chosenFor(scope, action.on, 'record', 'text');
  if (on === undefined) return;
  const itemType = on.type.kind === 'list' ? on.type.of : on.type;
  const known = scope.known.filter(({ isScattered }) => scope.isFlat !== true || !isScattered);
  const inner: Scope = { ...scope, known, inEach: scope.inEach || isEach, hasEach: isEach };
  let composed: Composed | undefined;
  const body = (item: Ref<unknown>): unknown => {
    add(inner, { reference: item, type: itemType, isScattered: false });
    composed = run(action.body, inner);
    return composed.template;
  };
  const reference = isEach
    ? each(on.reference as unknown as Reference<readonly unknown[]>, body as never, {
        max: action.max,
      })
    : given(on.reference, body);
  const type = composed?.type ?? textType;
  scope.hasEach ||= inner.hasEach;
  addStep(scope, action, {
    reference: reference as Ref<unknown>,
    type: isEach ? { kind: 'list', of: type } : type,
    isScattered: scope.inEach || inner.hasEach,
  });
}

/** A second source for a step, which asks something at least. */
function replace(action: Extract<Action, { word: 'second' }>, scope: Scope): void {
  const of = choose(
    scope.known.filter(({ isStep }) => isStep === true),
    action.of,
  );
  const key = chosenFor(scope, 0, 'text');
  const isTooLate = scope.isFlat === true && (scope.inEach || of?.isScattered === true);
  if (of === undefined || key === undefined || isTooLate || scope.unused?.size === 0) return;
  const inner: Scope = { ...scope, hasEach: false };
  const reference = fallback(of.reference, () => {
    const first = asked(inner, action.operation, key);
    if (first !== undefined) add(inner, { ...first, isScattered: scope.inEach });
    return run(action.body, inner).template;
  });
  scope.hasEach ||= inner.hasEach;
  const isScattered = of.isScattered || scope.inEach || inner.hasEach;
  addStep(scope, action, { reference: reference as Ref<unknown>, type: of.type, isScattered });
}

function compute(action: Extract<Action, { word: 'map' }>, scope: Scope): void {
  const inputs = action.inputs.flatMap((input) => chosen(scope, input) ?? []);
  const { type, of } = computations[action.how];
  const reference = map(
    inputs.map((input) => input.reference),
    (values: readonly unknown[]) => of(hashOf(JSON.stringify(values))),
  );
  const isScattered = inputs.some((input) => input.isScattered);
  addStep(scope, action, { reference: reference as Ref<unknown>, type, isScattered });
}

function shape(
  { word, of, fields }: Extract<Action, { word: 'pick' | 'omit' }>,
  scope: Scope,
): void {
  const value = chosen(scope, of, 'record', 'list');
  if (value === undefined) return;
  const shaped = shapedType(value.type, (names) =>
    names.filter((name) => fields.includes(name) === (word === 'pick')),
  );
  const kept = fieldsOf(value.type).filter((name) => fields.includes(name));
  if (shaped === undefined || kept.length === 0) return;
  const keep = word === 'pick' ? pick : omit;
  const reference = keep(value.reference as Reference<unknown>, ...(kept as never[]));
  add(scope, { ...value, reference: reference as Ref<unknown>, type: shaped, isStep: false });
}

function fieldsOf(type: Type): readonly string[] {
  if (type.kind === 'list') return fieldsOf(type.of);
  return type.kind === 'record' ? Object.keys(type.fields) : [];
}

function shapedType(
  type: Type,
  keep: (names: readonly string[]) => readonly string[],
): Type | undefined {
  if (type.kind === 'text') return undefined;
  if (type.kind === 'list') {
    const of = shapedType(type.of, keep);
    return of && { kind: 'list', of };
  }
  const kept = keep(Object.keys(type.fields));
  return {
    kind: 'record',
    fields: Object.fromEntries(Object.entries(type.fields).filter(([name]) => kept.includes(name))),
  };
}

/** Adds a step, and what its guard makes of it. */
function addStep(scope: Scope, { guard, bare }: Guarded, made: Known): void {
  const step = { ...made, isStep: true };
  if (guard === 'none' || bare) add(scope, step);
  if (guard !== 'none') add(scope, guardedBy(guard, step));
}

function guardedBy(guard: Exclude<Guarded['guard'], 'none'>, { reference, ...rest }: Known): Known {
  const tolerant =
    guard === 'optional'
      ? optional(reference)
      : fallback(reference, guard === 'null' ? null : standIn(rest.type));
  return { ...rest, reference: tolerant as Ref<unknown>, isStep: false };
}

/** A value of the type, as a fallback has it. */
function standIn(type: Type): Json {
  switch (type.kind) {
    case 'text':
      return 'a';
    case 'list':
      return type.of.kind === 'record' ? [{ id: 'b', ref: 'c' }] : [];
    case 'record':
      return { id: 'c', ref: 'd', part: null };
    default:
      return type satisfies never;
  }
}

function add(scope: Scope, known: Known): void {
  scope.known = [known, ...scope.known];
}

type Kind = Type['kind'];

/** For steps that take time. */
function chosenFor(scope: Scope, choice: Choice, ...kinds: readonly Kind[]): Known | undefined {
  return choose(
    inReach(scope, kinds).filter(({ isScattered }) => scope.isFlat !== true || !isScattered),
    choice,
  );
}

function chosen(scope: Scope, choice: Choice, ...kinds: readonly Kind[]): Known | undefined {
  return choose(inReach(scope, kinds), choice);
}

function choose(among: readonly Known[], choice: Choice): Known | undefined {
  return among[choice % among.length];
}

/** All references of these kinds, or of any, and their fields. */
function inReach({ known }: Scope, kinds: readonly Kind[]): readonly Known[] {
  return known
    .flatMap((one) => [one, ...fieldsWithin(one, 2)])
    .filter(({ type }) => kinds.length === 0 || kinds.includes(type.kind));
}

function fieldsWithin({ reference, type, isScattered }: Known, depth: number): readonly Known[] {
  if (type.kind !== 'record' || depth === 0) return [];
  return Object.entries(type.fields).flatMap(([name, of]) => {
    // Every reference has a reference for every name.
    const field = (reference as unknown as Readonly<Record<string, Ref<unknown>>>)[name];
    if (field === undefined) return [];
    const known = { reference: field, type: of, isScattered };
    return [known, ...fieldsWithin(known, depth - 1)];
  });
}
