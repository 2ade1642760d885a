/** The files of `compositions/` → plans. */
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isComposition } from './dsl/composition.ts';
import { CompositionError, ConfigurationError, toError } from './errors.ts';
import { compileAll } from './plan/compile.ts';
import type { NamedComposition } from './plan/compile.ts';
import type { Plan } from './plan/plan.ts';

export interface Loaded {
  readonly plans: readonly Plan[];
  /** The errors of all files. */
  readonly errors: readonly Error[];
}

/**
 * Makes plans of the files in `folder`. Files in folders below it, such as `upstreams/`, are not
 * compositions: they hold what compositions share.
 */
export async function loadCompositions(folder: string): Promise<Loaded> {
  const files = await compositionFiles(folder);
  const imports = await Promise.allSettled(
    files.map((file) => importComposition(join(folder, file))),
  );
  const compositions = imports.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failures = imports.flatMap((one) =>
    one.status === 'rejected' ? [toError(one.reason)] : [],
  );
  const { plans, errors } = compileAll(compositions);
  return { plans, errors: [...failures, ...errors].map((error) => located(error, folder)) };
}

/** Adds the file and line in `folder` that the error comes from, as far as they are known. */
function located(error: Error, folder: string): Error {
  const file = new RegExp(`${RegExp.escape(resolve(folder))}/([^\\s:)]+:\\d+(?::\\d+)?)`);
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const [, line] = file.exec(cause.stack ?? '') ?? [];
    if (line === undefined) continue;
    error.message += ` (${join(folder, line)})`;
    break;
  }
  return error;
}

async function compositionFiles(folder: string): Promise<string[]> {
  try {
    const files = await readdir(folder);
    return files
      .filter((file) => /\.(?:ts|js|mjs)$/.test(file) && !/\.(?:d|test)\.ts$/.test(file))
      .toSorted();
  } catch (error) {
    throw new ConfigurationError(
      `There is no folder ${folder}. ` +
        'Run plait where compositions/ is, or name it with --compositions.',
      { cause: error },
    );
  }
}

async function importComposition(path: string): Promise<NamedComposition> {
  const name = basename(path).replace(/\.\w+$/, '');
  const exported = await importDefault(name, path);
  if (isComposition(exported)) return { name, composition: exported };
  throw new CompositionError(
    name,
    'its default export is not a composition. Write `export default defineComposition({ … })`, ' +
      'or move what is shared into compositions/upstreams/.',
  );
}

async function importDefault(name: string, path: string): Promise<unknown> {
  try {
    const module: Record<string, unknown> = await import(pathToFileURL(resolve(path)).href);
    return module['default'];
  } catch (error) {
    const message = toError(error).message;
    const place = error instanceof CompositionError ? '' : ' cannot be imported:';
    throw new CompositionError(name, `the file${place} ${message}`, { cause: error });
  }
}
