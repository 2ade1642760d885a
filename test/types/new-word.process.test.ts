/** A new word of the DSL: the compiler names every file that has to say what it means by it. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { change, copyOfProject, typeCheck } from '../support/project-copy.ts';

/**
 * A word `race(a, b)` as it might be added: it takes time, and gives the value that comes first.
 */
const node = `export type Node =
  | { readonly kind: 'race'; readonly steps: readonly number[] }`;
const step = `export interface RaceStep extends StepFacts {
  readonly kind: 'race';
  readonly steps: readonly number[];
}
export type Step =
  | RaceStep`;
const word =
  'export function race(...steps: readonly Reference<unknown>[]): void {\n  ' +
  'currentDraft(String(steps.length));\n}\n\n';
const traits = 'race: { isStep: true, takesTime: true, hasEffect: true, canBeIncomplete: false },';

describe('after a new kind of node was declared, the compiler', () => {
  it('names every file that has to know it', async () => {
    const folder = await copyOfProject();
    await change(join(folder, 'src/dsl/node.ts'), 'export type Node =', node);
    expect(await filesNamed(folder)).toEqual([
      'src/dsl/node-traits.ts',
      'src/plan/concealment.ts',
      'src/plan/link.ts',
      'src/plan/names.ts',
      'src/plan/response-paths.ts',
      'src/plan/value-schema.ts',
      'src/plan/whole-bytes.ts',
    ]);
  });

  it('names every file that has to run or show it, once it is a step of a plan', async () => {
    const folder = await copyOfProject();
    await change(join(folder, 'src/dsl/node.ts'), 'export type Node =', node);
    await change(
      join(folder, 'src/dsl/node-traits.ts'),
      'const traits = {',
      `const traits = {${traits}`,
    );
    await change(join(folder, 'src/plan/plan.ts'), 'export type Step =', step);
    expect(await filesNamed(folder)).toEqual([
      'src/dsl/draft.ts',
      'src/dsl/node-traits.ts',
      'src/engine/block.ts',
      'src/engine/perform.ts',
      'src/explain/draw-tree.ts',
      'src/explain/explain.ts',
      'src/plan/concealment.ts',
      'src/plan/link.ts',
      'src/plan/names.ts',
      'src/plan/response-paths.ts',
      'src/plan/value-schema.ts',
      'src/plan/whole-bytes.ts',
    ]);
  });

  it('names the list of words that give references, once it has its function', async () => {
    const folder = await copyOfProject();
    await change(join(folder, 'src/dsl/steps.ts'), 'type Skipped<T>', `${word}type Skipped<T>`);
    expect(await filesNamed(folder)).toEqual(['src/plan/source/words.ts']);
  });
});

async function filesNamed(folder: string): Promise<string[]> {
  const { output } = await typeCheck(folder);
  const files = [...output.matchAll(/^(\S+)\(\d+,\d+\): error/gm)].map((match) => match[1] ?? '');
  return [...new Set(files)].toSorted();
}
