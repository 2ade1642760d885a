/** The files of `compositions/` → plans. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findFiles, mentionsOf } from './composition-files.ts';
import type { FoundFiles, SourceFile } from './composition-files.ts';
import { isComposition } from './dsl/composition.ts';
import { defineGateway, gatewayFile, isGatewayDefinition } from './dsl/gateway.ts';
import type { GatewayDefinition } from './dsl/gateway.ts';
import { CompositionError, toError } from './errors.ts';
import type { Claim } from './plan/collisions.ts';
import { compileAll } from './plan/compile.ts';
import type { NamedComposition } from './plan/compile.ts';
import { findGateway } from './find-gateway.ts';
import { notServedOf } from './not-loaded.ts';
import type { NotServed } from './plan/not-served.ts';
import type { Plan } from './plan/plan.ts';
import { warningsOf } from './plan/warnings.ts';
import { createModules } from './plan/source/modules.ts';
import { readSource } from './read-source.ts';

export interface Loaded {
  readonly plans: readonly Plan[];
  /** The options for all of them: of `gateway.ts`, or the defaults. */
  readonly definition: GatewayDefinition;
  /** The errors of all files. */
  readonly errors: readonly Error[];
  /** The compositions that are not served because of them, and errors that belong to none. */
  readonly notServed: readonly NotServed[];
  /** Probable mistakes, which keep nothing from being served. */
  readonly warnings: readonly string[];
  /** The routes and names that the plans have taken, for `running` of the next time. */
  readonly claims: readonly Claim[];
}

export interface LoadOptions {
  /** `claims` of the gateway that runs: where others collide with it, they are the newcomers. */
  readonly running?: Iterable<Claim>;
}

/**
 * Makes plans of the files in `folder` and in the folders below it. A file with a composition as
 * its default export is an endpoint, named by its path: `orders/summary`. The others are modules,
 * which compositions share.
 *
 * @throws ConfigurationError if there is no such folder.
 */
export async function loadCompositions(
  folder: string,
  { running = [] }: LoadOptions = {},
): Promise<Loaded> {
  const found = findFiles(folder);
  const used = usesOf(found);
  const sourceModules = createModules(readSource);
  const imports = await Promise.allSettled(
    found.sources.map(async (file) => {
      const one = await importDefault(file, used.get(file.realPath) === true);
      if (one === undefined || isGatewayDefinition(one)) return one;
      return { ...one, origin: { path: join(folder, file.path), modules: sourceModules } };
    }),
  );
  const exported = imports.flatMap((one) =>
    one.status === 'fulfilled' && one.value !== undefined ? [one.value] : [],
  );
  const compositions = exported.filter((one) => 'composition' in one);
  const gateway = findGateway(found, imports);
  const modules = found.sources.filter((_, index) => {
    const one = imports[index];
    return one?.status === 'fulfilled' && one.value === undefined;
  });
  const { definition = defineGateway({}) } = gateway;
  const compiled = compileAll(compositions, new Set(running), definition.authenticators);
  const { isKnown } = gateway;
  const { plans, errors } = isKnown ? compiled : { plans: [], errors: [] };
  const rejected = found.sources.flatMap((file, index) => {
    const one = imports[index];
    const isRejected = one?.status === 'rejected' && used.get(file.realPath) !== true;
    return isRejected ? [{ file, error: one.reason as unknown }] : [];
  });
  const all = [
    ...found.errors,
    ...failuresOf(imports, found.sources, used),
    ...gateway.errors,
    ...errors,
  ];
  const isEmpty = compositions.length === 0 && all.length === 0;
  const located = (isEmpty ? [noCompositions(folder)] : all).map((error) => locate(error, folder));
  return {
    plans,
    definition,
    claims: isKnown ? compiled.claims : [...running],
    errors: located,
    notServed: notServedOf({
      compositions,
      rejected,
      failures: compiled.failures,
      isGatewayKnown: isKnown,
      errors: located,
    }),
    warnings: [...strayFiles(modules, found.ignored, used), ...plans.flatMap(warningsOf)],
  };
}

/** The files that other files mention, by real path: whether one that is not a test does. */
function usesOf({ sources, tests }: FoundFiles): ReadonlyMap<string, boolean> {
  const used = new Map<string, boolean>();
  for (const file of tests) for (const path of mentionsOf(file)) used.set(path, false);
  for (const file of sources) for (const path of mentionsOf(file)) used.set(path, true);
  return used;
}

function noCompositions(folder: string): Error {
  return new CompositionError(
    folder,
    'this folder has no composition. Write a file there with ' +
      '`export default defineComposition({ … })`.',
  );
}

/** Adds the file and line in `folder` that the error comes from, as far as they are known. */
function locate(error: Error, folder: string): Error {
  const roots = [resolve(folder), realpathSync(folder)].map((root) => RegExp.escape(root));
  const file = new RegExp(`(?:${roots.join('|')})/([^\\s:)]+:\\d+(?::\\d+)?)`);
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const [, line] = file.exec(cause.stack ?? '') ?? [];
    if (line === undefined) continue;
    // Mistakes in source text say their place themselves.
    const place = join(folder, line);
    if (!error.message.includes(place)) error.message += ` (${place})`;
    break;
  }
  return error;
}

/** The composition of a file, or the definition of the gateway; `undefined` if it is a module. */
async function importDefault(
  file: SourceFile,
  isUsed: boolean,
): Promise<NamedComposition | GatewayDefinition | undefined> {
  const { path } = file;
  const name = path.replace(/\.\w+$/, '');
  // A file without these words exports no default. It runs only if another file imports it.
  const mayExport = /\b(?:default|exports)\b/.test(file.text);
  const module: Record<string, unknown> = mayExport ? await importModule(name, file) : {};
  const exported = module['default'];
  if (isComposition(exported)) return { name, composition: exported };
  if (isGatewayDefinition(exported)) return exported;
  if (name === gatewayFile) {
    // As a module it would have no effect: no CORS, no limits, and everybody may ask.
    const words = 'exports no gateway. Write `export default defineGateway({ … })`.';
    throw new CompositionError(name, words);
  }
  if (!('default' in module) || isUsed) return undefined;
  throw new CompositionError(
    name,
    'its default export is not a composition. Write `export default defineComposition({ … })`, ' +
      'or export by name if it is a module that compositions share.',
  );
}

async function importModule(name: string, file: SourceFile): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(file.realPath).href);
  } catch (error) {
    throw new CompositionError(name, wordsFor(toError(error)), { cause: error });
  }
}

/** The words of a declaration that failed begin with what was declared. */
function wordsFor(error: Error): string {
  if (error instanceof CompositionError) return error.message;
  return `the file cannot be imported: ${error.message}${missingEnding(error)}`;
}

/** Advice for `import './rates'`: Node looks for a file of exactly this name. */
function missingEnding(error: Error): string {
  if (!('url' in error) || !URL.canParse(String(error.url))) return '';
  const url = String(error.url);
  const ending = ['.ts', '.mts', '.js', '.mjs'].find((one) => existsSync(new URL(url + one)));
  return ending === undefined ? '' : `. Write the whole name: ${basename(url)}${ending}`;
}

/**
 * The errors of imports, one for each cause: files that import a module that fails all fail with
 * its error, and so does the module.
 */
function failuresOf(
  imports: readonly PromiseSettledResult<unknown>[],
  files: readonly SourceFile[],
  used: ReadonlyMap<string, boolean>,
): Error[] {
  const failed = imports.flatMap((one, index) =>
    one.status === 'rejected' ? [{ error: toError(one.reason), file: files[index] }] : [],
  );
  const byCause = Map.groupBy(failed, ({ error }) => error.cause ?? error);
  return [...byCause.values()].flatMap((same) => {
    const importers = same.filter(({ file }) => !used.get(file?.realPath ?? ''));
    const [first, ...others] = importers.length === 0 ? same : importers;
    if (first !== undefined)
      sayOthers(
        first.error,
        others.map(({ error }) => placeOf(error)),
      );
    return first === undefined ? [] : [first.error];
  });
}

/** Names the other files that fail with an error, which says its reason only once. */
function sayOthers(error: Error, others: readonly string[]): void {
  if (others.length > 0) error.message += ` So not loaded either: ${others.join(', ')}.`;
}

function placeOf(error: Error): string {
  return error instanceof CompositionError ? error.place : error.message;
}

/** Warns of files that nothing uses. */
function strayFiles(
  modules: readonly SourceFile[],
  ignored: FoundFiles['ignored'],
  used: ReadonlyMap<string, boolean>,
): string[] {
  const isStray = ({ realPath }: { readonly realPath: string }): boolean => !used.has(realPath);
  return [
    ...modules
      .filter(isStray)
      .map(
        ({ path }) =>
          `${path}: this file has no default export, and no other file there imports it. ` +
          'For an endpoint, write `export default defineComposition({ … })`.',
      ),
    ...ignored
      .filter(isStray)
      .map(
        ({ path }) =>
          `${path}: this file is not loaded, and no file there imports it. Compositions and ` +
          'modules are .ts, .mts, .js and .mjs files.',
      ),
  ];
}
