/** What the steps do that take time: call a service, run a block, run it for every item. */
import type { Node } from '../dsl/node.ts';
import { ExecutionError } from '../errors.ts';
import type { PlanBlock, Step } from '../plan/plan.ts';
import { isShareable } from '../upstream/call.ts';
import { runBlock } from './block.ts';
import type { Execution, StepRun } from './execution.ts';
import { assemble, createFrame, missingIn, read } from './frame.ts';
import type { Frame } from './frame.ts';
import { narrowed } from './freshness.ts';

export async function perform(execution: Execution, frame: Frame, run: StepRun): Promise<unknown> {
  const { node, block, tolerated } = run.step;
  if (execution.shedsSteps && tolerated !== undefined && !changesSomething(run.step)) {
    throw new ExecutionError('shed', 'left out: the gateway has too much to do');
  }
  if (node.kind === 'call') return callOperation(execution, frame, { run, node });
  if (block === undefined) throw new Error(`step "${run.step.name}" has nothing to run`);
  if (node.kind === 'given')
    return runGiven(execution, frame, { run, block, present: read(frame, node.on) });
  if (node.kind === 'each') {
    return runEach(execution, frame, { run, block, list: read(frame, node.over), max: node.max });
  }
  throw new Error(`a ${node.kind} takes no time`);
}

/** Whether a step, or one inside of it, is called for its effect: that is not what can be missed. */
function changesSomething({ node, block }: Step): boolean {
  if (node.kind === 'call') return !isShareable(node);
  return block?.steps.some(changesSomething) ?? false;
}

async function callOperation(
  execution: Execution,
  frame: Frame,
  { run, node }: { run: StepRun; node: Extract<Node, { kind: 'call' }> },
): Promise<unknown> {
  const args = assemble(frame, node.args) as Record<string, unknown>; // arguments are drawn as an object
  const reply = await execution.call(node.operation, args, run.trace);
  run.reply = reply;
  if (execution.plan.cache !== undefined) {
    execution.freshness = narrowed(execution.freshness, reply);
  }
  // What may not be shared changes something.
  if (!isShareable(node)) execution.request.completed.push(run.step.name);
  return reply.value;
}

async function runGiven(
  execution: Execution,
  frame: Frame,
  { run, block, present }: { run: StepRun; block: PlanBlock; present: unknown },
): Promise<unknown> {
  if (present === null || present === undefined) {
    run.skipped = true;
    return null;
  }
  const own = inner(frame, { run, block, item: present, index: undefined });
  const value = await runBlock(execution, own);
  frame.missing[run.step.slot] = missingIn(own);
  return value;
}

async function runEach(
  execution: Execution,
  frame: Frame,
  { run, block, list, max }: { run: StepRun; block: PlanBlock; list: unknown; max: number },
): Promise<unknown> {
  if (!Array.isArray(list)) {
    throw new ExecutionError('not-a-list', 'each() was given something that is not a list');
  }
  if (list.length > max) {
    throw new ExecutionError(
      'too-many-items',
      `each() was given ${list.length} items, more than its max of ${max}`,
    );
  }
  run.items = list.length;
  const frames = list.map((item, index) => inner(frame, { run, block, item, index }));
  const values = await Promise.all(frames.map((own) => runBlock(execution, own)));
  frame.missing[run.step.slot] = frames.flatMap(missingIn);
  return values;
}

function inner(
  parent: Frame,
  {
    run,
    block,
    item,
    index,
  }: { run: StepRun; block: PlanBlock; item: unknown; index: number | undefined },
): Frame {
  return createFrame({ block, steps: parent.steps, parent, item, index, trace: run.trace });
}
