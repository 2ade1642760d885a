/** The steps that take time: call a service, run a block, run it for every item. */
import type { Template } from '../dsl/node.ts';
import { ExecutionError, UpstreamError } from '../errors.ts';
import type {
  CallStep,
  EachStep,
  GivenStep,
  LookupArguments,
  Step,
  TimedStep,
} from '../plan/plan.ts';
import type { Trace } from '../trace.ts';
import { isShareable } from '../upstream/call.ts';
import type { Reply } from '../upstream/call.ts';
import { canonical } from '../upstream/sharing/key.ts';
import { indexesUpTo } from '../upstream/sharing/load.ts';
import type { Load } from '../upstream/sharing/load.ts';
import { isTolerable, runBlock, settle } from './block.ts';
import type { StepRun } from './execution.ts';
import { Failure, Frame, assemble, missingIn, noteMissing, read } from './frame.ts';
import type { BlockOwner, Blocked, Column } from './frame.ts';
import { narrowed } from './freshness.ts';
import { StepError } from './step-error.ts';
import type { Degradation } from './step-error.ts';

const none: readonly Degradation[] = [];

/** Begins the step for all items that are not blocked; its frame is told when it is done. */
export function perform(frame: Frame, step: TimedStep, blocked: Blocked): void {
  new Work(frame, step).begin(blocked);
}

/** One run of one step, for all items of its frame. */
class Work implements BlockOwner {
  readonly #frame: Frame;
  readonly #step: TimedStep;
  /** Steps inside `each` run too often to be watched one by one. */
  readonly #watched: StepRun | undefined;
  readonly #onEnd: ((failure?: unknown) => void) | undefined;
  /** By item; a hole: not there yet. */
  #column: unknown[];
  /** Items that are not there yet; one more while the step begins. */
  #left: number;
  #failure: Failure | undefined;
  /** The first failure, as it came. */
  #error: unknown;

  constructor(frame: Frame, step: TimedStep) {
    this.#frame = frame;
    this.#step = step;
    this.#column = Array<unknown>(frame.width);
    this.#left = frame.width + 1;
    const { watchStep, request } = frame.execution;
    if (watchStep === undefined || frame.block.repeated) return;
    this.#watched = {
      step,
      request,
      trace: frame.trace,
      skipped: false,
      items: undefined,
      reply: undefined,
    };
    this.#onEnd = watchStep(this.#watched);
  }

  begin(blocked: Blocked): void {
    const step = this.#step;
    const items = this.#open(blocked);
    const { shedsSteps } = this.#frame.execution;
    if (shedsSteps && step.tolerated !== undefined && !changesSomething(step)) {
      const shed = new ExecutionError('shed', 'left out: the gateway has too much to do');
      this.#failAll(items, shed);
    } else if (step.kind === 'call' && step.lookup !== undefined)
      this.#load(step, step.lookup, items);
    else for (const item of items) this.#run(step, item);
    this.#count();
  }

  /** The items that are not blocked; those that are get their failure. */
  #open(blocked: Blocked): readonly number[] {
    const all = indexesUpTo(this.#frame.width);
    if (blocked === undefined) return all;
    return all.filter((item) => {
      const failure = blocked[item];
      if (failure !== undefined) this.#fail(item, failure, failure.error);
      return failure === undefined;
    });
  }

  #failAll(items: readonly number[], error: unknown): void {
    const failure = this.#failureOf(error);
    for (const item of items) this.#fail(item, failure, error);
  }

  #failWith(item: number, error: unknown): void {
    this.#fail(item, this.#failureOf(error), error);
  }

  /** A failure keeps the step it came from. */
  #failureOf(error: unknown): Failure {
    const isOwn = error instanceof UpstreamError || error instanceof ExecutionError;
    return new Failure(isOwn ? new StepError(this.#step, error) : error);
  }

  #fail(item: number, failure: Failure, error: unknown): void {
    if (this.#left === 0) return;
    this.#column[item] = failure;
    if (this.#failure === undefined) {
      this.#failure = failure;
      this.#error = error;
    }
    if (this.#left > 1 && this.#dooms(failure)) this.#giveUp(failure);
    else this.#count();
  }

  /** Nothing in the block can go on without the item: the others need not be waited for. */
  #dooms(failure: Failure): boolean {
    const { dooms } = this.#step;
    if (dooms === 'untolerated') return !isTolerable(this.#frame.execution, failure);
    return dooms === 'always';
  }

  #giveUp(failure: Failure): void {
    const column = this.#column;
    for (let item = 0; item < column.length; item += 1)
      if (!(item in column)) column[item] = failure;
    this.#left = 0;
    this.#finish();
  }

  #succeed(item: number, value: unknown, missing: readonly Degradation[]): void {
    if (this.#left === 0) return;
    this.#column[item] = value;
    noteMissing(this.#frame, this.#step, { item, parts: missing });
    this.#count();
  }

  #count(): void {
    if (this.#left === 0) return;
    this.#left -= 1;
    if (this.#left === 0) this.#finish();
  }

  #finish(): void {
    if (this.#onEnd !== undefined) {
      if (this.#failure === undefined) this.#onEnd();
      else this.#onEnd(this.#error);
    }
    settle(this.#frame, this.#step, this.#column, this.#failure);
  }

  get #trace(): Trace | undefined {
    return this.#watched === undefined ? this.#frame.trace : this.#watched.trace;
  }

  #argsOf(template: Template, item: number): Record<string, unknown> {
    return assemble(this.#frame, template, item) as Record<string, unknown>; // `call` takes an object
  }

  #call(step: CallStep, item: number): void {
    const { operation, args } = step;
    const { execution } = this.#frame;
    execution.calls.call(operation, this.#argsOf(args, item), this.#trace).then(
      (reply) => this.#onReply(step, reply, item),
      (error: unknown) => {
        execution.onCallEnd?.({ operation, reply: undefined, failure: error, count: 1 });
        this.#failWith(item, error);
      },
    );
  }

  #onReply(step: CallStep, reply: Reply, item: number): void {
    try {
      this.#take(step, reply, 1);
    } catch (error) {
      return this.#failWith(item, error); // nobody else would hear of it
    }
    this.#succeed(item, reply.value, none);
  }

  /** All keys in one load, unless they are asked for with different arguments. */
  #load(step: CallStep, lookup: LookupArguments, items: readonly number[]): void {
    if (!lookup.varies) return this.#loadTogether(step, lookup, items);
    const argumentsOf = new Map<string, number[]>();
    for (const item of items) {
      try {
        const text = canonical(this.#argsOf(lookup.others, item));
        argumentsOf.set(text, [...(argumentsOf.get(text) ?? []), item]);
      } catch (error) {
        this.#failWith(item, error);
      }
    }
    for (const group of argumentsOf.values()) this.#loadTogether(step, lookup, group);
  }

  #loadTogether(step: CallStep, lookup: LookupArguments, items: readonly number[]): void {
    const keys = Array<unknown>(items.length);
    const isRead = (item: number, at: number): boolean => this.#readKey(lookup.key, item, keys, at);
    if (!items.every(isRead))
      return this.#loadTogether(
        step,
        lookup,
        items.filter((item) => !(this.#column[item] instanceof Failure)),
      );
    const [first] = items;
    if (first === undefined || this.#left === 0) return;
    const { operation, dooms } = step;
    const { calls, plan } = this.#frame.execution;
    try {
      const load = calls.load({
        operation,
        args: this.#argsOf(lookup.others, first),
        keys,
        trace: this.#trace,
        failsAtOnce: dooms === 'always' || (dooms === 'untolerated' && plan.degraded === 'fail'),
      });
      void load.done.then(() => this.#onLoad(step, items, load));
    } catch (error) {
      this.#failAll(items, error); // arguments without a form in JSON
    }
  }

  /** False: the item fails, since a value that a schema has made threw. */
  #readKey(key: Template, item: number, keys: unknown[], at: number): boolean {
    try {
      keys[at] = assemble(this.#frame, key, item);
      return true;
    } catch (error) {
      this.#failWith(item, error);
      return false;
    }
  }

  #onLoad(step: CallStep, items: readonly number[], load: Load): void {
    try {
      this.#takeAll(step, load);
    } catch (error) {
      return this.#failAll(items, error); // nobody else would hear of it
    }
    if (load.failures !== undefined) return this.#spread(items, load);
    if (items.length < this.#column.length) {
      for (let at = 0; at < items.length; at += 1)
        this.#succeed(items[at] ?? 0, load.values[at], none);
      return;
    }
    // The load's list becomes the column: every key of it is an item, in order.
    this.#column = load.values;
    this.#left = 1;
    this.#count();
  }

  /** Each item its value or failure; one failure of a batch is one error for all of its items. */
  #spread(items: readonly number[], { failures = new Map(), values, replies }: Spread): void {
    const known = new Map<unknown, Failure>();
    for (const [at, error] of failures) {
      const failure = known.get(error) ?? this.#failureOf(error);
      known.set(error, failure);
      this.#fail(items[at] ?? 0, failure, error);
    }
    for (let at = 0; at < items.length; at += 1)
      if (!failures.has(at) && replies[at] !== undefined)
        this.#succeed(items[at] ?? 0, values[at], none);
  }

  /** Tells telemetry, and the response's freshness, of every key; keys of one batch are told together. */
  #takeAll(step: CallStep, { replies, failures }: Load): void {
    const { onCallEnd } = this.#frame.execution;
    for (let at = 0; at < replies.length;) {
      const reply = replies[at];
      let end = at + 1;
      while (end < replies.length && replies[end] === reply) end += 1;
      if (reply !== undefined) this.#take(step, reply, end - at);
      at = end;
    }
    if (onCallEnd === undefined || failures === undefined) return;
    for (const failure of failures.values())
      onCallEnd({ operation: step.operation, reply: undefined, failure, count: 1 });
  }

  #take({ operation }: CallStep, reply: Reply, count: number): void {
    const { execution } = this.#frame;
    execution.onCallEnd?.({ operation, reply, failure: undefined, count });
    if (this.#watched !== undefined) this.#watched.reply = reply;
    if (execution.plan.cache !== undefined) {
      execution.freshness = narrowed(execution.freshness, reply);
    }
    // Unshareable calls have side effects, which a later failure cannot take back.
    if (!isShareable(operation)) execution.completed.push(this.#step.name);
  }

  #run(step: TimedStep, item: number): void {
    if (this.#left === 0) return;
    try {
      switch (step.kind) {
        case 'call':
          return this.#call(step, item);
        case 'given':
          return this.#runGiven(step, item);
        case 'each':
          return this.#runEach(step, item);
        default:
          return step satisfies never;
      }
    } catch (error) {
      this.#failWith(item, error);
    }
  }

  #runGiven({ block, on }: GivenStep, item: number): void {
    const present = read(this.#frame, on, item);
    if (present !== null && present !== undefined) {
      runBlock(this.#inner({ block, items: [present], at: item, base: 0, owner: this }));
      return;
    }
    if (this.#watched !== undefined) this.#watched.skipped = true;
    this.#succeed(item, null, none);
  }

  #runEach({ block, over, max }: EachStep, item: number): void {
    const list = listFor(read(this.#frame, over, item), max);
    if (this.#watched !== undefined) this.#watched.items = list.length;
    if (list.length === 0) this.#succeed(item, [], none);
    else if (block.together)
      runBlock(this.#inner({ block, items: list, at: item, base: 0, owner: this }));
    else this.#runApart(block, list, item);
  }

  #runApart(block: EachStep['block'], list: Column, item: number): void {
    const owner = new Apart(list.length, {
      succeed: (column, missing) => this.#succeed(item, column, missing),
      fail: (failure) => this.#fail(item, failure, failure.error),
    });
    owner.run(list.map((one, base) => this.#inner({ block, items: [one], at: item, base, owner })));
  }

  #inner(own: Pick<Frame, 'block' | 'items' | 'at' | 'base' | 'owner'>): Frame {
    const parent = this.#frame;
    return new Frame({ ...own, parent, execution: parent.execution, trace: this.#trace });
  }

  /** Of a `given`, or an `each` whose items run together. */
  onColumn(frame: Frame, column: Column): void {
    const value = this.#step.kind === 'given' ? column[0] : column;
    this.#succeed(frame.at, value, missingInAll(frame));
  }

  onFailure({ at }: Frame, failure: Failure): void {
    this.#fail(at, failure, failure.error);
  }
}

type Spread = Pick<Load, 'failures' | 'values' | 'replies'>;

/** The items of an `each` that run by themselves, each in a frame of its own; the first failure is that of all. */
class Apart implements BlockOwner {
  readonly #ends: ApartEnds;
  readonly #column: unknown[];
  #frames: readonly Frame[] = [];
  #left: number;

  constructor(count: number, ends: ApartEnds) {
    this.#ends = ends;
    this.#column = Array<unknown>(count);
    this.#left = count;
  }

  run(frames: readonly Frame[]): void {
    this.#frames = frames;
    for (const frame of frames) runBlock(frame);
  }

  onColumn({ base }: Frame, [value]: Column): void {
    this.#column[base] = value;
    this.#left -= 1;
    if (this.#left === 0) this.#ends.succeed(this.#column, this.#frames.flatMap(missingInAll));
  }

  onFailure(_: Frame, failure: Failure): void {
    if (this.#left === Infinity) return;
    this.#left = Infinity;
    this.#ends.fail(failure);
  }
}

interface ApartEnds {
  succeed(column: Column, missing: readonly Degradation[]): void;
  fail(failure: Failure): void;
}

function missingInAll(frame: Frame): readonly Degradation[] {
  if (frame.width === 1) return missingIn(frame, 0);
  const missing = new Set<Degradation>();
  for (let item = 0; item < frame.width; item += 1)
    for (const one of missingIn(frame, item)) missing.add(one);
  return missing.size === 0 ? none : [...missing];
}

function listFor(list: unknown, max: number): Column {
  if (!Array.isArray(list)) {
    throw new ExecutionError('not-a-list', 'each() was given something that is not a list');
  }
  if (list.length <= max) return list;
  const message = `each() was given ${list.length} items, more than its max of ${max}`;
  throw new ExecutionError('too-many-items', message);
}

/** Whether a step, or one inside of it, is called for its effect: such a step is never left out. */
function changesSomething(step: Step): boolean {
  if (step.kind === 'call') return !isShareable(step.operation);
  return 'block' in step && step.block.steps.some(changesSomething);
}
