/** What the steps do that take time: call a service, run a block, run it for every item. */
import { ExecutionError, UpstreamError } from '../errors.ts';
import type { CallStep, EachStep, GivenStep, PlanBlock, Step, TimedStep } from '../plan/plan.ts';
import { isShareable } from '../upstream/call.ts';
import type { Reply } from '../upstream/call.ts';
import { replyOf } from '../upstream/sharing/load.ts';
import type { Template } from '../dsl/node.ts';
import type { Trace } from '../trace.ts';
import { runBlock, settle } from './block.ts';
import type { StepRun } from './execution.ts';
import { Failure, Frame, assemble, noteMissing, missingIn, read } from './frame.ts';
import type { BlockOwner } from './frame.ts';
import { narrowed } from './freshness.ts';
import { StepError } from './step-error.ts';
import type { Degradation } from './step-error.ts';

const none: readonly Degradation[] = [];

/** Begins the step; its frame is told when it is done. */
export function perform(frame: Frame, step: TimedStep): void {
  const work = new Work(frame, step);
  try {
    work.begin();
  } catch (error) {
    work.fail(error);
  }
}

/** One run of one step. */
class Work implements BlockOwner {
  readonly #frame: Frame;
  readonly #step: TimedStep;
  /** Steps inside `each` run too often to be watched one by one. */
  readonly #watched: StepRun | undefined;
  readonly #onEnd: ((failure?: unknown) => void) | undefined;

  constructor(frame: Frame, step: TimedStep) {
    this.#frame = frame;
    this.#step = step;
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

  begin(): void {
    const step = this.#step;
    const isShed = this.#frame.execution.shedsSteps && step.tolerated !== undefined;
    if (isShed && !changesSomething(step)) {
      throw new ExecutionError('shed', 'left out: the gateway has too much to do');
    }
    switch (step.kind) {
      case 'call':
        return this.#call(step);
      case 'given':
        return this.#runGiven(step);
      case 'each':
        return this.#runEach(step);
      default:
        return step satisfies never;
    }
  }

  /** A failure keeps the step it came from. */
  fail(error: unknown): void {
    this.#onEnd?.(error);
    const isKnown = error instanceof UpstreamError || error instanceof ExecutionError;
    settle(
      this.#frame,
      this.#step,
      new Failure(isKnown ? new StepError(this.#step, error) : error),
    );
  }

  succeed(value: unknown, missing: readonly Degradation[]): void {
    this.#onEnd?.();
    noteMissing(this.#frame, this.#step, missing);
    settle(this.#frame, this.#step, value);
  }

  get #trace(): Trace | undefined {
    return this.#watched === undefined ? this.#frame.trace : this.#watched.trace;
  }

  #call(step: CallStep): void {
    this.#ask(step).then(
      (reply) => this.#onReply(step, reply),
      (error: unknown) => {
        this.#frame.execution.onLoad?.(step.operation, undefined, error);
        this.fail(error);
      },
    );
  }

  #ask({ operation, args, lookup }: CallStep): Promise<Reply> {
    const { calls } = this.#frame.execution;
    const trace = this.#trace;
    if (lookup === undefined) return calls.call(operation, this.#argsOf(args), trace);
    const keys = [assemble(this.#frame, lookup.key)];
    return replyOf(calls.load({ operation, args: this.#argsOf(lookup.others), keys, trace }));
  }

  #argsOf(template: Template): Record<string, unknown> {
    return assemble(this.#frame, template) as Record<string, unknown>; // `call` takes an object
  }

  #onReply(step: CallStep, reply: Reply): void {
    try {
      this.#take(step, reply);
    } catch (error) {
      // Nobody else would hear of it.
      this.fail(error);
      return;
    }
    this.succeed(reply.value, none);
  }

  #take(step: CallStep, reply: Reply): void {
    const { execution } = this.#frame;
    execution.onLoad?.(step.operation, reply);
    if (this.#watched !== undefined) this.#watched.reply = reply;
    if (execution.plan.cache !== undefined) {
      execution.freshness = narrowed(execution.freshness, reply);
    }
    // What may not be shared changes something.
    if (!isShareable(step.operation)) execution.request.completed.push(step.name);
  }

  #runGiven({ block, on }: GivenStep): void {
    const present = read(this.#frame, on);
    if (present !== null && present !== undefined) {
      runBlock(this.#inner(block, present, { owner: this, index: undefined }));
      return;
    }
    if (this.#watched !== undefined) this.#watched.skipped = true;
    this.succeed(null, none);
  }

  #runEach({ block, over, max }: EachStep): void {
    const list = read(this.#frame, over);
    if (!Array.isArray(list)) {
      throw new ExecutionError('not-a-list', 'each() was given something that is not a list');
    }
    if (list.length > max) {
      throw new ExecutionError(
        'too-many-items',
        `each() was given ${list.length} items, more than its max of ${max}`,
      );
    }
    if (this.#watched !== undefined) this.#watched.items = list.length;
    if (list.length === 0) return this.succeed([], none);
    const items = new Items(this, list.length);
    items.run(list.map((item, index) => this.#inner(block, item, { owner: items, index })));
  }

  #inner(
    block: PlanBlock,
    item: unknown,
    { owner, index }: { readonly owner: BlockOwner; readonly index: number | undefined },
  ): Frame {
    const { execution } = this.#frame;
    const trace = this.#trace;
    return new Frame({ block, execution, owner, parent: this.#frame, item, index, trace });
  }

  /** Of `given`. */
  onValue(frame: Frame, value: unknown): void {
    this.succeed(value, missingIn(frame));
  }

  onFailure(_: Frame, error: unknown): void {
    this.fail(error);
  }
}

/** What the items of an `each` give; the first failure is that of the step. */
class Items implements BlockOwner {
  readonly #work: Work;
  readonly #values: unknown[];
  #frames: readonly Frame[] = [];
  #left: number;

  constructor(work: Work, count: number) {
    this.#work = work;
    this.#values = Array<unknown>(count);
    this.#left = count;
  }

  run(frames: readonly Frame[]): void {
    this.#frames = frames;
    for (const frame of frames) runBlock(frame);
  }

  onValue({ index = 0 }: Frame, value: unknown): void {
    this.#values[index] = value;
    this.#left -= 1;
    if (this.#left === 0) this.#work.succeed(this.#values, this.#frames.flatMap(missingIn));
  }

  onFailure(_: Frame, error: unknown): void {
    if (this.#left === Infinity) return;
    this.#left = Infinity;
    this.#work.fail(error);
  }
}

/** Whether a step, or one inside of it, is called for its effect: that is not what can be missed. */
function changesSomething(step: Step): boolean {
  if (step.kind === 'call') return !isShareable(step.operation);
  return 'block' in step && step.block.steps.some(changesSomething);
}
