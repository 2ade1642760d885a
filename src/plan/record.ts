/** Runs `compose` once on references and records what it says: nodes and the root block. */
import { createDraft, withDraft } from '../dsl/draft.ts';
import type { AnyConfig } from '../dsl/composition.ts';
import type { Block, InputName, Node } from '../dsl/node.ts';
import { toTemplate } from '../dsl/template.ts';
import { CompositionError } from '../errors.ts';

export interface Recorded {
  readonly nodes: readonly Node[];
  readonly root: Block;
}

const inputs: readonly InputName[] = ['params', 'query', 'body', 'headers'];

/** @throws CompositionError for everything that goes wrong in `compose`, with the composition's name. */
export function record(name: string, config: AnyConfig): Recorded {
  const draft = createDraft(name);
  const root = draft.block(() => {
    const references = inputs.map((input) => [input, draft.add({ kind: 'input', input })]);
    const compose = config.compose as (given: unknown) => unknown; // its type was checked where it was written
    const composed = withDraft(draft, () =>
      translated(name, () => compose(Object.fromEntries(references))),
    );
    return toTemplate(draft, composed, 'what compose() returned');
  });
  if (root.template.kind === 'literal' && root.template.value === undefined) {
    throw new CompositionError(
      name,
      'compose() returned nothing. Return the template of the response.',
    );
  }
  if (
    root.template.kind === 'object' &&
    root.template.entries.some(([key]) => key === '$problems')
  ) {
    throw new CompositionError(
      name,
      'compose() returned a field "$problems", which says what is missing in a degraded response. Rename it.',
    );
  }
  return { nodes: draft.nodes, root };
}

/** Words for what JavaScript itself throws. */
function translated<T>(name: string, compose: () => T): T {
  try {
    return compose();
  } catch (error) {
    if (error instanceof CompositionError) throw error;
    const early =
      error instanceof ReferenceError && /Cannot access '([^']+)' before/.exec(error.message)?.[1];
    if (early) {
      const advice = 'Steps that wait for each other form a cycle and could never start: break it.';
      throw new CompositionError(name, `"${early}" is used before it is defined. ${advice}`, {
        cause: error,
      });
    }
    const message = error instanceof Error ? error.message : String(error);
    throw new CompositionError(name, `compose() threw: ${message}`, { cause: error });
  }
}
