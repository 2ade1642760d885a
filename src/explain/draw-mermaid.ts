/** An explained plan as a Mermaid flowchart: an arrow leads from a step to those that need it. */
import { shownAuth } from './draw-auth.ts';
import type { ExplainedCall } from './explain-call.ts';
import type { ExplainedPlan, ExplainedStep } from './explain.ts';

export function drawMermaid(plan: ExplainedPlan): string {
  const ids = new Map(allSteps(plan.steps).map((step, index) => [step.name, `s${index}`]));
  return [
    'flowchart LR',
    `  request([${quoted(startLabel(plan))}])`,
    ...drawSteps(plan.steps, { ids, indent: '  ', start: 'request' }),
  ].join('\n');
}

/** The route, and who may ask. */
function startLabel({ route, auth }: ExplainedPlan): string {
  return auth === undefined ? route : `${route}<br/>${shownAuth(auth)}`;
}

interface Position {
  readonly ids: ReadonlyMap<string, string>;
  readonly indent: string;
  /** The node that steps without needs in their block are drawn after. */
  readonly start: string;
}

function drawSteps(steps: readonly ExplainedStep[], position: Position): string[] {
  return steps.flatMap((step) => [...drawStep(step, position), ...drawArrows(step, position)]);
}

function drawStep(step: ExplainedStep, { ids, indent }: Position): string[] {
  const id = ids.get(step.name) ?? step.name;
  if (step.steps === undefined) return [`${indent}${id}[${quoted(label(step))}]`];
  const inner = { ids, indent: `${indent}  `, start: `${id}_item` };
  return [
    `${indent}subgraph ${id} [${quoted(label(step))}]`,
    `${indent}  ${id}_item((${startOf(step)}))`,
    ...drawSteps(step.steps, inner),
    `${indent}end`,
  ];
}

function startOf({ kind }: ExplainedStep): string {
  if (kind === 'instead') return 'failure';
  return kind === 'each' ? 'item' : 'present';
}

function drawArrows(step: ExplainedStep, { ids, indent, start }: Position): string[] {
  const id = ids.get(step.name) ?? step.name;
  const arrow = step.failure === 'required' ? '-->' : '-.->';
  const sources =
    step.needs.length === 0 ? [start] : step.needs.map((name) => ids.get(name) ?? name);
  return sources.map((source) => `${indent}${source} ${arrow} ${id}`);
}

function label(step: ExplainedStep): string {
  const within = step.withinMs === undefined ? '' : ` within ${step.withinMs} ms`;
  const failure = step.failure === 'required' ? '' : `<br/>${step.failure}${within}`;
  return `${step.name}<br/>${whatRuns(step)}${failure}`;
}

function whatRuns({ kind, call, together, concurrency }: ExplainedStep): string {
  if (call !== undefined) return `${call.operation}${howAsked(call)}${pagesOf(call)}`;
  if (kind === 'instead') return 'second source';
  const bound = concurrency === undefined ? '' : `, ${concurrency} at a time`;
  return `${together === false ? 'each item by itself' : kind}${bound}`;
}

function pagesOf({ pages }: ExplainedCall): string {
  return pages === undefined ? '' : ` (at most ${pages.max} pages)`;
}

function howAsked({ batch, single }: ExplainedCall): string {
  return batch ? ' (batched)' : single ? ` (single, ${single.concurrency} at a time)` : '';
}

function allSteps(steps: readonly ExplainedStep[]): ExplainedStep[] {
  return steps.flatMap((step) => [step, ...allSteps(step.steps ?? [])]);
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '#quot;')}"`;
}
