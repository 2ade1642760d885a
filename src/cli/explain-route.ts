/** `plait explain`: the plan of one composition, or of all. */
import type { Route } from '../dsl/route.ts';
import { ConfigurationError, LoadError } from '../errors.ts';
import { drawMermaid } from '../explain/draw-mermaid.ts';
import { drawTree } from '../explain/draw-tree.ts';
import { explain } from '../explain/explain.ts';
import type { ExplainedPlan } from '../explain/explain.ts';
import type { Plan } from '../plan/plan.ts';
import { loadCompositions } from '../load-compositions.ts';

export interface ExplainOptions {
  readonly folder: string;
  /** A route, its path, or a composition's name. */
  readonly wanted: string | undefined;
  readonly format: 'tree' | 'mermaid' | 'json';
}

export async function explainRoute({ folder, wanted, format }: ExplainOptions): Promise<void> {
  const { plans, errors } = await loadCompositions(folder);
  const found = plans.filter((plan) => wanted === undefined || isCalled(plan, wanted));
  if (found.length === 0 && errors.length > 0) throw new LoadError(errors);
  if (found.length === 0) {
    const known = plans.map(({ route, name }) => `  ${route.text}  (${name})`);
    throw new ConfigurationError(
      [`There is no composition "${wanted}". There are:`, ...known].join('\n'),
    );
  }
  console.log(render(found.map(explain), format));
}

function render(plans: readonly ExplainedPlan[], format: ExplainOptions['format']): string {
  if (format === 'json') return JSON.stringify(plans.length === 1 ? plans[0] : plans, undefined, 2);
  return plans.map(format === 'mermaid' ? drawMermaid : drawTree).join('\n\n');
}

/**
 * Matches `GET /orders/:orderId/summary`, `/orders/:orderId/summary`, `/orders/ord_1/summary` and
 * `order-summary`.
 */
function isCalled({ name, route }: Plan, wanted: string): boolean {
  if (wanted === name || wanted === route.text) return true;
  const path = wanted.replace(/^[A-Z]+ /, '');
  if (path !== wanted && !wanted.startsWith(`${route.method} `)) return false;
  return isAt(route, path);
}

/** Whether a request for `path` has this route. */
function isAt({ segments, trailingSlash }: Route, path: string): boolean {
  const parts = path === '/' ? [] : path.split('/').slice(1);
  if (trailingSlash && parts.pop() !== '') return false;
  return (
    parts.length === segments.length &&
    segments.every((segment, index) => segment.kind !== 'text' || segment.text === parts[index])
  );
}
