/** Finds the definition of the gateway among the files of a folder, or why it cannot be known. */
import type { FoundFiles } from './composition-files.ts';
import { gatewayFile, isGatewayDefinition } from './dsl/gateway.ts';
import type { GatewayDefinition } from './dsl/gateway.ts';
import { CompositionError } from './errors.ts';

export interface FoundGateway {
  /** Absent: there is none, or it cannot be used. */
  readonly definition?: GatewayDefinition;
  /**
   * False where the folder has a definition that cannot be used. Nobody knows then who may ask, so
   * nothing may be served: without `authenticators`, everything would be public.
   */
  readonly isKnown: boolean;
  /** Those that reading and importing the files have not reported yet. */
  readonly errors: readonly CompositionError[];
}

/** `imports`: the default exports of the sources of `files`. */
export function findGateway(
  files: FoundFiles,
  imports: readonly PromiseSettledResult<unknown>[],
): FoundGateway {
  const definitions = files.sources.flatMap(({ path }, index) => {
    const one = imports[index];
    return one?.status === 'fulfilled' && isGatewayDefinition(one.value)
      ? [{ path, definition: one.value }]
      : [];
  });
  const [first, ...others] = definitions.filter(({ path }) => isPlace(path));
  const errors = [
    ...(first && others.length > 0 ? [twice([first, ...others].map(({ path }) => path))] : []),
    ...definitions.filter(({ path }) => !isPlace(path)).map(({ path }) => misplaced(path)),
    ...files.ignored.filter(({ path }) => isMeant(path)).map(({ path }) => unloadable(path)),
  ];
  const hasFailed =
    files.sources.some(
      ({ path }, index) => isPlace(path) && imports[index]?.status === 'rejected',
    ) || files.errors.some(({ place }) => isPlace(place));
  return {
    ...(first && { definition: first.definition }),
    isKnown: !hasFailed && errors.length === 0,
    errors,
  };
}

function isPlace(path: string): boolean {
  return withoutEnding(path) === gatewayFile;
}

/** Whether a file that is not loaded has code under the name of the definition. */
function isMeant(path: string): boolean {
  return isPlace(path.toLowerCase()) && /\.[cm]?[jt]sx?$/i.test(path);
}

function withoutEnding(path: string): string {
  return path.replace(/\.\w+$/, '');
}

function twice(paths: readonly string[]): CompositionError {
  const words = `${paths.join(' and ')} both define the gateway. Remove one of them.`;
  return new CompositionError(gatewayFile, words);
}

function misplaced(path: string): CompositionError {
  const advice = `defineGateway() is for ${gatewayFile}.ts in the folder itself.`;
  return new CompositionError(withoutEnding(path), `this file is not loaded: ${advice}`);
}

function unloadable(path: string): CompositionError {
  return new CompositionError(path, `this file is not loaded. Rename it to ${gatewayFile}.ts.`);
}
