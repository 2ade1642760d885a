/** Runs `compose` once on references, for the nodes and the template that it makes. */
import { templatesOf, toAnswer } from '../dsl/answer.ts';
import type { ComposedAnswer } from '../dsl/answer.ts';
import { isAnswer } from '../dsl/answered.ts';
import { createDraft, withDraft } from '../dsl/draft.ts';
import type { Draft } from '../dsl/draft.ts';
import type { AnyConfig } from '../dsl/composition.ts';
import type { Block, InputName, Node } from '../dsl/node.ts';
import { toTemplate } from '../dsl/template.ts';
import { CompositionError, toError } from '../errors.ts';

/** The nodes and the template that `compose` made. */
export interface Composed {
  readonly nodes: readonly Node[];
  readonly root: Block;
  /** The status and headers of the response; absent if `compose` has not given any. */
  readonly answer: ComposedAnswer | undefined;
}

const inputs: readonly InputName[] = ['params', 'query', 'body', 'headers', 'cookies', 'identity'];

/**
 * @throws CompositionError with the composition's name for anything that goes wrong in `compose`.
 */
export function runCompose(name: string, config: AnyConfig): Composed {
  const draft = createDraft(name);
  try {
    let answer: ComposedAnswer | undefined;
    const block = draft.block(() => {
      const returned = runOnReferences(draft, config);
      if (!isAnswer(returned)) return toTemplate(draft, returned, 'what compose() returned');
      answer = toAnswer(draft, returned);
      return toTemplate(draft, returned.template, 'what answer() was given');
    });
    const root = answer === undefined ? block : { ...block, beside: templatesOf(answer) };
    checkRoot(name, root);
    return { nodes: draft.nodes, root, answer };
  } finally {
    draft.close();
  }
}

/** The value that `compose` returns. */
function runOnReferences(draft: Draft, config: AnyConfig): unknown {
  const references = inputs.map((input) => [input, draft.add({ kind: 'input', input })]);
  // Its type was checked where it was written.
  const compose = config.compose as (given: unknown) => unknown;
  return withDraft(draft, () =>
    translated(draft.place, () => compose(Object.fromEntries(references))),
  );
}

function checkRoot(name: string, { template }: Block): void {
  if (template.kind === 'literal' && template.value === undefined) {
    throw new CompositionError(
      name,
      'compose() returned nothing. Return the template of the response.',
    );
  }
  if (template.kind === 'object' && template.entries.some(([key]) => key === '$problems')) {
    throw new CompositionError(
      name,
      'compose() returned a field "$problems", which says what is missing in a degraded ' +
        'response. Rename it.',
    );
  }
}

/** Turns errors that JavaScript throws in `compose` into messages for its author. */
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
    const message = toError(error).message;
    throw new CompositionError(name, `compose() threw: ${message}`, { cause: error });
  }
}
