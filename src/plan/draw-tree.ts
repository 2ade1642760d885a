/** An explained plan as a tree for the terminal: a step stands below the one it waits for. */
import type { ExplainedCall, ExplainedPlan, ExplainedStep } from './explain.ts';

export function drawTree(plan: ExplainedPlan): string {
  const { route, composition, summary, deadlineMs, degraded, roundTrips } = plan;
  const head = [
    `${route}  (${composition})`,
    ...(summary === undefined ? [] : [summary]),
    `deadline ${milliseconds(deadlineMs)} · ${roundTrips} round trip${roundTrips === 1 ? '' : 's'}${degraded === 'fail' ? ' · never degraded' : ''}`,
  ];
  return [...head, ...drawBranches(branchesOf(plan.steps, undefined))].join('\n');
}

interface Branch {
  readonly step: ExplainedStep;
  /** All steps of its block. */
  readonly siblings: readonly ExplainedStep[];
}

/** The steps of a block that are drawn under `parent`. */
function branchesOf(
  siblings: readonly ExplainedStep[],
  parent: ExplainedStep | undefined,
): Branch[] {
  return siblings
    .filter((step) => parentOf(siblings, step) === parent)
    .map((step) => ({ step, siblings }));
}

function drawBranches(branches: readonly Branch[]): string[] {
  return branches.flatMap((branch, index) => {
    const isLast = index === branches.length - 1;
    const [first = '', ...rest] = drawBranch(branch);
    return [
      `${isLast ? '└─' : '├─'} ${first}`,
      ...rest.map((line) => `${isLast ? '  ' : '│ '} ${line}`),
    ];
  });
}

function drawBranch({ step, siblings }: Branch): string[] {
  const below = [...branchesOf(step.steps ?? [], undefined), ...branchesOf(siblings, step)];
  const rail = below.length > 0 ? '│ ' : '  ';
  return [
    title(siblings, step),
    ...details(step).map((line) => `${rail} ${line}`),
    ...drawBranches(below),
  ];
}

/** The step it is drawn under: the last one it waits for. */
function parentOf(
  siblings: readonly ExplainedStep[],
  step: ExplainedStep,
): ExplainedStep | undefined {
  return siblings.findLast((other) => other !== step && step.waitsFor.includes(other.name));
}

function title(siblings: readonly ExplainedStep[], step: ExplainedStep): string {
  const what = {
    call: step.call && `call ${step.call.operation}`,
    map: 'map',
    given: 'given, when present',
    each: `each item, at most ${step.maxItems}`,
  }[step.kind];
  const failure = step.failure === 'required' ? '' : ` · ${step.failure}`;
  const drawnUnder = parentOf(siblings, step)?.name;
  const others = step.waitsFor.filter((name) => name !== drawnUnder);
  const waits = others.length === 0 ? '' : ` · waits for ${others.join(', ')} too`;
  return `${step.name}: ${what}${failure}${waits}`;
}

function details({ call }: ExplainedStep): string[] {
  if (call === undefined) return [];
  const { batch, forward } = call;
  return [
    [
      call.route,
      ...(batch ? [`batched by ${batch.by}, ${batch.max} keys a request (${batch.keys})`] : []),
    ].join(' · '),
    [policiesOf(call), ...(forward.length > 0 ? [`forwards ${forward.join(', ')}`] : [])].join(
      ' · ',
    ),
  ];
}

function policiesOf({ timeoutMs, maxBodyBytes, bulkhead }: ExplainedCall): string {
  const { concurrency, queue, waitMs } = bulkhead;
  return [
    `attempt ${milliseconds(timeoutMs)}`,
    `body ${Math.round(maxBodyBytes / 1024).toLocaleString('en')} KiB`,
    `bulkhead ${concurrency} + ${queue} for ${milliseconds(waitMs)}`,
  ].join(' · ');
}

function milliseconds(ms: number): string {
  return `${ms.toLocaleString('en')} ms`;
}
